package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/ingest/ring"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// Films says how films of alerts are made. All fields are required.
type Films struct {
	Dir    string // for packets; made where it is absent
	Camera int64  // bytes of one camera's packets, at most
	Total  int64  // bytes of all cameras' packets, at most
	Spare  int64  // bytes of the disk that are left free
	// Where the camera doesn't say: whether its packets are kept, and how much a film
	// shows before the onset and after the end.
	Record    topics.Record
	Pre, Post time.Duration
	Keep      Keep
	Open      Table // of open alerts
}

// Keep is where films are kept. Any goroutine may call it.
type Keep interface {
	HasFilm(ctx context.Context, alert string) (bool, error)
	// PutFilm stores the film of an alert, an MP4 that is at path, whole or not at all.
	PutFilm(ctx context.Context, alert, path string) error
}

// Table is what is needed of a *bus.Table.
type Table interface {
	Keep(ctx context.Context, take func(bus.Message) error, read func(error))
}

func (f *Films) check() error {
	switch {
	case f == nil:
		return nil
	case f.Dir == "" || f.Keep == nil || f.Open == nil:
		return errors.New("ingest: films need a folder for packets, a place to keep them, and the table of open alerts")
	case f.Pre < 0 || f.Pre > topics.MaxAround || f.Post < 0 || f.Post > topics.MaxAround:
		return fmt.Errorf("ingest: films with %v before and %v after an alert: want 0s to %v", f.Pre, f.Post, topics.MaxAround)
	}
	return nil
}

const (
	// filmMost is how long after the raise a film ends, if the alert stays open.
	filmMost = time.Minute
	// leadMost is how long before the raise the onset may be that a film begins with.
	leadMost = time.Minute
	// slack is for what is on its way: packets that come late, and records of alerts.
	slack = 30 * time.Second
	// streamsApart is by how much two streams of a camera may be apart in what they show
	// when they come: each has an encoder of its own.
	streamsApart = 2 * time.Second
	// filmsAtOnce bounds the films of a worker that are made at the same time.
	filmsAtOnce = 2
	// filmsMost bounds the alerts that are open or whose films are to come.
	filmsMost = 2000
	// filmsCamera bounds those of one camera, whose films show much the same.
	filmsCamera = 32
	// settle is how long after its end a film is made.
	settle = time.Second
	// askFor is how long the bucket may take to say whether it has a film.
	askFor = 30 * time.Second
	// putFor is how long storing a film is tried.
	putFor = 15 * time.Minute
	// waitingMost is how many films may wait for the bucket.
	waitingMost = 32
	// lastFilms is how long films may take after the worker's cameras have ended.
	lastFilms = 1500 * time.Millisecond
)

// filming makes the films of a worker's cameras.
type filming struct {
	Films
	*Stage
	store *ring.Store

	mu      sync.Mutex
	reels   map[string]*reel  // of the cameras that run now
	open    map[string]string // ids of the alerts that are open, by key
	scenes  map[string]*scene // by alert, those that are open and those whose films are to come
	running int               // films that are being made
	made    int
	tasks   sync.WaitGroup
	waiting atomic.Int32 // films that are being stored
}

// scene is an alert that is filmed.
type scene struct {
	alert    topics.Alert
	reel     *reel
	ended    time.Time // zero: it is open
	begun    bool      // its film is being made, or was
	finished bool
}

// runFilms makes films until stop is called, which is after the cameras have ended.
func (s *Stage) runFilms(ctx context.Context) (stop func() error, err error) {
	if s.Films == nil {
		return func() error { return nil }, nil
	}
	if s.films, err = s.startFilms(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { s.films.run(ctx) })
	return func() error {
		cancel()
		running.Wait()
		return s.films.store.Close()
	}, nil
}

// startFilms opens the folder for packets.
func (s *Stage) startFilms() (*filming, error) {
	o := s.Films
	store, err := ring.Open(ring.Options{
		Dir: o.Dir, Camera: o.Camera, Total: o.Total, Spare: o.Spare, Logger: s.Logger,
		Report: func(err error) {
			if err != nil {
				err = fmt.Errorf("no films of alerts can be made: %w", err)
			}
			s.Reporter.Warning("packets", err)
		},
	})
	if err != nil {
		return nil, err
	}
	return &filming{Films: *o, Stage: s, store: store, reels: map[string]*reel{}, open: map[string]string{}, scenes: map[string]*scene{}}, nil
}

