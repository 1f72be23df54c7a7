package console

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// stripWeeks are the cells of a rule's strip, the last of them the last seven days.
	stripWeeks = 52
	stripDays  = 7 * stripWeeks
	// maxDayRules bounds the rules that are counted on a day, and maxPassIDs the alerts of a
	// pass that are told apart: anybody may write alerts.
	maxDayRules = 1000
	maxPassIDs  = 200_000
)

// ruleYear counts the alerts of the days before the last seven by rule. Such a day does not
// change any more, so it is read once: the newest come first, some days at a time, and one
// pass at a time for all who look. Safe for concurrent use.
type ruleYear struct {
	each func(context.Context, archive.Range, func(topics.Alert)) error
	seed maphash.Seed
	passes
	mu   sync.Mutex
	kept map[time.Time]map[uint64]int // by the hash of the rule, by the begin of the day
}

func newRuleYear(seed maphash.Seed, each func(context.Context, archive.Range, func(topics.Alert)) error) *ruleYear {
	return &ruleYear{each: each, seed: seed, passes: newPasses(), kept: map[time.Time]map[uint64]int{}}
}

func (y *ruleYear) known(begin time.Time) bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.kept[begin] != nil
}

// fill reads days back to the oldest that have not been read yet, for countTime; from is from
// when on all are.
func (y *ruleYear) fill(ctx context.Context, today, oldest time.Time) (from time.Time, err error) {
	begun := time.Now()
	from = today.Add(-(weekDays - 1) * day)
	for from.After(oldest) {
		next := from.Add(-day)
		if y.known(next) {
			from = next
			continue
		}
		if time.Since(begun) > countTime {
			return from, nil
		}
		if err := y.pass(ctx, next, oldest); err != nil {
			return from, err
		}
	}
	return from, nil
}

// pass reads the day that begins at a time, and some before it.
func (y *ruleYear) pass(ctx context.Context, begin, oldest time.Time) error {
	known := func() bool { return y.known(begin) }
	return y.passes.pass(ctx, begin, oldest, known, func(ctx context.Context, first time.Time) error {
		counts := newPassCounts(y.seed, first, begin)
		err := y.each(ctx, archive.Range{Since: first, Until: begin.Add(day)}, counts.take)
		if err == nil {
			y.keep(counts.by, oldest)
		}
		return err
	})
}

func (y *ruleYear) keep(by map[time.Time]map[uint64]int, oldest time.Time) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for begin, rules := range by {
		y.kept[begin] = rules
	}
	for begin := range y.kept {
		if begin.Before(oldest) {
			delete(y.kept, begin)
		}
	}
}

// of is how many alerts of each rule were raised on a day, by the hash of its name. It does
// not change.
func (y *ruleYear) of(begin time.Time) map[uint64]int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.kept[begin]
}

// passCounts are the counts of a pass.
type passCounts struct {
	seed maphash.Seed
	by   map[time.Time]map[uint64]int
	ids  map[uint64]struct{}
}

func newPassCounts(seed maphash.Seed, first, last time.Time) *passCounts {
	c := &passCounts{seed: seed, by: map[time.Time]map[uint64]int{}, ids: map[uint64]struct{}{}}
	for begin := first; !begin.After(last); begin = begin.Add(day) {
		c.by[begin] = map[uint64]int{}
	}
	return c
}

// take counts a raise, once where work was repeated.
func (c *passCounts) take(a topics.Alert) {
	rules := c.by[dayOf(a.At)]
	if rules == nil || a.State != topics.AlertRaised {
		return
	}
	id := maphash.String(c.seed, a.ID)
	if _, twice := c.ids[id]; twice {
		return
	}
	if len(c.ids) < maxPassIDs {
		c.ids[id] = struct{}{}
	}
	rule := maphash.String(c.seed, a.Rule)
	if _, known := rules[rule]; known || len(rules) < maxDayRules {
		rules[rule]++
	}
}
