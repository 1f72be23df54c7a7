package console

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/archive/alertlog"
)

// ruleDays counts the alerts of rules by days. What it keeps of a day is a few bytes for
// each alert, and is read anew as the days of the calendar are.
type ruleDays struct {
	days *days
	mu   *sync.Mutex
	kept map[time.Time]ruledDay
}

type ruledDay struct {
	read time.Time
	all  []ruledAlert
}

// ruledAlert is an alert by the hashes of its id and its rule.
type ruledAlert struct{ id, rule uint64 }

// shownDays are the cells of a rule's strip, the last of them today; weekDays those that
// are counted by what people said.
const (
	shownDays = 28
	weekDays  = 7
	// countTime is after how long no other day is read for one answer.
	countTime = 5 * time.Second
)

func newRuleDays(d *days) ruleDays {
	return ruleDays{days: d, mu: &sync.Mutex{}, kept: map[time.Time]ruledDay{}}
}

// Counted is what became of a rule's alerts.
type Counted struct {
	Days     []int `json:"days" doc:"alerts by days (UTC), the last is today"`
	Week     int   `json:"week" doc:"of the last seven days"`
	True     int   `json:"true"`
	False    int   `json:"false"`
	Unmarked int   `json:"unmarked"`
}

// of are a day's alerts.
func (r ruleDays) of(ctx context.Context, begin time.Time) ([]ruledAlert, error) {
	r.mu.Lock()
	one, known := r.kept[begin]
	r.mu.Unlock()
	if known && !stale(begin, one.read) {
		return one.all, nil
	}
	read, err := r.days.of(ctx, begin)
	if err != nil {
		return nil, err
	}
	one = ruledDay{read: read.read, all: make([]ruledAlert, len(read.views))}
	for i, v := range read.views {
		one.all[i] = r.hashed(v)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept[begin] = one
	for day := range r.kept {
		if time.Since(day) > (shownDays+2)*24*time.Hour {
			delete(r.kept, day)
		}
	}
	return one.all, nil
}

func (r ruleDays) hashed(v alertlog.View) ruledAlert {
	return ruledAlert{r.days.hash(v.ID), maphash.String(r.days.seed, v.Rule)}
}

// countRules counts the alerts of rules; whole is whether it was all.
func (c *Console) countRules(ctx context.Context, names []string, now time.Time) (out map[string]*Counted, whole bool, err error) {
	out = make(map[string]*Counted, len(names))
	by := make(map[uint64]*Counted, len(names))
	for _, name := range names {
		one := &Counted{Days: make([]int, shownDays)}
		out[name], by[maphash.String(c.days.seed, name)] = one, one
	}
	today := dayOf(now)
	c.queue.mu.Lock()
	since := c.queue.since
	said := make(map[uint64]bool, len(c.queue.marks.of))
	for id, m := range c.queue.marks.of {
		if !m.gone {
			said[c.days.hash(id)] = m.T.True
		}
	}
	count := func(a ruledAlert, back int) {
		one := by[a.rule]
		if one == nil || back < 0 || back >= shownDays {
			return
		}
		if one.Days[shownDays-1-back]++; back >= weekDays {
			return
		}
		one.Week++
		switch is, marked := said[a.id]; {
		case !marked:
			one.Unmarked++
		case is:
			one.True++
		default:
			one.False++
		}
	}
	for _, q := range c.queue.order {
		if !q.At.Before(since) {
			count(c.rules.counts.hashed(q.View), int(today.Sub(dayOf(q.At))/day))
		}
	}
	c.queue.mu.Unlock()
	begun := time.Now()
	for back := range shownDays {
		begin := today.Add(-time.Duration(back) * day)
		if !begin.Before(since) {
			continue // the queue has all of it
		}
		if time.Since(begun) > countTime {
			return out, false, nil
		}
		all, err := c.rules.counts.before(ctx, begin, since)
		if err != nil {
			return out, false, err
		}
		for _, a := range all {
			count(a, back)
		}
	}
	return out, true, nil
}

// before are the alerts of a day that were raised before a time.
func (r ruleDays) before(ctx context.Context, begin, until time.Time) ([]ruledAlert, error) {
	if !begin.Add(day).After(until) {
		return r.of(ctx, begin)
	}
	one, err := r.days.of(ctx, begin)
	if err != nil {
		return nil, err
	}
	var out []ruledAlert
	for _, v := range one.views {
		if v.At.Before(until) {
			out = append(out, r.hashed(v))
		}
	}
	return out, nil
}
