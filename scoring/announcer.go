package scoring

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/vocab"
)

// announcer tells those who edit the vocabulary, by way of Redis, what is in force
// and what is being embedded. Announcements expire, so they are repeated from a
// goroutine of their own, however long anything else takes.
type announcer struct {
	store    *vocab.Store
	name     string // of the vocabulary
	part     string // in reports
	logger   *slog.Logger
	reporter telemetry.Reporter
	every    time.Duration // vocab.AnnounceEvery, unless a test wants it shorter

	newest atomic.Pointer[vocab.InForce] // nil until there is something to announce
	due    chan struct{}                 // holds one token when newest should not wait for its turn

	// Used by the caller of inForce and pending only.
	state   vocab.InForce
	hurried time.Time // when pending last put a token into due
}

// progressEvery is how often the progress of embedding is announced.
const progressEvery = 2 * time.Second

// newAnnouncer makes the announcer of a vocabulary; of is added to the name of the
// part in reports.
func newAnnouncer(o LiveOptions, name, of string) *announcer {
	state := vocab.InForce{Model: o.Embeddings.Embedder.ID(), Dim: o.Embeddings.Embedder.Dim()}
	if says, ok := o.Embeddings.Embedder.(interface{ Reads() vocab.Reads }); ok {
		reads := says.Reads()
		state.Reads = &reads
	}
	return &announcer{
		store: vocab.NewStore(o.Embeddings.Client, o.Embeddings.Prefix), name: name, part: "announcements" + of, logger: o.Logger, reporter: o.Reporter,
		every: vocab.AnnounceEvery, due: make(chan struct{}, 1), state: state,
	}
}

// inForce announces at once that clips are scored against v.
func (a *announcer) inForce(v vocab.Vocabulary) {
	model := a.state
	a.state = vocab.NewInForce(model.Model, v)
	a.state.Dim, a.state.Reads = model.Dim, model.Reads
	a.set()
	a.hurry()
}

// pending announces that a newer version is being embedded; nil ends that.
func (a *announcer) pending(p *vocab.Pending) {
	a.state.Pending = p
	a.set()
	if time.Since(a.hurried) >= progressEvery {
		a.hurried = time.Now()
		a.hurry()
	}
}

func (a *announcer) set() {
	now := a.state
	a.newest.Store(&now)
}

func (a *announcer) hurry() {
	select {
	case a.due <- struct{}{}:
	default:
	}
}

// run announces until ctx ends. That it fails is a warning, as where Redis is full, and
// is logged when it begins and when it ends: clips are scored all the same.
func (a *announcer) run(ctx context.Context) {
	tick := time.NewTicker(a.every)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-a.due:
		}
		now := a.newest.Load()
		if now == nil {
			continue
		}
		err := a.store.Announce(ctx, a.name, *now)
		if err != nil {
			err = fmt.Errorf("what is in force can't be written to Redis, so `frostwatch vocab` shows an older state or none: %w", err)
		}
		if ctx.Err() != nil {
			return
		}
		a.reporter.Warning(a.part, err)
		switch {
		case err != nil && !failing:
			a.logger.WarnContext(ctx, "vocabulary: announcements fail", "vocabulary", a.name, "error", err)
		case err == nil && failing:
			a.logger.InfoContext(ctx, "vocabulary: announcements succeed again", "vocabulary", a.name)
		}
		failing = err != nil
	}
}
