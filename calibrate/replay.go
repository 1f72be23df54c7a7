package calibrate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// Warm is how long before a range a replay begins, so that the range begins with the
// alerts and memories that the stage had then.
const Warm = time.Hour

// ReplayOptions say what to replay. Rules and Past are required.
type ReplayOptions struct {
	Past  Past
	Rules *alerts.RuleSet
	// Since and Until bound the times at which alerts were raised. Zero: from the
	// oldest recognition, to the newest.
	Since, Until time.Time
	Cameras      []string // names or globs; empty: every camera
	// Thresholds are what keeps the budgets of rules. A rule with a budget and without
	// a threshold raises as while it learns.
	Thresholds []topics.Threshold
	// Words fill in what records lack; nil: labels are taken as they were recorded.
	Words *Words
	// Trace, if it is not nil, is called for each rule and clip from Since on, one
	// call at a time.
	Trace func(alerts.Trace)
}

// Replayed is what rules would have raised.
type Replayed struct {
	// Alerts are the raises of the range and their clears, in order of time. An alert
	// that was open at the end has no clear.
	Alerts       []topics.Alert
	Recognitions int // of the range
	First, Last  time.Time
	Counts       archive.Counts
	Filled       Filled // what Words filled in
}

// Replay runs the engine over the recorded recognitions, with their time in place of
// the clock. The same records give the same alerts, in whatever order partitions are
// read.
func Replay(ctx context.Context, o ReplayOptions) (*Replayed, error) {
	r := &replay{ReplayOptions: o, players: map[int]*player{}, raised: map[string]bool{}}
	g := archive.Range{Since: o.Since, Until: o.Until, Cameras: o.Cameras}
	if !g.Since.IsZero() {
		g.Since = g.Since.Add(-Warm)
	}
	var err error
	r.out.Counts, err = o.Past.Actions(ctx, g, func(rec archive.Record[topics.Recognition]) error {
		r.see(rec)
		return r.check()
	})
	if err != nil {
		return nil, err
	}
	var sighted []topics.Sighting
	for _, partition := range slices.Sorted(maps.Keys(r.players)) {
		r.take(r.players[partition].until(r.end()))
		sighted = append(sighted, r.players[partition].sighted...)
	}
	r.take(alerts.CountAll(r.Rules, sighted, r.end()))
	inOrder(r.out.Alerts)
	return &r.out, r.check()
}

type replay struct {
	ReplayOptions
	players map[int]*player // by partition
	newest  time.Time       // record time
	raised  map[string]bool // alerts of the range, by id
	sighted int             // sightings that are kept to be counted
	out     Replayed
}

func (r *replay) see(rec archive.Record[topics.Recognition]) {
	p := r.players[rec.At.Partition]
	if p == nil {
		p = newPlayer(r.Rules, r.Thresholds, r.trace())
		r.players[rec.At.Partition] = p
	}
	if rec.Time.After(r.newest) {
		r.newest = rec.Time
	}
	v := rec.Value
	if r.Words != nil {
		v = r.Words.fill(v, &r.out.Filled)
	}
	if !v.End.Before(r.Since) {
		r.out.Recognitions++
		if r.out.First.IsZero() || v.End.Before(r.out.First) {
			r.out.First = v.End
		}
		if v.End.After(r.out.Last) {
			r.out.Last = v.End
		}
	}
	before := len(p.sighted)
	r.take(p.see(rec.Time, v))
	r.sighted += len(p.sighted) - before
}

// trace drops what is before the range.
func (r *replay) trace() func(alerts.Trace) {
	if r.Trace == nil {
		return nil
	}
	return func(t alerts.Trace) {
		if !t.End.Before(r.Since) {
			r.Trace(t)
		}
	}
}

// take keeps the raises of the range and what becomes of them.
func (r *replay) take(all []topics.Alert) {
	for _, a := range all {
		switch {
		case a.State != topics.AlertRaised && !r.raised[a.ID]:
		case a.State == topics.AlertRaised && (a.At.Before(r.Since) || !r.Until.IsZero() && !a.At.Before(r.Until)):
		default:
			r.raised[a.ID] = true
			r.out.Alerts = append(r.out.Alerts, a)
		}
	}
}

// end is up to when time passes: to the end of the range, or of the records.
func (r *replay) end() time.Time {
	if r.Until.IsZero() || r.newest.After(r.Until) {
		return r.newest
	}
	return r.Until
}

// maxSighted bounds the sightings that are kept until all are there, some 0.5 KB each.
const maxSighted = 500_000

func (r *replay) check() error {
	if r.sighted > maxSighted {
		return fmt.Errorf("rules that count cameras have to count more than %d sightings in this range: ask for a shorter one, or for fewer cameras", maxSighted)
	}
	if len(r.out.Alerts) > maxAlerts {
		return fmt.Errorf("the rules raise more than %d alerts in this range: ask for a shorter one, or for fewer cameras", maxAlerts/2)
	}
	return nil
}
