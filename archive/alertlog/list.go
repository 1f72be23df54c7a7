package alertlog

import (
	"context"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// Filter is which alerts are listed.
type Filter struct {
	Camera, Rule string // globs; empty: any
	Open         bool
	Since, Until time.Time // of their records; a zero Until: to the newest
	Limit        int       // how many there are at most, beside those that are open
}

// List collects alerts as they are read. Of more than the limit it keeps the newest, and
// those that are open.
type List struct {
	Filter
	More     bool                      // some were dropped
	Marks    map[string]topics.Mark    // what people said of alerts, by id
	Verdicts map[string]topics.Verdict // what second opinions said, by id
	views    Views
	open     map[string]topics.Alert // that are open now, by id
	room     int                     // how many views there may be before the oldest are dropped
}

func newList(f Filter, open map[string]topics.Alert) *List {
	l := &List{Filter: f, views: Views{}, open: open, room: len(open) + 2*f.Limit}
	for _, a := range open {
		l.add(a)
	}
	return l
}

// add merges a record into its alert, if the filter matches it.
func (l *List) add(a topics.Alert) {
	if !OfCamera(l.Camera, a) || !Matches(l.Rule, a.Rule) || !l.Until.IsZero() && !a.Onset.Before(l.Until) {
		return
	}
	l.views.Add(a)
	if len(l.views) > l.room {
		l.trim()
	}
}

// trim drops the oldest alerts, down to the limit.
func (l *List) trim() {
	over := l.views.Sorted(func(v View) bool { _, open := l.open[v.ID]; return !open })
	for _, v := range over[:max(0, len(over)-l.Limit)] {
		delete(l.views, v.ID)
		l.More = true
	}
}

// Sorted returns the alerts to list, the newest last.
func (l *List) Sorted() []View {
	l.trim()
	all := l.views.Sorted(func(v View) bool { return !l.Open || v.State == topics.AlertRaised })
	for i, v := range all {
		if m, is := l.Marks[v.ID]; is {
			all[i].Mark = &m
		}
		if said, is := l.Verdicts[v.ID]; is {
			all[i].Verdict = &said
		}
	}
	return all
}

// OfCamera is whether the glob matches the alert's camera, or one of its cameras.
func OfCamera(glob string, a topics.Alert) bool {
	return Matches(glob, a.Camera) || slices.ContainsFunc(a.Cameras, func(name string) bool { return Matches(glob, name) })
}

// Matches is whether a glob matches a name; an empty one matches all.
func Matches(glob, name string) bool {
	ok, err := path.Match(glob, name)
	return glob == "" || ok && err == nil
}

// List returns the alerts of a filter's time, and those that are open however old
// they are.
func (l *Log) List(ctx context.Context, f Filter) (*List, error) {
	open, err := OpenAlerts(ctx, l.Bus, l.Names)
	if err != nil {
		return nil, err
	}
	out := newList(f, open)
	g := archive.Range{Since: f.Since, Until: f.Until} // of all cameras: an alert may be of several
	if err := l.Each(ctx, g, out.add); err != nil {
		return out, err
	}
	if err := l.precede(ctx, out); err != nil || f.Until.IsZero() {
		return out, err
	}
	return out, l.conclude(ctx, out)
}

// precedes bounds how long before the range raises are looked for.
const precedes = 24 * time.Hour

// precede looks for the raises, before the range, of alerts that were cleared in it: a
// clear has other values, or none.
func (l *Log) precede(ctx context.Context, out *List) error {
	cameras := map[string]bool{}
	from := out.Since
	for _, v := range out.views {
		if v.RaisedAt != nil || !v.Onset.Before(out.Since) || v.Onset.Before(out.Since.Add(-precedes)) {
			continue
		}
		cameras[v.Camera] = true
		if v.Onset.Before(from) {
			from = v.Onset
		}
	}
	if len(cameras) == 0 {
		return nil
	}
	g := archive.Range{Since: from, Until: out.Since, Cameras: slices.Sorted(maps.Keys(cameras))}
	return l.Each(ctx, g, out.addKnown)
}

// conclude looks for the clears, after the range, of alerts that were raised in it
// and are not open any more.
func (l *Log) conclude(ctx context.Context, out *List) error {
	return l.onwards(out.Until, func(g archive.Range) (bool, error) {
		cameras := map[string]bool{}
		for id, v := range out.views {
			if _, still := out.open[id]; v.State == topics.AlertRaised && !still && !cameras[v.Camera] {
				cameras[v.Camera], g.Cameras = true, append(g.Cameras, v.Camera)
			}
		}
		if len(cameras) == 0 {
			return true, nil
		}
		return false, l.Each(ctx, g, out.addKnown)
	})
}

func (l *List) addKnown(a topics.Alert) {
	if _, known := l.views[a.ID]; known {
		l.add(a)
	}
}

// onwards calls look for stretches of time that follow each other, from a time to
// the newest record, each four times as long as the one before, until it is done:
// most alerts are cleared soon.
func (l *Log) onwards(from time.Time, look func(archive.Range) (done bool, err error)) error {
	now := l.Now()
	for length := time.Hour; ; length *= 4 {
		g := archive.Range{Since: from, Until: from.Add(length)}
		last := g.Until.After(now)
		if last {
			g.Until = time.Time{}
		}
		if done, err := look(g); done || last || err != nil {
			return err
		}
		from = g.Until
	}
}
