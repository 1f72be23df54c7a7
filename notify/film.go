package notify

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// Films is where the films of alerts are; *archive.Bucket is one.
type Films interface {
	HasFilm(ctx context.Context, alert string) (bool, error)
	// Film writes the film of an alert to w.
	Film(ctx context.Context, alert string, w io.Writer) error
	// FilmAddress is where the film of an alert is, or will be, without secrets.
	FilmAddress(alert string) string
}

// ErrNoBucket is of receivers that want films where nothing keeps any.
var ErrNoBucket = errors.New("film: there are none without a bucket: name the archive's in archive.bucket")

const (
	// maxFilm bounds a film that is delivered.
	maxFilm = 24 << 20
	// filmLook is how often films are looked for, unless Options say.
	filmLook = 3 * time.Second
	// filmTime bounds how long the bucket may take, which may hang.
	filmTime = time.Minute
)

// missFilms warns of a receiver that wants films where there are none, and returns what ends
// the warning.
func (d *delivery) missFilms(ctx context.Context) (end func()) {
	if !d.Film || d.Films != nil {
		return func() {}
	}
	part := d.part() + ", films"
	d.Reporter.Warning(part, ErrNoBucket)
	d.Logger.WarnContext(ctx, "no films for a receiver that wants them", "receiver", d.Name, "error", ErrNoBucket)
	return func() { d.Reporter.Warning(part, nil) }
}

// event is the alert as it is delivered. What Alertmanager shows names the film that is to
// come: by then the alert may be over, and nobody would hear of it.
func (d *delivery) event(a topics.Alert) Event {
	e := d.receiver.event(a)
	if d.Film && d.Films != nil && d.Alertmanager != nil {
		e.FilmAt = d.Films.FilmAddress(a.ID)
	}
	return e
}

// deliverFilms delivers the partition's films as they come, until ctx ends.
func (w *worker) deliverFilms(ctx context.Context) error {
	if !w.awaitsFilms() {
		return nil
	}
	var failed error
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	pause.Every(ctx, cmp.Or(w.FilmLook, filmLook), func() {
		if failed = w.lookForFilms(ctx); failed != nil {
			stop()
		}
	})
	return failed
}

// lookForFilms delivers the films that are there, one after the other, and gives up those
// that have not come.
func (w *worker) lookForFilms(ctx context.Context) error {
	for _, f := range w.films.all() {
		has, err := w.hasFilm(ctx, f.owed.Alert)
		if ctx.Err() != nil {
			return nil
		}
		switch {
		case has:
			err = w.sendFilm(ctx, f.owed)
		case time.Now().Before(f.until):
			continue
		}
		if err != nil && ctx.Err() != nil {
			return nil
		}
		if err != nil {
			w.Logger.WarnContext(ctx, "a film is not delivered", "receiver", w.Name, "alert", topics.Clean(f.owed.Alert), "error", topics.Clean(err.Error()))
		}
		if err := w.filmDone(ctx, f.owed); err != nil {
			return err
		}
	}
	return nil
}

// filmDone forgets a film, also when the worker stops.
func (w *worker) filmDone(ctx context.Context, owed topics.WithheldAlert) error {
	ctx, end := pause.Outlive(ctx, finishTime)
	defer end()
	w.films.remove(owed.Alert)
	return w.erase(ctx, owed)
}

func (w *worker) hasFilm(ctx context.Context, alert string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, filmTime)
	defer cancel()
	return w.Films.HasFilm(ctx, alert)
}

// errFilmSize is of a film that is too large to be delivered.
var errFilmSize = errors.New("it is too large to be delivered")

// readFilm reads a film of so many bytes at most; who gets the event without it can have it
// from where it is.
func (w *worker) readFilm(ctx context.Context, alert string, most int) ([]byte, error) {
	if most == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, filmTime)
	defer cancel()
	film := &capped{most: most}
	err := w.Films.Film(ctx, alert, film)
	if errors.Is(err, errFilmSize) {
		return nil, nil
	}
	return film.Bytes(), err
}

// filmEvent is the event of a film that is there. One without a key is of an alert that is
// not what it was said to be, which anybody may have written to the table.
func (w *worker) filmEvent(ctx context.Context, owed topics.WithheldAlert) (e Event, err error) {
	offset, some := owed.Offsets[topics.AlertRaised]
	if !some {
		return e, nil
	}
	err = w.Bus.Replay(ctx, w.Names.Of(topics.Alerts), w.ID(), offset, offset+1, func(m bus.Message) error {
		a, err := topics.DecodeAlert(m.Value)
		if err != nil || a.ID != owed.Alert || a.State != topics.AlertRaised || !w.chooses(a) {
			return nil
		}
		said, _ := w.opinions.of(a.ID)
		e = w.event(a).judged(said)
		e.Key, e.Text, e.from, e.FilmAt = a.ID+filmSuffix, "film: "+e.Text, m, w.Films.FilmAddress(a.ID)
		return nil
	})
	if err != nil || e.Key == "" {
		return e, err
	}
	if e.Film, err = w.readFilm(ctx, owed.Alert, filmsTo(w.receiver)); len(e.Film) == 0 && e.FilmAt != "" {
		e.Text += "; it is at " + e.FilmAt
	}
	return e, err
}

// sendFilm delivers a film, for as long as the receiver's `keep` says.
func (w *worker) sendFilm(ctx context.Context, owed topics.WithheldAlert) error {
	e, err := w.filmEvent(ctx, owed)
	if err != nil || e.Key == "" {
		return err
	}
	refused := 0
	for tries := 1; ; tries++ {
		err := w.attempt(ctx, Notification{Receiver: w.Name, Events: []Event{e}})
		if err == nil {
			w.metrics.sent.Add(ctx, 1, w.by)
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("deliver a film: %w", ctx.Err())
		}
		w.metrics.failed.Add(ctx, 1, w.by)
		if errors.Is(err, ErrRefused) {
			refused++
		}
		if refused >= maxRefused || w.Bus.Age(e.from) > time.Duration(w.Keep) {
			return err
		}
		if !pause.For(ctx, pause.Backoff(firstWait, w.longest, tries)) {
			return fmt.Errorf("deliver a film: %w", ctx.Err())
		}
	}
}

// capped is a buffer that refuses to grow beyond a size.
type capped struct {
	bytes.Buffer
	most int
}

func (c *capped) Write(p []byte) (int, error) {
	if c.Len()+len(p) > c.most {
		return 0, errFilmSize
	}
	return c.Buffer.Write(p)
}
