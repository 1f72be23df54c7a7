package alerts

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Counter raises and clears the alerts of rules that count cameras, from the sightings
// of all of them. An alert is raised by the sighting with which enough cameras have seen
// it within the rule's time, by the times of the clips, in whatever order sightings come.
// It is cleared at the time from which on fewer have, once every partition has come that
// far; sightings that come later than that change nothing. All that follows depends on
// records alone, and sightings that are repeated change nothing.
//
// It does no I/O, and is not safe for concurrent use. Evidence of the alerts that it
// raises is the position of the clip.
type Counter struct {
	left
	rules   *RuleSet
	tallies map[string]*tally // by rule
	clock   time.Duration     // counted by the records' times
	newest  time.Time         // time of the newest record
	warming bool              // records are only remembered
}

const (
	// ProgressEvery is how often a partition should report how far it has come.
	ProgressEvery = 2 * time.Second
	// missed is how long a partition that reports nothing is waited for. Between two
	// records at most three times ProgressEvery count, so that an outage ends no wait.
	missed = time.Minute
	// maxCounting bounds the runs of sightings that are kept for a rule: two of each of
	// 10,000 cameras.
	maxCounting = 20_000
	// maxUnknown bounds those of a rule, or of a version of it, that is not known here
	// (yet), maxVersions and maxTallies how many there may be.
	maxUnknown  = 100
	maxVersions = 3
	maxTallies  = 100
	// maxReports bounds the partitions of which reports are kept.
	maxReports = 4096
)

// NewCounter makes a counter that knows nothing of the past.
func NewCounter(rules *RuleSet) *Counter {
	return &Counter{rules: rules, tallies: map[string]*tally{}, left: left{}}
}

// See takes the next record of the topic sightings, and the time that Kafka gave it, and
// returns what is raised and cleared. A time in the record that is later counts as that.
func (c *Counter) See(s topics.Sighting, at time.Time) []topics.Alert {
	if !c.newest.IsZero() {
		c.clock += min(max(at.Sub(c.newest), 0), 3*ProgressEvery)
	}
	c.newest = later(c.newest, at)
	t := c.tally(s.Rule)
	if t == nil {
		return nil
	}
	if s.Through.After(at) {
		s.Through = at
	}
	t.report(s, c.clock)
	r := c.rules.counting(s.Rule)
	near := (*run)(nil)
	if s.Seen != nil {
		near = t.add(s, r)
	}
	if c.warming || r == nil || near == nil && t.open == nil {
		return nil
	}
	return t.decide(r, c.known(t), near)
}

// tally is what is known of a rule; nil where there are too many that are not ours.
func (c *Counter) tally(rule string) *tally {
	t := c.tallies[rule]
	if t == nil {
		if len(c.tallies) >= maxTallies && c.rules.counting(rule) == nil {
			return nil
		}
		t = &tally{versions: map[string]*presence{}, reports: map[int]report{}}
		if r := c.rules.counting(rule); r != nil {
			t.hash = r.hash
		}
		c.tallies[rule] = t
	}
	return t
}

// known is the time up to which all sightings of a rule have come: that of the partition
// that is furthest behind. Where no partition has cameras of the rule, it is that of the
// newest record.
func (c *Counter) known(t *tally) time.Time {
	var oldest, newest time.Time
	for partition, r := range t.reports {
		if c.clock-r.at > missed {
			delete(t.reports, partition)
			continue
		}
		if r.through.IsZero() {
			continue
		}
		if oldest.IsZero() || r.through.Before(oldest) {
			oldest = r.through
		}
		newest = later(newest, r.through)
	}
	if newest.IsZero() {
		return c.newest
	}
	return heldUp(oldest, newest)
}

// SetRules replaces the rules. Alerts of rules that are gone, or that want something
// else now, are cleared. Where there may be more rules than these, alerts of rules that
// are not among them stay open.
func (c *Counter) SetRules(rules *RuleSet) (out []topics.Alert) {
	c.rules = rules
	for _, name := range slices.Sorted(maps.Keys(c.tallies)) {
		t, r, there := c.tallies[name], rules.counting(name), rules.either(name) != nil
		switch {
		case r == nil && !there && rules.isIncomplete():
		case r == nil:
			reason := ruleRemoved
			if there {
				reason = ruleCountsNot
			}
			t.clearInto(&out, t.sure, reason, 0)
			delete(c.tallies, name)
		case t.hash == "": // the first rules that have it
			t.hash = r.hash
		case t.hash != r.hash:
			if t.open != nil {
				t.clearInto(&out, t.sure, r.dropped(t.open.Label), r.Cooldown)
			}
			t.hash = r.hash
		}
		if r != nil && !c.warming {
			out = append(out, t.decide(r, c.known(t), nil)...)
		}
	}
	return out
}

