package infer

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// partition is what a feed asks of a bus.Partition. Neither call blocks.
type partition interface {
	ID() int
	Generation() int
	Lag() int64
}

// feed is how one partition is fed with clips, and how far recognising them has
// come. Times are of this machine's clock; those of records are put on it by their
// age.
type feed struct {
	p   partition
	now func() time.Time

	mu sync.Mutex
	// until is up to when all clips that were sent are dealt with.
	until  time.Time
	open   int              // clips read and not dealt with
	gaps   [9]time.Duration // between records, the latest ones
	gapped int              // how many there have been
	last   time.Time        // of the latest record
	passed int64            // clips skipped as too old, in all
}

func newFeed(p partition, now func() time.Time) *feed { return &feed{p: p, now: now, until: now()} }

// read takes in that a record was read, of a time and an age.
func (f *feed) read(at time.Time, age time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == 0 {
		// Everything before it is dealt with.
		f.dealtWith(age)
	}
	f.open++
	if !f.last.IsZero() {
		f.gaps[f.gapped%len(f.gaps)] = max(at.Sub(f.last), 0)
		f.gapped++
	}
	f.last = at
}

// dealtWith moves until on to what was sent age ago.
func (f *feed) dealtWith(age time.Duration) {
	if sent := f.now().Add(-age); sent.After(f.until) {
		f.until = sent
	}
}

// settled takes in that a clip of an age, and all before it, were published.
func (f *feed) settled(age time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dealtWith(age)
}

// left takes in that a clip is no longer the stage's.
func (f *feed) left() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open--
}

// skipped counts clips that were passed over as too old.
func (f *feed) skipped(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.passed += n
}

// standing is how a feed stands at one moment.
type standing struct {
	partition, generation int
	waiting               int64         // clips that are not dealt with
	late                  time.Duration // for which at least one has been waiting; 0: none
	interval              time.Duration // at which clips come; 0: not known
	skipped               int64         // in all
}

func (f *feed) look() standing {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := standing{
		partition: f.p.ID(), generation: f.p.Generation(), waiting: f.p.Lag() + int64(f.open), interval: f.interval(), skipped: f.passed,
	}
	now := f.now()
	if s.waiting == 0 {
		f.until = now
	}
	s.late = now.Sub(f.until)
	return s
}

// interval is the median of the latest gaps: a pause, or several cameras at once,
// is no interval.
func (f *feed) interval() time.Duration {
	n := min(f.gapped, len(f.gaps))
	if n == 0 {
		return 0
	}
	gaps := slices.Sorted(slices.Values(f.gaps[:n]))
	return gaps[n/2]
}

const (
	// patience is for how long a partition's clips may wait before the worker is
	// not ready, or for intervals of its clips where that is longer.
	patience  = 15 * time.Second
	intervals = 3
)

// problem is why a worker can't be called ready, if clips have waited for long.
func (s standing) problem() error {
	if most := max(patience, intervals*s.interval); s.waiting == 0 || s.late <= most {
		return nil
	}
	return fmt.Errorf("partition %d: %d clips wait, and nothing sent in the last %v is recognised (a clip comes each %v): %s",
		s.partition, s.waiting, s.late.Round(time.Second/10), s.interval.Round(time.Millisecond), remedy)
}

// remedy is what helps a worker that can't keep up.
const remedy = "if this lasts, the model is too slow for so many cameras: add an infer worker, import the model in int8, raise framer.stride, or watch fewer cameras"
