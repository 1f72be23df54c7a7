package notify

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Which films a receiver is still to get is on the table of what is withheld, in records of
// their own: a film is ready long after its alert's offset is committed, so that nothing else
// would say after a restart which have been delivered.

const (
	// filmWait is for how long an alert's film is looked for, after its raise was delivered or
	// the stage has started: it is made a minute after the raise, plus what a camera's `post`
	// says.
	filmWait = 2*topics.MaxAround + time.Minute
	// maxAwaited bounds the alerts of a partition whose films a receiver waits for.
	maxAwaited = 1000
	// filmSuffix ends the key of a film's event, and the receiver of its record on the table.
	filmSuffix = "/film"
)

// awaited are the films that are to be delivered to a receiver, of one partition.
type awaited struct {
	mu    sync.Mutex
	films []awaitedFilm
}

type awaitedFilm struct {
	owed  topics.WithheldAlert
	until time.Time
}

// add is whether there is room.
func (a *awaited) add(owed topics.WithheldAlert) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.films) >= maxAwaited || slices.ContainsFunc(a.films, func(f awaitedFilm) bool { return f.owed.Alert == owed.Alert }) {
		return false
	}
	a.films = append(a.films, awaitedFilm{owed, time.Now().Add(filmWait)})
	return true
}

func (a *awaited) remove(alert string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.films = slices.DeleteFunc(a.films, func(f awaitedFilm) bool { return f.owed.Alert == alert })
}

func (a *awaited) all() []awaitedFilm {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.films)
}

// awaitsFilms is whether the receiver gets an event of each film.
func (d *delivery) awaitsFilms() bool {
	return d.Film && d.Films != nil && d.Alertmanager == nil // which shows where it is
}

// filmed notes that the raises among events were delivered, whose films are to follow.
func (w *worker) filmed(ctx context.Context, events []Event) error {
	if !w.awaitsFilms() {
		return nil
	}
	for _, e := range events {
		if e.Alert.State != topics.AlertRaised {
			continue
		}
		owed := topics.WithheldAlert{
			Receiver: w.filmGroup(), Alert: e.Alert.ID, Key: e.Alert.Key(), Rule: e.Alert.Rule, Camera: e.Alert.Camera, Tags: e.Alert.Tags,
			At: e.from.Time, Offsets: map[topics.AlertState]int64{topics.AlertRaised: e.from.Offset},
		}
		if !w.films.add(owed) {
			continue
		}
		if err := w.note(ctx, owed); err != nil {
			return err
		}
	}
	return nil
}

// filmGroup stands for the receiver in the records of films. No receiver is called so.
func (d *delivery) filmGroup() string { return GroupOf(d.Stage.Group, d.Name) + filmSuffix }

// owedFilm takes a record that the worker before has left, or removes it where nothing is to
// come of it. kept is whether the receiver has had its group since.
func (w *worker) owedFilm(ctx context.Context, owed topics.WithheldAlert, kept bool, age time.Duration) error {
	if kept && w.Film && w.Films == nil { // until there is a bucket again
		return nil
	}
	if kept && age <= time.Duration(w.Keep) && w.awaitsFilms() && w.films.add(owed) {
		return nil
	}
	return w.erase(ctx, owed)
}

// filmsTo is how large a film may be that the receiver gets; 0: it gets where it is.
func filmsTo(r *receiver) int {
	if r.Webhook != nil || r.Command != nil {
		return maxFilm
	}
	if p, is := r.Sender.(*people); is {
		return p.takes
	}
	return 0
}
