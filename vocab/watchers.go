package vocab

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// maxWatchers bounds the vocabularies that are followed at the same time: whoever
	// can write the topic of clips can name any number.
	maxWatchers = 64
	// unusedAfter is how long a vocabulary is followed after it was last asked for.
	unusedAfter = 10 * time.Minute
)

// Watchers follows several vocabularies: the default one all the time, further ones
// while somebody asks for them. A fault of a further one is a warning, since only its
// cameras are affected. Any number of goroutines may call all methods but Run.
type Watchers struct {
	WatcherOptions // Name is that of the default one
	first          *Watcher

	mu      sync.Mutex
	open    map[string]*followed // by name
	changed chan struct{}        // closed when a vocabulary is opened, closed or edited
	opened  chan struct{}        // holds one token when Run has to start a Watcher

	every, unused time.Duration // how often is looked for those that are out of use, and when one is
}

// followed is a Watcher with what Run has to know about it.
type followed struct {
	*Watcher
	used time.Time
	stop func() // nil until it is started; waits for its end
}

// NewWatchers checks the options; nothing is read before Run.
func NewWatchers(o WatcherOptions) (*Watchers, error) {
	first, err := NewWatcher(o)
	if err != nil {
		return nil, err
	}
	w := &Watchers{
		WatcherOptions: first.WatcherOptions, first: first, open: map[string]*followed{}, changed: make(chan struct{}), opened: make(chan struct{}, 1),
		every: time.Minute, unused: unusedAfter,
	}
	first.edited = w.notify
	w.open[o.Name] = &followed{Watcher: first}
	return w, nil
}

// Default is the Watcher of the default vocabulary.
func (w *Watchers) Default() *Watcher { return w.first }

// Of returns the Watcher of a vocabulary, and follows it from now on if it is not
// followed yet; an empty name means the default one. Whoever needs it goes on asking:
// ten minutes after the last time it is no longer followed.
func (w *Watchers) Of(name string) (*Watcher, error) {
	if name == "" {
		name = w.Name
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.open[name]
	switch {
	case f != nil:
	case len(w.open) >= maxWatchers:
		return nil, fmt.Errorf("vocabulary %s: %d others are in use: want at most %d in all", name, len(w.open), maxWatchers)
	default:
		o := w.WatcherOptions
		o.Name = name
		one, err := NewWatcher(o)
		if err != nil {
			return nil, err
		}
		one.further, one.edited = true, w.notify
		f = &followed{Watcher: one}
		w.open[name] = f
		select {
		case w.opened <- struct{}{}:
		default:
		}
		w.announce()
	}
	f.used = time.Now()
	return f.Watcher, nil
}

// All are the Watchers, the default one first, the others by name.
func (w *Watchers) All() []*Watcher {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := []*Watcher{w.first}
	for _, name := range slices.Sorted(maps.Keys(w.open)) {
		if name != w.Name {
			out = append(out, w.open[name].Watcher)
		}
	}
	return out
}

// Changed is closed when a vocabulary is opened, is no longer followed, or is edited.
// Get it before looking at them.
func (w *Watchers) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

func (w *Watchers) notify() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.announce()
}

// announce is called under mu.
func (w *Watchers) announce() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// Run follows the vocabularies until ctx ends. It always returns nil.
func (w *Watchers) Run(ctx context.Context) error {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	var running sync.WaitGroup
	defer running.Wait()
	for {
		for _, f := range w.unstarted() {
			own, cancel := context.WithCancel(ctx)
			ended := make(chan struct{})
			f.stop = func() { cancel(); <-ended }
			running.Go(func() {
				defer close(ended)
				defer cancel()
				_ = f.Run(own) // always nil
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-w.opened:
		case <-tick.C:
			for _, f := range w.outOfUse() {
				f.stop()
				f.forget()
			}
		}
	}
}

func (w *Watchers) unstarted() (out []*followed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.open {
		if f.stop == nil {
			out = append(out, f)
		}
	}
	return out
}

// outOfUse takes out the vocabularies that nobody has asked for lately.
func (w *Watchers) outOfUse() (out []*followed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, f := range w.open {
		if f.further && f.stop != nil && time.Since(f.used) >= w.unused {
			delete(w.open, name)
			out = append(out, f)
		}
	}
	if len(out) > 0 {
		w.announce()
	}
	return out
}

// Current is the newest content of a vocabulary that could be used, nil where it is not
// known; an empty name means the default one. It is followed from now on (Of).
func (w *Watchers) Current(name string) *Vocabulary {
	one, err := w.Of(name)
	if err != nil {
		return nil
	}
	v, _ := one.Current()
	return v
}
