package console

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/archive/alertlog"
)

const (
	day = 24 * time.Hour
	// maxDayAlerts bounds the alerts of a day that are shown: the newest.
	maxDayAlerts = 25_000
	// daysBytes bounds the alerts of other days that are kept, of those read last.
	daysBytes = 64 << 20
	// dayTime bounds the reading of one.
	dayTime = 30 * time.Second
	// settled is how long after its end a day hardly changes any more; until then it is read
	// again after freshDay, later after oldDay.
	settled  = 2 * day
	freshDay = time.Minute
	oldDay   = 10 * time.Minute
)

// days are the alerts of days that are over, as far as somebody asks for them. One is
// read at a time, for all who wait. Safe for concurrent use.
type days struct {
	read func(context.Context, alertlog.Filter) (*alertlog.List, error)
	seed maphash.Seed
	turn chan struct{}

	mu    sync.Mutex
	kept  map[time.Time]*oneDay // by the begin of the day, UTC
	order []time.Time           // of kept, the least recently used first
	bytes int
}

// oneDay is the alerts that were raised on a day, the newest first.
type oneDay struct {
	views []alertlog.View
	more  bool // there are others
	read  time.Time
	size  int
}

func newDays(read func(context.Context, alertlog.Filter) (*alertlog.List, error)) *days {
	return &days{read: read, seed: maphash.MakeSeed(), turn: make(chan struct{}, 1), kept: map[time.Time]*oneDay{}}
}

// dayOf is the begin of a moment's day.
func dayOf(t time.Time) time.Time { return t.UTC().Truncate(day) }

func stale(begin, read time.Time) bool {
	if read.Sub(begin) < day+settled {
		return time.Since(read) > freshDay
	}
	return time.Since(read) > oldDay
}

// of are the alerts of the day that begins at a time.
func (d *days) of(ctx context.Context, begin time.Time) (*oneDay, error) {
	if one := d.known(begin); one != nil {
		return one, nil
	}
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("read the alerts of %s: %w", begin.Format(time.DateOnly), ctx.Err())
	}
	defer func() { <-d.turn }()
	if one := d.known(begin); one != nil {
		return one, nil
	}
	ctx, cancel := context.WithTimeout(ctx, dayTime)
	defer cancel()
	l, err := d.read(ctx, alertlog.Filter{Since: begin, Until: begin.Add(day), Limit: maxDayAlerts})
	if err != nil {
		return nil, fmt.Errorf("read the alerts of %s: %w", begin.Format(time.DateOnly), err)
	}
	one := &oneDay{more: l.More, read: time.Now()}
	one.views = slices.DeleteFunc(l.Sorted(), func(v alertlog.View) bool { return v.At.Before(begin) || !v.At.Before(begin.Add(day)) })
	slices.SortFunc(one.views, newestFirst)
	for _, v := range one.views {
		one.size += sizeOf(v.Alert)
	}
	d.keep(begin, one)
	return one, nil
}

func (d *days) known(begin time.Time) *oneDay {
	d.mu.Lock()
	defer d.mu.Unlock()
	one := d.kept[begin]
	if one == nil || stale(begin, one.read) {
		return nil
	}
	d.order = append(slices.DeleteFunc(d.order, begin.Equal), begin)
	return one
}

func (d *days) keep(begin time.Time, one *oneDay) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget(begin)
	d.kept[begin], d.order = one, append(d.order, begin)
	d.bytes += one.size
	for d.bytes > daysBytes && len(d.order) > 1 {
		d.forget(d.order[0])
	}
}

// forget needs the lock.
func (d *days) forget(begin time.Time) {
	if one := d.kept[begin]; one != nil {
		delete(d.kept, begin)
		d.order = slices.DeleteFunc(d.order, begin.Equal)
		d.bytes -= one.size
	}
}

func (d *days) hash(id string) uint64 { return maphash.String(d.seed, id) }