// counting is the rule of a name, if it counts cameras; else nil.
func (s *RuleSet) counting(name string) *rule {
	if r := s.find(name); r != nil && r.Count != nil {
		return r
	}
	return nil
}

// Counting are the names of the rules that count cameras.
func (s *RuleSet) Counting() (names []string) {
	for _, r := range s.all() {
		if r.Count != nil {
			names = append(names, r.Name)
		}
	}
	return names
}

// dropped is why an edit of the rule ends an alert about a label.
func (r *rule) dropped(label string) string {
	if names := r.named(); len(names) > 0 && !r.selects(&topics.LabelScore{Label: label}) {
		return topics.Clean(fmt.Sprintf("the rule no longer selects the label %.80q", label))
	}
	return ruleChanged
}

// Warm makes See only remember what it takes, until Warmed.
func (c *Counter) Warm() { c.warming = true }

// Warmed ends that, and returns what follows from all that was taken. Sightings before a
// time may be missing: they are taken to have kept open alerts open until then.
func (c *Counter) Warmed(since time.Time) (out []topics.Alert) {
	c.warming = false
	for _, name := range slices.Sorted(maps.Keys(c.tallies)) {
		t, r := c.tallies[name], c.rules.counting(name)
		if r == nil {
			continue
		}
		known := c.known(t)
		if full := since.Add(r.Count.Within); t.open != nil && full.After(t.sure) {
			t.sure = later(t.sure, earlier(full, known))
		}
		out = append(out, t.decide(r, known, nil)...)
	}
	return out
}

// Restore takes over an alert that was published before this counter was made. Alerts
// must come in their order. A clear of another alert than the open one changes nothing.
func (c *Counter) Restore(a topics.Alert) {
	c.restoring(a)
	t := c.tally(a.Rule)
	switch {
	case t == nil || a.ID == t.closed: // sent again
	case a.State == topics.AlertRaised:
		if t.open != nil && t.open.ID != a.ID {
			c.leave(*t.open, a.At)
		}
		t.begin(a, a.At)
	case a.State == topics.AlertCleared && (t.open == nil || t.open.ID == a.ID):
		t.end(a.ID, a.At, c.rules.find(a.Rule).cooldown())
	}
}

// RestoreOlder takes over an alert that is known to be open, and was raised before
// those that Restore was called for.
func (c *Counter) RestoreOlder(a topics.Alert) {
	t := c.tally(a.Rule)
	switch {
	case t == nil:
	case t.open == nil:
		t.begin(a, a.At)
	default:
		c.leave(a, t.open.At)
	}
}

// Open are the alerts that are raised and not cleared, by rule.
func (c *Counter) Open() (out []topics.Alert) {
	for _, name := range slices.Sorted(maps.Keys(c.tallies)) {
		if t := c.tallies[name]; t.open != nil {
			out = append(out, *t.open)
		}
	}
	return out
}

// opened is whether the rule's alert is open.
func (c *Counter) opened(rule string) bool {
	t := c.tallies[rule]
	return t != nil && t.open != nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// namedCameras lists cameras for people.
func namedCameras(all []string) string {
	const most = 5
	text := strings.Join(all[:min(most, len(all))], ", ")
	if more := len(all) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// CountAll returns what sightings raise and clear up to a time, where all of them are
// known: each camera's, from the recorded past, in any order.
func CountAll(rules *RuleSet, all []topics.Sighting, until time.Time) (out []topics.Alert) {
	slices.SortStableFunc(all, func(a, b topics.Sighting) int {
		return cmp.Or(a.Seen.End.Compare(b.Seen.End), cmp.Compare(a.Seen.Camera, b.Seen.Camera))
	})
	c := NewCounter(rules)
	for _, s := range all {
		s.Through = s.Seen.End.Add(-1)
		out = append(out, c.See(s, s.Seen.End)...)
	}
	for _, name := range rules.Counting() {
		out = append(out, c.See(topics.Sighting{Rule: name, Through: until}, until)...)
	}
	return out
}
