package console

import (
	"cmp"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
)

// States of a rule on a camera, as they are shown.
const (
	ruleWatches  = "watching"
	ruleAlert    = "alert open"
	ruleNoClip   = "no clip"
	ruleUnknown  = "unknown label"
	ruleNoZone   = "no zone"
	ruleLearning = "budget not learned yet"
)

// OnCamera is what a rule does on a camera. Its texts are cleaned.
type OnCamera struct {
	Camera string `json:"camera"`
	State  string `json:"state" enum:"watching,alert open,no clip,unknown label,no zone,budget not learned yet"`
	Why    string `json:"why,omitempty"`
	// Measure and Raise are what the rule compares there, and from where on it counts.
	Measure  string    `json:"measure,omitempty" enum:"contrast,score,similarity"`
	Raise    float64   `json:"raise,omitempty" doc:"the rule counts from this value on; the vocabulary may have another for a label"`
	Budget   string    `json:"budget,omitempty" doc:"that the value keeps"`
	Learned  time.Time `json:"learned_at,omitzero" doc:"when the value was worked out"`
	Rests    float64   `json:"days,omitempty" doc:"days of the past that it rests on"`
	Severity string    `json:"severity,omitempty" doc:"of the open alert"`
}

// clipAge is how old the newest clip of a camera is at most that sends some.
const clipAge = time.Minute

// onCameras says what a rule does on each camera that it watches, by name.
func (c *Console) onCameras(k *checked, name string, now time.Time) []OnCamera {
	c.wall.mu.Lock()
	defer c.wall.mu.Unlock()
	out := []OnCamera{}
	for camera, t := range c.wall.tiles {
		r, watches := k.all.On(name, camera, t.Tags)
		if !watches {
			continue
		}
		one := OnCamera{Camera: topics.Clean(camera), State: ruleWatches}
		if r.Stream == nil {
			c.wall.level(&one, k, r, camera, t, now)
		}
		for key := range c.wall.open.byCamera[camera] {
			if o := c.wall.open.all[key]; o.Rule == topics.Clean(name) {
				one.State, one.Why, one.Severity = ruleAlert, o.About, o.Severity
			}
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b OnCamera) int { return cmp.Compare(a.Camera, b.Camera) })
	return out
}

// level says from where on a rule about labels counts on a camera, and what keeps it from
// counting. It needs the lock.
func (w *wall) level(one *OnCamera, k *checked, r alerts.Rule, camera string, t *shown, now time.Time) {
	one.Measure, one.Raise = string(r.Measure()), r.Levels().Raise
	if one.Raise == 0 && r.Measure() == alerts.ByContrast {
		one.Raise = alerts.DefaultContrast
	}
	if r.FalseAlarms != (alerts.Budget{}) {
		one.Budget = r.FalseAlarms.String()
		limit, known := w.limits[topics.RuleKey(camera, r.Name)]
		hash := ""
		for _, b := range k.all.Budgeted(camera, t.Tags) {
			if b.Name == r.Name {
				hash = b.Hash
			}
		}
		if known && limit.RuleHash == hash {
			one.Raise, one.Learned, one.Rests = limit.Raise, limit.At, limit.Days
		}
		if !known || limit.RuleHash != hash || limit.Learning {
			one.State, one.Why = ruleLearning, "there is too little past of this camera yet"
		}
	}
	if t.End.IsZero() || now.Sub(t.End) > clipAge {
		one.State, one.Why = ruleNoClip, cmp.Or(t.Reason, "no clip of it has been recognised for a minute")
	}
	if why := k.missing(r, camera); why != "" {
		one.State, one.Why = ruleUnknown, why
	}
	if zones := k.around.Zones[camera]; len(r.Zone) > 0 && !slices.ContainsFunc(r.Zone, func(z string) bool { _, has := zones[z]; return has }) {
		one.State, one.Why = ruleNoZone, "the camera has none of the rule's zones"
	}
}

// missing says that the vocabulary of a camera has none of the labels that a part of a rule
// names; empty: it has.
func (k *checked) missing(r alerts.Rule, camera string) string {
	name := cmp.Or(k.around.Vocabularies[camera], k.around.Names()[0])
	named := r.Actions
	if r.Absent != nil {
		named = r.Absent.Actions
	}
	lacks := func(labels []string) bool {
		return len(labels) > 0 && !slices.ContainsFunc(labels, func(l string) bool { return k.holds(name, l) })
	}
	if lacks(named) || r.Then != nil && lacks(r.Then.Actions) {
		return topics.Clean("the vocabulary " + name + " has none of its labels")
	}
	return ""
}
