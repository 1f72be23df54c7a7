package infer

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// partition is what a feed needs of a bus.Partition. No call blocks.
type partition interface {
	ID() int
	Generation() int
	Lag() int64
}

// feed tracks one partition: how often clips come, and up to which time they have
// been dealt with. Times are of this machine's clock; a record's time on it is now
// minus the record's age.
type feed struct {
	p   partition
	now func() time.Time

	mu sync.Mutex
	// until: all clips that were sent before it are dealt with, that is published,
	// skipped or in the dead letters.
	until  time.Time
	open   int              // clips that were read but are not dealt with
	gaps   [9]time.Duration // the latest times between two records; a ring
	gapped int              // how many gaps there have been
	last   time.Time        // time of the latest record
	passed int64            // clips skipped as too old, in all
}

func newFeed(p partition, now func() time.Time) *feed { return &feed{p: p, now: now, until: now()} }

// read notes that a record with this time and age was read.
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

// dealtWith moves until forward to age ago.
func (f *feed) dealtWith(age time.Duration) {
	if sent := f.now().Add(-age); sent.After(f.until) {
		f.until = sent
	}
}

// settled notes that a clip of this age and all clips before it are dealt with.
func (f *feed) settled(age time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dealtWith(age)
}

// left notes that the stage no longer holds a clip.
func (f *feed) left() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open--
}

// skipped counts clips that were skipped as too old.
func (f *feed) skipped(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.passed += n
}

// standing is the state of a feed at one moment.
type standing struct {
	partition, generation int
	waiting               int64         // clips that are not dealt with
	late                  time.Duration // how long the oldest of them has been waiting; 0: none waits
	interval              time.Duration // between two clips; 0: not known
	skipped               int64         // in all
}

// look returns the current state.
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

// interval is the median of the latest gaps, which a single pause, or clips of
// several cameras that come at once, do not distort.
func (f *feed) interval() time.Duration {
	n := min(f.gapped, len(f.gaps))
	if n == 0 {
		return 0
	}
	gaps := slices.Sorted(slices.Values(f.gaps[:n]))
	return gaps[n/2]
}

const (
	// patience is how long clips of a partition may wait before the worker is not
	// ready; it is longer if three intervals between clips are.
	patience  = 15 * time.Second
	intervals = 3
)

// stuck is whether its clips wait too long for the worker to be ready.
func (s standing) stuck() bool {
	return s.waiting > 0 && s.late > max(patience, intervals*s.interval)
}

// problem is why the worker is not ready, for the worst of the partitions that are stuck:
// what to do is the same for all.
func (s standing) problem(partitions int) error {
	return fmt.Errorf("partition %d: nothing sent in the last %v is recognised (a clip comes every %v, clips waiting: %d, partitions like it: %d): %s",
		s.partition, s.late.Round(time.Second/10), s.interval.Round(time.Millisecond), s.waiting, partitions-1, remedy)
}

// remedy is what to do about a worker that can't keep up.
const remedy = "if this lasts, the model is too slow for so many cameras: add an infer worker, import the model in int8, raise framer.stride, or watch fewer cameras"
