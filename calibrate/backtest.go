package calibrate

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// Where an alert was found.
const (
	InBoth     = "both"     // it was raised, and the rules would raise it
	InBacktest = "backtest" // the rules would raise it, and it was not raised
	InLive     = "live"     // it was raised, and the rules would not raise it
)

// Compared is an alert that was raised, or that the rules would raise, or both.
type Compared struct {
	Found  string `json:"found"` // "both", "backtest" or "live"
	Rule   string `json:"rule"`
	Camera string `json:"camera"`
	// Cameras are those of a rule that counts them.
	Cameras []string `json:"cameras,omitempty"`
	Label   string   `json:"label"`
	Absent  bool     `json:"absent,omitempty"` // the label was not seen
	Value   float64  `json:"value"`            // of the rule's measure
	// ID is that of the backtest, or of the alert that was raised where the rules
	// would not. LiveID is that of the latter, where both are about one happening
	// and begin with another clip.
	ID      string     `json:"alert_id"`
	LiveID  string     `json:"live_alert_id,omitempty"`
	Onset   time.Time  `json:"onset"`
	Raised  time.Time  `json:"raised_at"`
	Cleared *time.Time `json:"cleared_at,omitempty"` // nil: open at the end of the range
}

// Tally counts the alerts of a rule on a camera on a day.
type Tally struct {
	Rule   string `json:"rule"`
	Camera string `json:"camera"`
	Day    string `json:"day"` // UTC
	// Both, Backtest and Live count alerts by where they were found.
	Both     int `json:"both"`
	Backtest int `json:"only_backtest"`
	Live     int `json:"only_live"`
}

// Backtested is the difference between what was raised and what the rules would have
// raised.
type Backtested struct {
	Since        time.Time  `json:"since"`
	Until        time.Time  `json:"until"`
	Recognitions int        `json:"recognitions"`
	Filled       Filled     `json:"computed_from_embeddings"`
	Tallies      []Tally    `json:"tallies"`
	Alerts       []Compared `json:"alerts"`
	// Counts are of the recognitions, LiveCounts of the alerts that were read.
	Counts     archive.Counts `json:"-"`
	LiveCounts archive.Counts `json:"-"`
}

// Backtest replays rules over a range, and compares the alerts with those that were
// raised in it.
func Backtest(ctx context.Context, o ReplayOptions) (*Backtested, error) {
	replayed, err := Replay(ctx, o)
	if err != nil {
		return nil, err
	}
	out := &Backtested{
		Since: o.Since, Until: o.Until, Recognitions: replayed.Recognitions, Filled: replayed.Filled, Counts: replayed.Counts,
		Tallies: []Tally{}, Alerts: []Compared{},
	}
	// Alerts are kept longer than recognitions: earlier ones can't be compared.
	if replayed.First.After(out.Since) {
		out.Since = replayed.First
	}
	if out.Until.IsZero() || replayed.Last.Before(out.Until) {
		out.Until = replayed.Last
	}
	if replayed.Recognitions == 0 {
		return out, nil
	}
	would := spans(replayed.Alerts)
	did, err := out.live(ctx, o)
	if err != nil {
		return nil, err
	}
	out.compare(would, did)
	out.tally()
	return out, nil
}

// Compare compares the alerts that rules would raise with those that they did, or would as
// they were; both with the clears.
func Compare(would, did []topics.Alert) []Compared {
	var b Backtested
	b.compare(spans(would), spans(did))
	return b.Alerts
}

// live reads the alerts that were raised in the range.
func (b *Backtested) live(ctx context.Context, o ReplayOptions) ([]Compared, error) {
	var all []topics.Alert
	g := archive.Range{Since: b.Since, Until: o.Until, Cameras: o.Cameras, Late: LateAlerts}
	seen := map[string]bool{}
	var err error
	b.LiveCounts, err = o.Past.Alerts(ctx, g, func(r archive.Record[topics.Alert]) error {
		a := r.Value
		if a.Measure == string(alerts.ByStream) { // no recognition says what it rests on
			return nil
		}
		if key := a.EventID(); len(all) < maxAlerts && !seen[key] {
			seen[key] = true
			all = append(all, a)
		}
		return nil
	})
	inOrder(all)
	return spans(all), err
}

// spans merges the raise and the clear of each alert, in the order of raises. Clears
// of alerts that were raised earlier are left out.
func spans(all []topics.Alert) (out []Compared) {
	at := map[string]int{}
	for _, a := range all {
		i, known := at[a.ID]
		switch {
		case a.State == topics.AlertRaised && !known:
			at[a.ID] = len(out)
			out = append(out, Compared{Rule: a.Rule, Camera: a.Camera, Cameras: a.Cameras, Label: a.Label, Absent: a.Absent, Value: a.Value(), ID: a.ID, Onset: a.Onset, Raised: a.At})
		case a.State == topics.AlertCleared && known:
			cleared := a.At
			out[i].Cleared = &cleared
		}
	}
	return out
}

// compare finds the alerts that both lists have: those of one id, and else of one rule
// and camera (of one rule, if it counts cameras) that overlap in time.
func (b *Backtested) compare(would, did []Compared) {
	matched := make([]bool, len(did))
	byID := map[string]int{}
	byRule := map[string][]int{}
	for i, d := range did {
		byID[d.ID] = i
		byRule[d.place()] = append(byRule[d.place()], i)
	}
	for i := range would {
		w := &would[i]
		w.Found = InBacktest
		if d, same := byID[w.ID]; same && !matched[d] {
			matched[d], w.Found = true, InBoth
		}
	}
	for i := range would {
		w := &would[i]
		if w.Found == InBoth {
			continue
		}
		for _, d := range byRule[w.place()] {
			if !matched[d] && w.overlaps(did[d]) {
				matched[d], w.Found, w.LiveID = true, InBoth, did[d].ID
				break
			}
		}
	}
	b.Alerts = append(b.Alerts, would...)
	for i, d := range did {
		if !matched[i] {
			d.Found = InLive
			b.Alerts = append(b.Alerts, d)
		}
	}
	slices.SortStableFunc(b.Alerts, func(a, b Compared) int {
		return cmp.Or(a.Raised.Compare(b.Raised), cmp.Compare(a.Camera, b.Camera), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.ID, b.ID))
	})
}

// place is the rule and the camera, or the rule alone where it counts cameras: with which
// of them there are enough may differ.
func (c Compared) place() string {
	return topics.Alert{Rule: c.Rule, Camera: c.Camera, Cameras: c.Cameras}.OpenKey()
}

func (c Compared) overlaps(o Compared) bool {
	before := func(a, b Compared) bool { return a.Cleared != nil && a.Cleared.Before(b.Onset) }
	return !before(c, o) && !before(o, c)
}

func (b *Backtested) tally() {
	by := map[Tally]*Tally{}
	for _, a := range b.Alerts {
		key := Tally{Rule: a.Rule, Camera: a.Camera, Day: a.Raised.UTC().Format(time.DateOnly)}
		t := by[key]
		if t == nil {
			counted := key
			t = &counted
			by[key] = t
		}
		switch a.Found {
		case InBoth:
			t.Both++
		case InBacktest:
			t.Backtest++
		default:
			t.Live++
		}
	}
	keys := slices.SortedFunc(maps.Keys(by), func(a, b Tally) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Camera, b.Camera), cmp.Compare(a.Day, b.Day))
	})
	for _, k := range keys {
		b.Tallies = append(b.Tallies, *by[k])
	}
}
