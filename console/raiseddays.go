package console

import (
	"context"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// raisedDays are the alerts of the newest days, a few bytes for each. They are read anew as
// the days of the calendar are. Safe for concurrent use.
type raisedDays struct {
	days *days
	mu   sync.Mutex
	kept map[time.Time]raisedDay
}

type raisedDay struct {
	read   time.Time
	all    []raised
	abouts []about
}

// raised is an alert by hashes of its id, its rule, and its label in its vocabulary.
type raised struct {
	id, rule, label uint64
	about           uint32 // which of the day's abouts
	at              uint32 // seconds after the day's begin
}

const (
	// weekDays are those whose alerts are counted by what people said.
	weekDays = 7
	// countTime is after how long no other day is read for one answer.
	countTime = 5 * time.Second
	// maxRaisedDays bounds the days that are kept.
	maxRaisedDays = 16
)

func newRaisedDays(d *days) *raisedDays {
	return &raisedDays{days: d, kept: map[time.Time]raisedDay{}}
}

// of are a day's alerts.
func (r *raisedDays) of(ctx context.Context, begin time.Time) (raisedDay, error) {
	r.mu.Lock()
	one, known := r.kept[begin]
	r.mu.Unlock()
	if known && !stale(begin, one.read) {
		return one, nil
	}
	read, err := r.days.of(ctx, begin)
	if err != nil {
		return raisedDay{}, err
	}
	one = raisedDay{read: read.read, all: make([]raised, len(read.views))}
	var different abouts
	for i, v := range read.views {
		one.all[i] = r.hashed(v.Alert)
		one.all[i].about, one.all[i].at = different.number(aboutOf(v.Alert)), uint32(v.At.Sub(begin)/time.Second)
	}
	one.abouts = different.all
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept[begin] = one
	for day := range r.kept {
		if len(r.kept) > maxRaisedDays && !day.Equal(begin) {
			delete(r.kept, day)
		}
	}
	return one, nil
}

func (r *raisedDays) hashed(a topics.Alert) raised {
	return raised{id: r.days.hash(a.ID), rule: r.days.hash(a.Rule), label: r.labelHash(a.Vocab.Name, a.Label)}
}

func (r *raisedDays) labelHash(vocabulary, label string) uint64 {
	return maphash.String(r.days.seed, vocabulary+"\x00"+label)
}

// abouts are the different ones of many alerts.
type abouts struct {
	all   []about
	known map[string]uint32
}

// number is which of all an about is.
func (a *abouts) number(of about) uint32 {
	if a.known == nil {
		a.known = map[string]uint32{}
	}
	key := strings.Join(of.cameras, "/") // no name has one
	n, is := a.known[key]
	if !is {
		n = uint32(len(a.all))
		a.known[key], a.all = n, append(a.all, of)
	}
	return n
}

// Judged is how many alerts there were in a week, and what people said of them.
type Judged struct {
	Week     int `json:"week" doc:"of the last seven days (UTC)"`
	True     int `json:"true"`
	False    int `json:"false"`
	Unmarked int `json:"unmarked"`
}

func (j *Judged) add(isTrue, marked bool) {
	j.Week++
	switch {
	case !marked:
		j.Unmarked++
	case isTrue:
		j.True++
	default:
		j.False++
	}
}

// counting takes an alert that was raised some days before today, with what was said of it.
type counting func(a raised, of about, back int, isTrue, marked bool)

// countRaised calls count for the alerts of the newest days, from memory and then from the
// log; whole is whether it was all.
func (c *Console) countRaised(ctx context.Context, newest int, now time.Time, count counting) (whole bool, err error) {
	said, since := c.countQueued(now, count)
	begun, today := time.Now(), dayOf(now)
	for back := range newest {
		begin := today.Add(-time.Duration(back) * day)
		if !begin.Before(since) {
			continue // the queue has all of it
		}
		if time.Since(begun) > countTime {
			return false, nil
		}
		one, err := c.lately.of(ctx, begin)
		if err != nil {
			return false, err
		}
		for _, a := range one.all {
			if begin.Add(time.Duration(a.at) * time.Second).Before(since) {
				isTrue, marked := said[a.id]
				count(a, one.abouts[a.about], back, isTrue, marked)
			}
		}
	}
	return true, nil
}

// countQueued calls count for the alerts that are in memory, all of those since a time, and
// is what people said of alerts.
func (c *Console) countQueued(now time.Time, count counting) (said map[uint64]bool, since time.Time) {
	q, today := c.queue, dayOf(now)
	q.mu.Lock()
	defer q.mu.Unlock()
	said = make(map[uint64]bool, len(q.marks.of))
	for id, m := range q.marks.of {
		if !m.gone {
			said[c.days.hash(id)] = m.T.True
		}
	}
	// To the second, as the days before are kept.
	since = q.since.Add(time.Second - 1).Truncate(time.Second)
	for _, one := range q.order {
		if back := int(today.Sub(dayOf(one.At)) / day); !one.At.Before(since) && back >= 0 {
			a := c.lately.hashed(one.Alert)
			isTrue, marked := said[a.id]
			count(a, one.about, back, isTrue, marked)
		}
	}
	return said, since
}
