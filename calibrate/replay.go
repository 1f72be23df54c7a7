package calibrate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
	// Zones are those of cameras now: what clips of before lack of them is filled in too.
	Zones Zones
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
	r := &replay{ReplayOptions: o}
	r.parts.fresh = r.part
	if o.Trace != nil {
		r.Trace = oneAtATime(o.Trace)
	}
	g := archive.Range{Since: o.Since, Until: o.Until, Cameras: o.Cameras, Ends: o.Words != nil && o.Words.ends}
	if !g.Since.IsZero() {
		g.Since = g.Since.Add(-Warm)
	}
	counts, err := o.Past.Labels(ctx, g, func(l archive.Labelled) error { return r.parts.of(l.Partition).batch(l) })
	if err != nil {
		return nil, err
	}
	return r.result(counts)
}

type replay struct {
	ReplayOptions
	parts   partitions[replayPart]
	alerts  atomic.Int64 // of all parts
	sighted atomic.Int64 // sightings of all parts that are kept to be counted
}

// replayPart is the replay of one partition: partitions are read at the same time.
type replayPart struct {
	*replay
	player *player
	words  *filler
	newest time.Time       // record time
	raised map[string]bool // alerts of the range, by id
	out    Replayed
}

func (r *replay) part() *replayPart {
	return &replayPart{replay: r, player: newPlayer(r.Rules, r.Thresholds, r.trace()), words: r.Words.filler(r.Rules, r.Zones), raised: map[string]bool{}}
}

func (p *replayPart) batch(l archive.Labelled) error {
	if err := p.words.fill(l); err != nil {
		return err
	}
	for i := range l.Records {
		p.see(&l.Records[i])
	}
	return p.check()
}

func (p *replayPart) see(rec *archive.Record[topics.Recognition]) {
	if rec.Time.After(p.newest) {
		p.newest = rec.Time
	}
	if end := rec.Value.End; !end.Before(p.Since) {
		p.out.Recognitions++
		p.out.First, p.out.Last = earlier(p.out.First, end), later(p.out.Last, end)
	}
	before := len(p.player.sighted)
	p.take(p.player.see(rec.Time, &rec.Value))
	if more := len(p.player.sighted) - before; more > 0 {
		p.sighted.Add(int64(more))
	}
}

// earlier is the earlier of two times, of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
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

func oneAtATime(fn func(alerts.Trace)) func(alerts.Trace) {
	var mu sync.Mutex
	return func(t alerts.Trace) {
		mu.Lock()
		defer mu.Unlock()
		fn(t)
	}
}

// take keeps the raises of the range and what becomes of them.
func (p *replayPart) take(all []topics.Alert) {
	for _, a := range all {
		switch {
		case a.State != topics.AlertRaised && !p.raised[a.ID]:
		case a.State == topics.AlertRaised && (a.At.Before(p.Since) || !p.Until.IsZero() && !a.At.Before(p.Until)):
		default:
			p.raised[a.ID] = true
			a.Clip, a.OnsetClip = strings.Clone(a.Clip), strings.Clone(a.OnsetClip) // they are parts of the text of a file's clip ids
			p.out.Alerts = append(p.out.Alerts, a)
			p.alerts.Add(1)
		}
	}
}

// result is that of all partitions, once they are read.
func (r *replay) result(counts archive.Counts) (*Replayed, error) {
	out := &Replayed{Counts: counts}
	var newest time.Time
	for _, p := range r.parts.all {
		newest = later(newest, p.newest)
	}
	counted := &replayPart{replay: r, raised: map[string]bool{}}
	var sighted []topics.Sighting
	for _, partition := range slices.Sorted(maps.Keys(r.parts.all)) {
		p := r.parts.all[partition]
		p.take(p.player.until(r.end(newest)))
		sighted = append(sighted, p.player.sighted...)
		out.Alerts = append(out.Alerts, p.out.Alerts...)
		out.Recognitions += p.out.Recognitions
		out.First, out.Last = earlier(out.First, p.out.First), later(out.Last, p.out.Last)
		out.Filled.add(p.words.count)
	}
	counted.take(alerts.CountAll(r.Rules, sighted, r.end(newest)))
	out.Alerts = append(out.Alerts, counted.out.Alerts...)
	inOrder(out.Alerts)
	return out, r.check()
}

// end is up to when time passes: to the end of the range, or of the records.
func (r *replay) end(newest time.Time) time.Time {
	if r.Until.IsZero() || newest.After(r.Until) {
		return newest
	}
	return r.Until
}

// maxSighted bounds the sightings that are kept until all are there, some 0.5 KB each.
const maxSighted = 500_000

func (r *replay) check() error {
	if r.sighted.Load() > maxSighted {
		return fmt.Errorf("rules that count cameras have to count more than %d sightings in this range: ask for a shorter one, or for fewer cameras", maxSighted)
	}
	if r.alerts.Load() > maxAlerts {
		return fmt.Errorf("the rules raise more than %d alerts in this range: ask for a shorter one, or for fewer cameras", maxAlerts/2)
	}
	return nil
}
