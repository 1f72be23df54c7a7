package console

import (
	"context"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// maxRaised bounds the alerts of a timeline: of more, the gravest and newest are shown.
	maxRaised = 500
	// raisedTime is after how long no other day's alerts are read for one answer.
	raisedTime = 3 * time.Second
)

// raised puts the alerts of a camera into a timeline, and returns all of them.
func (c *Console) raised(ctx context.Context, t *Timeline, from, to time.Time) []alertlog.View {
	views, unread, err := c.alertsOn(ctx, t.Camera, from, to)
	if t.Unread = later(t.Unread, unread); err != nil {
		t.Fault = "alerts are missing: " + topics.Clean(err.Error())
		if !c.whoOf(ctx).All {
			t.Fault = "alerts are missing: " + errHidden.Error()
		}
	}
	shown := slices.Clone(views)
	if len(shown) > maxRaised {
		slices.SortFunc(shown, func(a, b alertlog.View) int {
			if d := topics.SeverityRank(b.Severity) - topics.SeverityRank(a.Severity); d != 0 {
				return d
			}
			return newestFirst(a, b)
		})
		shown = shown[:maxRaised]
		t.Fault = "of more than 500 alerts the gravest are shown"
	}
	slices.SortFunc(shown, func(a, b alertlog.View) int { return newestFirst(b, a) })
	t.Alerts = []Raised{}
	for _, v := range shown {
		t.Alerts = append(t.Alerts, c.raisedOf(v, c.whoOf(ctx)))
	}
	return views
}

// raisedOf is an alert as a timeline shows it. Its id names the camera of its onset.
func (c *Console) raisedOf(v alertlog.View, by who) Raised {
	out := Raised{Rule: topics.Clean(v.Rule), Severity: topics.Clean(v.Severity), About: topics.Clean(v.About()), Onset: v.Onset}
	if v.ClearedAt != nil {
		out.Ended = *v.ClearedAt
	}
	if m := c.queue.opinionsOf("", v.ID).mark; m != nil {
		out.Mark = "false"
		if m.True {
			out.Mark = "true"
		}
	}
	if v.RaisedAt != nil && v.Measure != "stream" {
		out.Raised = *v.RaisedAt
	}
	if v.Measure != "stream" && !v.Absent {
		out.Label = topics.Clean(v.Label)
	}
	if by.All {
		out.ID, out.Clip, out.Pictures = topics.Clean(v.ID), topics.Clean(v.Clip), v.Evidence != nil
	}
	return out
}

// alertsOn are the alerts on a camera in a time, and up to when none were read yet.
func (c *Console) alertsOn(ctx context.Context, camera string, from, to time.Time) (out []alertlog.View, unread time.Time, err error) {
	seen := map[string]bool{}
	take := func(v alertlog.View) {
		if seen[v.ID] || v.Camera != camera && !slices.Contains(v.Cameras, camera) || !v.Onset.Before(to) || v.ClearedAt != nil && v.ClearedAt.Before(from) {
			return
		}
		seen[v.ID] = true
		out = append(out, v)
	}
	since := c.queue.each(take)
	begun := time.Now()
	if to.Before(since) {
		since = to
	}
	// A day more, for those that lasted.
	for begin := dayOf(since.Add(-1)); begin.Add(2 * day).After(from); begin = begin.Add(-day) {
		if time.Since(begun) > raisedTime && begin.Add(day).After(from) {
			return out, begin.Add(day), nil
		}
		one, err := c.days.of(ctx, begin)
		if err != nil {
			return out, time.Time{}, err
		}
		for _, v := range one.views {
			take(v)
		}
	}
	return out, time.Time{}, nil
}

// each calls take for the alerts that are kept; none is missing from a time on.
func (q *queue) each(take func(alertlog.View)) (since time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, one := range q.order {
		take(one.View)
	}
	return q.since
}
