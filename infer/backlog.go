package infer

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// behindAfter and levelBelow are how late clips are when the stage begins and
	// ends to call itself behind.
	behindAfter = 10 * time.Second
	levelBelow  = 5 * time.Second
	// lookEvery is how often that is judged, repeatEvery how often it is logged
	// again while it lasts.
	lookEvery   = time.Second
	repeatEvery = time.Minute
)

// backlog is how the partitions of the stage stand.
type backlog struct {
	log    *slog.Logger
	report func(error) // nil: not behind
	maxAge time.Duration
	now    func() time.Time

	mu    sync.Mutex
	feeds map[*feed]bool
	gone  int64 // clips skipped by feeds that are no more

	// Of watch alone.
	since   time.Time // of being behind; zero: it is not
	logged  time.Time
	skipped int64 // in all, at the latest look
	before  int64 // skipped, when it fell behind
}

func (b *backlog) add(p partition) *feed {
	f := newFeed(p, b.now)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.feeds[f] = true
	return f
}

func (b *backlog) remove(f *feed) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.feeds, f)
	b.gone += f.look().skipped
}

// look is how each partition stands, in their order, and how many clips were
// skipped in all.
func (b *backlog) look() (each []standing, skipped int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	skipped = b.gone
	for f := range b.feeds {
		s := f.look()
		each = append(each, s)
		skipped += s.skipped
	}
	slices.SortFunc(each, func(a, b standing) int { return a.partition - b.partition })
	return each, skipped
}

// check is why the worker can't be called ready.
func (b *backlog) check() error {
	each, _ := b.look()
	each = slices.DeleteFunc(each, func(s standing) bool { return !s.stuck() })
	if len(each) == 0 {
		return nil
	}
	return slices.MaxFunc(each, func(a, b standing) int { return cmp.Compare(a.late, b.late) }).problem(len(each))
}

// describe fills in what the stage holds.
func (b *backlog) describe(w *topics.WorkerStage) {
	each, _ := b.look()
	for _, s := range each {
		w.Partitions = append(w.Partitions, s.partition)
		w.Generation = max(w.Generation, s.generation)
		w.Lag += s.waiting
		w.Late = max(w.Late, s.late.Seconds())
	}
}

// watch says in the log and to the reporter when the stage falls behind, while it
// is, and when it keeps up again.
func (b *backlog) watch(ctx context.Context) {
	pause.Every(ctx, lookEvery, func() { b.judge(ctx) })
}

func (b *backlog) judge(ctx context.Context) {
	each, skipped := b.look()
	var worst standing
	for _, s := range each {
		if s.late >= worst.late {
			worst = s
		}
	}
	fresh := skipped - b.skipped
	b.skipped = skipped
	behind := fresh > 0 || worst.late > behindAfter || !b.since.IsZero() && worst.late > levelBelow
	now := b.now()
	switch {
	case behind && b.since.IsZero():
		b.since, b.logged, b.before = now, time.Time{}, skipped-fresh
	case !behind && !b.since.IsZero():
		b.log.InfoContext(ctx, "keeping up with the cameras again", "behind_for", now.Sub(b.since).Round(time.Second), "skipped", skipped-b.before)
		b.since = time.Time{}
		b.report(nil)
		return
	}
	if !behind {
		return
	}
	if n := skipped - b.before; n > 0 && n == fresh || now.Sub(b.logged) >= repeatEvery {
		b.logged = now
		b.warn(ctx, worst, n)
	}
}

// warn is not for each look: a report that differs goes to the workers topic.
func (b *backlog) warn(ctx context.Context, worst standing, skipped int64) {
	late := worst.late.Round(time.Second / 10)
	b.report(fmt.Errorf("clips of partition %d wait for %v, %d were skipped as older than infer.max_age (%v) since %s; %s",
		worst.partition, late, skipped, b.maxAge, b.since.UTC().Format(time.RFC3339), remedy))
	b.log.WarnContext(ctx, "falling behind the cameras", "partition", worst.partition, "late", late,
		"waiting", worst.waiting, "skipped", skipped, "max_age", b.maxAge, "remedy", remedy)
}
