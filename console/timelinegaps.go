package console

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/console/timeline"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// reportsAge is of how long before its end a timeline's statuses are read: Kafka deletes
	// older ones bit by bit, and those of other cameras are read too.
	reportsAge = 72 * time.Hour
	// maxReported bounds the statuses that are read, reportsTime how long that may take.
	maxReported = 300_000
	reportsTime = 4 * time.Second
)

// faultWords are what is wrong with pictures, as tiles say it.
var faultWords = map[string]string{
	"offline": "the camera gave no video", "black": "the picture was black", "frozen": "the picture was frozen",
	"covered": "the lens was covered", "moved": "the camera was turned away", "defocused": "the picture was out of focus",
}

// gaps puts into a timeline when nothing could be seen, and why.
func (c *Console) gaps(ctx context.Context, t *Timeline, got timeline.Answer, in *timelineInput, tile Tile, views []alertlog.View) {
	now := time.Now()
	from := later(in.From, got.Unread)
	reports := c.reports(ctx, in.Camera, from, in.To)
	wrong := append(reports.Conditions(now), streamAlerts(views, now)...)
	t.Gaps = []Gap{}
	shortest := max(got.Step/4, time.Second)
	for _, g := range got.Gaps(from, in.To, now.Add(-endless), shortest) {
		kind, reason := reports.Why(g, wrong)
		if kind == "none" && g.To.Add(endless+time.Second).After(now) && tile.State != string(topics.StreamStreaming) && tile.Reason != "" {
			kind, reason = "offline", tile.Reason
		}
		t.Gaps = append(t.Gaps, Gap{From: g.From, To: g.To, Kind: kind, Reason: topics.Clean(reason)})
	}
	for _, w := range merged(wrong) {
		if w.Kind == "offline" || !w.To.After(from) || !w.From.Before(in.To) || w.To.Sub(w.From) < shortest {
			continue
		}
		t.Gaps = append(t.Gaps, Gap{From: later(w.From, from), To: earlier(w.To, in.To), Kind: w.Kind, Reason: faultWords[w.Kind], Clips: true})
	}
	if len(t.Gaps) > maxGaps { // the longest are what people look for
		slices.SortFunc(t.Gaps, func(a, b Gap) int { return cmp.Compare(b.To.Sub(b.From), a.To.Sub(a.From)) })
		t.Gaps = t.Gaps[:maxGaps]
		t.Fault = cmp.Or(t.Fault, "of more than 500 gaps the longest are shown")
	}
	slices.SortFunc(t.Gaps, func(a, b Gap) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Kind, b.Kind)) })
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// streamAlerts are what alerts say of a camera's stream, where statuses are deleted.
func streamAlerts(views []alertlog.View, now time.Time) (out []timeline.Condition) {
	for _, v := range views {
		if v.Measure != "stream" || faultWords[v.Label] == "" {
			continue
		}
		c := timeline.Condition{Kind: v.Label, From: v.Onset, To: now}
		if v.ClearedAt != nil {
			c.To = *v.ClearedAt
		}
		out = append(out, c)
	}
	return out
}

// merged joins conditions of one kind that overlap: an alert and statuses say the same.
func merged(all []timeline.Condition) (out []timeline.Condition) {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b timeline.Condition) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), a.From.Compare(b.From)) })
	for _, c := range all {
		if n := len(out); n > 0 && out[n-1].Kind == c.Kind && !c.From.After(out[n-1].To) {
			out[n-1].To = later(out[n-1].To, c.To)
			continue
		}
		out = append(out, c)
	}
	return out
}

// reports are the statuses of a camera that Kafka still has. Without them gaps have fewer
// reasons, which is no fault.
func (c *Console) reports(ctx context.Context, camera string, from, to time.Time) *timeline.Reports {
	out := &timeline.Reports{}
	from = later(from, to.Add(-reportsAge)).Add(-5 * time.Minute)
	ctx, cancel := context.WithTimeout(ctx, reportsTime)
	defer cancel()
	topic := c.Names.Of(topics.Status)
	partition, err := c.Bus.PartitionOf(ctx, topic, []byte(camera))
	if err != nil {
		return out
	}
	n := 0
	err = c.Bus.ReadSince(ctx, topic, partition, from, func(m bus.Message) error {
		if n++; n > maxReported || m.Time.After(to.Add(5*time.Minute)) {
			return bus.ErrStop
		}
		if string(m.Key) != camera {
			return nil
		}
		if s, err := topics.DecodeStatus(m.Value); err == nil && s.Camera == camera {
			out.Add(m.Time, s)
		}
		return nil
	})
	if err != nil {
		c.Logger.DebugContext(ctx, "not all statuses of a camera could be read", "camera", camera, "error", topics.Clean(err.Error()))
	}
	return out
}
