package console

import (
	"context"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// maxCounted bounds the days whose counts are kept.
const maxCounted = 200

// countedDays are what calendars need of days that are over. They are read some days at a
// time, since a month of single ones would cost thirty visits of Kafka and the archive.
// Safe for concurrent use.
type countedDays struct {
	each func(context.Context, archive.Range, func(topics.Alert)) error
	days *days
	passes
	mu   sync.Mutex
	kept map[time.Time]counted // by the begin of the day, UTC
}

// counted are the alerts that were raised on a day.
type counted struct {
	alerts []raisedAt
	abouts []about // the different ones
	read   time.Time
}

// raisedAt is an alert by the hash of its id.
type raisedAt struct {
	at    uint32 // seconds after the day's begin
	about uint32 // which of abouts
	id    uint64
}

func newCountedDays(d *days, each func(context.Context, archive.Range, func(topics.Alert)) error) *countedDays {
	return &countedDays{each: each, days: d, passes: newPasses(), kept: map[time.Time]counted{}}
}

func (c *countedDays) known(begin time.Time) (counted, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one, known := c.kept[begin]
	return one, known && !stale(begin, one.read)
}

// of are the alerts of the day that begins at a time; those of the days before it that are
// not older than oldest are read with them. known is false if it took too long.
func (c *countedDays) of(ctx context.Context, begin, oldest time.Time) (one counted, known bool, err error) {
	if one, known = c.known(begin); known {
		return one, true, nil
	}
	is := func() bool { _, known := c.known(begin); return known }
	err = c.pass(ctx, begin, c.unread(begin, oldest), is, func(ctx context.Context, first time.Time) error {
		p := newCountPass(c.days, first, begin)
		err := c.each(ctx, archive.Range{Since: first, Until: begin.Add(day)}, p.take)
		if err == nil {
			c.keep(p.counted())
		}
		return err
	})
	one, known = c.known(begin)
	return one, known, err
}

// unread is the first of the days up to one that all have to be read, no older than oldest.
func (c *countedDays) unread(last, oldest time.Time) time.Time {
	for first := last; first.After(oldest); first = first.Add(-day) {
		if _, known := c.known(first.Add(-day)); known {
			return first
		}
	}
	return oldest
}

func (c *countedDays) keep(all map[time.Time]counted) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept)+len(all) > maxCounted {
		clear(c.kept)
	}
	for begin, one := range all {
		c.kept[begin] = one
	}
}

// countPass collects the alerts of some days.
type countPass struct {
	days *days
	by   map[time.Time]*countDay
	read time.Time
}

type countDay struct {
	counted
	different abouts
	ids       map[uint64]struct{}
}

func newCountPass(d *days, first, last time.Time) *countPass {
	p := &countPass{days: d, by: map[time.Time]*countDay{}, read: time.Now()}
	for begin := first; !begin.After(last); begin = begin.Add(day) {
		p.by[begin] = &countDay{ids: map[uint64]struct{}{}}
	}
	return p
}

// take adds a raise, once where work was repeated.
func (p *countPass) take(a topics.Alert) {
	begin := dayOf(a.At)
	one := p.by[begin]
	if one == nil || a.State != topics.AlertRaised || len(one.alerts) == maxDayAlerts {
		return
	}
	id := p.days.hash(a.ID)
	if _, twice := one.ids[id]; twice {
		return
	}
	one.ids[id] = struct{}{}
	one.alerts = append(one.alerts, raisedAt{uint32(a.At.Sub(begin) / time.Second), one.different.number(aboutOf(a)), id})
}

func (p *countPass) counted() map[time.Time]counted {
	out := make(map[time.Time]counted, len(p.by))
	for begin, one := range p.by {
		out[begin] = counted{one.alerts, one.different.all, p.read}
	}
	return out
}