// run makes films until ctx ends.
func (f *filming) run(ctx context.Context) {
	var following sync.WaitGroup
	following.Go(func() {
		f.Open.Keep(ctx, f.take, func(err error) {
			if err != nil {
				err = fmt.Errorf("no films of new alerts are made: %w", err)
			}
			f.Reporter.Warning("films", err)
		})
	})
	tick := time.NewTicker(settle / 4)
	defer tick.Stop()
	// A film in the making may outlive ctx.
	making, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			f.makeDue(making)
		}
	}
	following.Wait()
	f.finish(making, stop)
}

// finish makes the films of the alerts that were under way, as far as there is time.
func (f *filming) finish(ctx context.Context, stop func()) {
	late := time.AfterFunc(lastFilms, stop)
	defer late.Stop()
	for {
		f.makeDue(ctx)
		if f.left() == 0 || !pause.For(ctx, 20*time.Millisecond) {
			break
		}
	}
	stop()
	f.tasks.Wait()
}

// left is how many films are to come.
func (f *filming) left() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.scenes {
		if !s.finished {
			n++
		}
	}
	return n
}

// take takes a record of the table of open alerts; an empty one ends the alert of its key.
func (f *filming) take(m bus.Message) error {
	key := string(m.Key)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(m.Value) == 0 {
		f.end(key)
		return nil
	}
	a, err := topics.DecodeOpenAlert(m.Key, m.Value)
	if err == nil && a.At.After(f.Now().Add(slack)) {
		err = errors.New("it is of the future")
	}
	if err != nil || f.open[key] == a.ID {
		return err
	}
	f.end(key)
	t := f.reels[a.Camera]
	if t == nil || f.scenes[a.ID] != nil {
		return nil // another worker's, or of a camera whose packets are not kept
	}
	if len(f.scenes) >= filmsMost {
		return fmt.Errorf("no film of it: %d alerts are followed already", filmsMost)
	}
	if t.users >= filmsCamera {
		return fmt.Errorf("no film of it: %d alerts of its camera are followed already", filmsCamera)
	}
	f.open[key] = a.ID
	f.scenes[a.ID] = &scene{alert: a, reel: t}
	t.users++
	return nil
}

// end ends the open alert of a key. It needs the lock.
func (f *filming) end(key string) {
	id, some := f.open[key]
	if !some {
		return
	}
	delete(f.open, key)
	if s := f.scenes[id]; s.finished {
		delete(f.scenes, id)
	} else {
		s.ended = f.Now()
	}
}

// makeDue begins films whose time has come.
func (f *filming) makeDue(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.scenes {
		if f.running >= filmsAtOnce {
			return
		}
		if s.begun || !s.reel.over && f.Now().Before(s.until().Add(settle)) {
			continue
		}
		s.begun = true
		f.running++
		f.made++
		n := f.made
		f.tasks.Go(func() { f.film(ctx, s, n) })
	}
}

// moment is what the film is about: when the alert was raised, or, where that was late,
// what its stream showed.
func (s *scene) moment() time.Time {
	if s.alert.Measure == measureStream {
		return s.alert.Onset
	}
	return s.alert.At
}

// measureStream is Alert.Measure of alerts about streams.
const measureStream = "stream"

// from is when the film begins, at the latest.
func (s *scene) from() time.Time {
	onset := s.alert.Onset
	if earliest := s.moment().Add(-leadMost); onset.Before(earliest) {
		onset = earliest
	}
	return onset.Add(-s.reel.pre - s.reel.apart)
}

// until is when the film ends, if the alert's end is not later than is known now.
func (s *scene) until() time.Time {
	end := s.moment().Add(filmMost)
	if !s.ended.IsZero() && s.ended.Before(end) {
		end = s.ended
	}
	return end.Add(s.reel.post + s.reel.apart)
}
