package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/frostwatch/frostwatch/ingest/ring"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/media"
)

// errNotKept is of an alert whose packets are not there.
var errNotKept = errors.New("the packets of its onset were not kept by this worker")

// film makes a scene's film and stores it; n is a number of its own.
func (f *filming) film(ctx context.Context, s *scene, n int) {
	log := f.Logger.With("camera", s.alert.Camera, "alert", s.alert.ID)
	path := filepath.Join(f.store.Dir(), fmt.Sprintf("film-%d.mp4", n))
	label(ctx, s.alert.Camera)
	err := f.produce(ctx, s, path)
	f.stepBack()
	if err == nil {
		err = f.put(ctx, s, path)
	}
	if gone := os.Remove(path); gone != nil && !errors.Is(gone, os.ErrNotExist) {
		log.Warn("a film's working copy is not removed", "error", gone)
	}
	switch {
	case errors.Is(err, errHasFilm):
	case errors.Is(err, errNotKept):
		log.Info("no film of an alert", "reason", err)
		f.metrics.film(ctx, filmNotKept, 1)
	case err != nil:
		log.Warn("no film of an alert", "error", err)
		f.Reporter.Incident("film", fmt.Errorf("no film of alert %s: %w", s.alert.ID, err))
		f.metrics.film(ctx, filmFailed, 1)
	default:
		log.Info("film of an alert stored")
		f.metrics.film(ctx, filmStored, 1)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s.finished = true
	if !s.ended.IsZero() {
		delete(f.scenes, s.alert.ID)
	}
}

// stepBack lets the next film be made.
func (f *filming) stepBack() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running--
}

// errHasFilm is of an alert whose film is in the bucket already.
var errHasFilm = errors.New("there is a film already")

// produce writes a scene's film to path, and gives back its reel.
func (f *filming) produce(ctx context.Context, s *scene, path string) error {
	f.mu.Lock()
	from, until := s.from(), s.until()
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		s.reel.users--
		f.drop(s.reel)
	}()
	if has, err := f.hasFilm(ctx, s.alert.ID); err != nil {
		f.Logger.Warn("can't see whether there is a film of an alert", "alert", s.alert.ID, "error", err)
	} else if has {
		return errHasFilm
	}
	stretches, done, err := s.reel.ring.Packets(ctx, from, until.Add(slack))
	if err != nil {
		return err
	}
	defer done()
	film, size := cutFilm(stretches, from, s.moment(), until)
	if len(film.Packets) == 0 || film.Packets[0].Captured.After(s.shown()) {
		return errNotKept
	}
	if err := f.store.Room(size); err != nil {
		return err
	}
	return film.Write(ctx, path)
}

// hasFilm asks the bucket, which may hang.
func (f *filming) hasFilm(ctx context.Context, alert string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	return f.Keep.HasFilm(ctx, alert)
}

// shown is what a film has to show to be of use: the clip that raised the alert.
func (s *scene) shown() time.Time {
	const clip = 4 * time.Second
	if least := s.moment().Add(-clip); least.After(s.alert.Onset) {
		return least
	}
	return s.alert.Onset.Add(time.Second)
}

// put stores a film, and tries again while the bucket can't be reached, unless many films
// wait for that already: they take the disk.
func (f *filming) put(ctx context.Context, s *scene, path string) error {
	ctx, cancel := context.WithTimeout(ctx, putFor)
	defer cancel()
	waiting := f.waiting.Add(1)
	defer f.waiting.Add(-1)
	for failures := 1; ; failures++ {
		err := f.Keep.PutFilm(ctx, s.alert.ID, path)
		if err == nil || waiting > waitingMost || !pause.For(ctx, pause.Backoff(time.Second, time.Minute, failures)) {
			return err
		}
	}
}

// shot is a stretch, and when its pictures were before the camera.
type shot struct {
	*ring.Stretch
	at []time.Time
}

// cutFilm makes a film of what was kept: from the last keyframe before from on, until until.
// Where the picture changes in between, as after a change of the camera's settings, it is
// of what looks like the moment.
func cutFilm(stretches []*ring.Stretch, from, moment, until time.Time) (f media.Film, size int64) {
	var shots []shot
	main := 0
	for _, s := range stretches {
		t := shot{s, media.Captured(s.Track.Tick, s.Packets)}
		if !t.at[0].After(moment) {
			main = len(shots)
		}
		shots = append(shots, t)
	}
	first, last := alike(shots, main)
	j := joined{}
	for i := first; i < last; i++ {
		j.add(shots[i], from)
	}
	j.end(until)
	for _, p := range j.packets {
		size += int64(p.Size)
	}
	if len(j.packets) > 0 {
		f.Track = j.track
	}
	f.Packets = j.packets
	f.Read = func(i int) ([]byte, error) { return j.sources[i].Data(j.indexes[i]) }
	return f, size
}

// alike are the shots around one that can be in one film with it.
func alike(shots []shot, main int) (first, last int) {
	if len(shots) == 0 {
		return 0, 0
	}
	fits := func(a shot) bool {
		b, t := shots[main].Track, a.Track
		sized := t.Width == 0 || b.Width == 0 || t.Width == b.Width && t.Height == b.Height
		return t.Codec == b.Codec && bytes.Equal(t.Extra, b.Extra) && sized
	}
	first, last = main, main+1
	for first > 0 && fits(shots[first-1]) {
		first--
	}
	for last < len(shots) && fits(shots[last]) {
		last++
	}
	return first, last
}

// joined is a film in the making.
type joined struct {
	track   media.Track
	packets []media.FilmPacket
	sources []*ring.Stretch
	indexes []int
	newest  time.Time
}

// add appends a shot. What was collected before gives way to its last keyframe that is
// not after from.
func (j *joined) add(s shot, from time.Time) {
	if j.track.Width == 0 {
		j.track = s.Track
	}
	late := time.Duration(0) // connections' clocks differ: no picture is shown before one of an earlier connection
	for i, at := range s.at {
		if i == 0 && !j.newest.IsZero() {
			late = max(j.newest.Sub(at)+time.Millisecond, 0)
		}
		at = at.Add(late)
		p := s.Packets[i]
		if p.Key && (!at.After(from) || len(j.packets) == 0) {
			j.packets, j.sources, j.indexes = j.packets[:0], j.sources[:0], j.indexes[:0]
		}
		j.packets = append(j.packets, media.FilmPacket{Key: p.Key, Captured: at, Size: p.Size})
		j.sources, j.indexes = append(j.sources, s.Stretch), append(j.indexes, i)
		if at.After(j.newest) {
			j.newest = at
		}
	}
	j.leading()
}

// leading removes pictures that need some before the first keyframe of a stretch.
func (j *joined) leading() {
	kept := 0
	var key time.Time
	fresh := true
	for i, p := range j.packets {
		if i == 0 || j.sources[i] != j.sources[i-1] {
			key, fresh = p.Captured, true
		} else if p.Key {
			fresh = false
		}
		if fresh && p.Captured.Before(key) {
			continue
		}
		j.packets[kept], j.sources[kept], j.indexes[kept] = p, j.sources[i], j.indexes[i]
		kept++
	}
	j.packets, j.sources, j.indexes = j.packets[:kept], j.sources[:kept], j.indexes[:kept]
}

// end cuts off what was after a time, as far as pictures before it don't need it.
func (j *joined) end(until time.Time) {
	n := len(j.packets)
	for n > 0 && j.packets[n-1].Captured.After(until) {
		n--
	}
	j.packets = j.packets[:n]
}
