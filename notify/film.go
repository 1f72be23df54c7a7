package notify

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// Films is where the films of alerts are; *archive.Bucket is one.
type Films interface {
	HasFilm(ctx context.Context, alert string) (bool, error)
	// Film writes the film of an alert to w.
	Film(ctx context.Context, alert string, w io.Writer) error
}

// ErrNoBucket is of receivers that want films where nothing keeps any.
var ErrNoBucket = errors.New("film: there are none without a bucket: name the archive's in archive.bucket")

const (
	// maxFilm bounds a film that is delivered.
	maxFilm = 24 << 20
	// filmWait is how long after its raise was delivered an alert's film is looked for: it
	// is made a minute after the raise, plus what a camera's `post` says.
	filmWait = 2*topics.MaxAround + time.Minute
	// filmLook is how often, unless Options say.
	filmLook = 3 * time.Second
	// maxAwaited bounds the alerts whose films a receiver waits for.
	maxAwaited = 1000
)

// awaited are the alerts whose films are to be delivered to one receiver.
type awaited struct {
	mu     sync.Mutex
	alerts []awaitedFilm
}

type awaitedFilm struct {
	event Event // that raised it
	until time.Time
}

// filmed notes that the raises among events were delivered.
func (d *delivery) filmed(events []Event) {
	if !d.Film || d.Films == nil {
		return
	}
	d.awaited.mu.Lock()
	defer d.awaited.mu.Unlock()
	for _, e := range events {
		if e.Alert.State == topics.AlertRaised && len(d.awaited.alerts) < maxAwaited {
			e.Filmstrip, e.evidence = nil, nil
			d.awaited.alerts = append(d.awaited.alerts, awaitedFilm{e, time.Now().Add(filmWait)})
		}
	}
}

// films delivers films as they come, and returns what waits until that has ended.
func (d *delivery) films(ctx context.Context) (wait func()) {
	if !d.Film {
		return func() {}
	}
	if d.Films == nil {
		part := d.part() + ", films"
		err := ErrNoBucket
		d.Reporter.Warning(part, err)
		d.Logger.WarnContext(ctx, "no films for a receiver that wants them", "receiver", d.Name, "error", err)
		return func() { d.Reporter.Warning(part, nil) }
	}
	var running sync.WaitGroup
	running.Go(func() { pause.Every(ctx, cmp.Or(d.FilmLook, filmLook), func() { d.lookForFilms(ctx) }) })
	return running.Wait
}

// lookForFilms delivers the films that are there, one after the other, and gives up those
// that have not come.
func (d *delivery) lookForFilms(ctx context.Context) {
	d.awaited.mu.Lock()
	all := d.awaited.alerts
	d.awaited.alerts = nil
	d.awaited.mu.Unlock()
	var left []awaitedFilm
	for _, f := range all {
		has, err := d.hasFilm(ctx, f.event.Alert.ID)
		switch {
		case ctx.Err() != nil:
			return
		case has:
			d.sendFilm(ctx, f.event)
		case time.Now().Before(f.until):
			left = append(left, f)
		case err != nil:
			d.Logger.WarnContext(ctx, "a film is not delivered", "receiver", d.Name, "alert", topics.Clean(f.event.Alert.ID), "error", topics.Clean(err.Error()))
		}
	}
	d.awaited.mu.Lock()
	defer d.awaited.mu.Unlock()
	d.awaited.alerts = append(left, d.awaited.alerts...)
}

// filmTime bounds how long the bucket may take, which may hang.
const filmTime = time.Minute

func (d *delivery) hasFilm(ctx context.Context, alert string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, filmTime)
	defer cancel()
	return d.Films.HasFilm(ctx, alert)
}

func (d *delivery) readFilm(ctx context.Context, alert string, to io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, filmTime)
	defer cancel()
	return d.Films.Film(ctx, alert, to)
}

// errFilmSize is of a film that is too large to be delivered.
var errFilmSize = errors.New("it is larger than 24 MiB")

// sendFilm delivers a film, for as long as the receiver's `keep` says.
func (d *delivery) sendFilm(ctx context.Context, raise Event) {
	e := raise
	e.Key, e.Text = raise.Alert.ID+"/film", "film: "+raise.Text
	film := &capped{most: maxFilm}
	err := d.readFilm(ctx, raise.Alert.ID, film)
	if err == nil {
		e.Film = film.Bytes()
	} else if errors.Is(err, errFilmSize) {
		err = nil // who gets the event can have it from the bucket
	}
	refused := 0
	for tries := 1; err == nil; tries++ {
		sent := d.sendOnce(ctx, Notification{Receiver: d.Name, Events: []Event{e}})
		if sent == nil {
			d.metrics.sent.Add(ctx, 1, d.by)
			return
		}
		if ctx.Err() != nil {
			return
		}
		d.metrics.failed.Add(ctx, 1, d.by)
		if errors.Is(sent, ErrRefused) {
			refused++
		}
		if refused >= maxRefused || d.Bus.Age(raise.from) > time.Duration(d.Keep) {
			err = sent
		} else if !pause.For(ctx, pause.Backoff(firstWait, d.longest, tries)) {
			return
		}
	}
	if ctx.Err() == nil {
		d.Logger.WarnContext(ctx, "a film is not delivered", "receiver", d.Name, "alert", topics.Clean(e.Alert.ID), "error", topics.Clean(err.Error()))
	}
}

func (d *delivery) sendOnce(ctx context.Context, n Notification) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	if err := d.Send(ctx, n); err != nil {
		return fmt.Errorf("deliver to %s: %w", d.Name, err)
	}
	return nil
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
