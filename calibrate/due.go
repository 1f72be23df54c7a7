package calibrate

import (
	"maps"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// tables are what decides which thresholds are due.
type tables struct {
	cameras    map[string][]string                  // tags by camera
	words      map[string]string                    // vocabulary by camera; empty: the default one
	zones      map[string]map[string]topics.Polygon // by camera, of those that have any
	thresholds map[string]topics.Threshold          // by key
	others     []string                             // keys whose records can't be read
	marks      []topics.Mark
}

func (t *tables) camera(key string, value []byte, vocabularyOf func(topics.Camera) string) {
	if c, err := topics.DecodeCamera(value); err == nil {
		t.cameras[key], t.words[key] = c.Tags, vocabularyOf(c)
		if len(c.Zones) > 0 {
			t.zones[key] = c.Zones
		}
	}
}

func (t *tables) threshold(key string, value []byte) {
	v, err := topics.DecodeThreshold(value)
	if err == nil && topics.RuleKey(v.Camera, v.Rule) == key {
		t.thresholds[key] = v
	} else if _, _, ok := topics.SplitRuleKey(key); ok {
		t.others = append(t.others, key)
	}
}

func (t *tables) mark(key string, value []byte) {
	if m, err := topics.DecodeMark(value); err == nil && m.Alert == key {
		t.marks = append(t.marks, m)
	}
}

func (t *tables) known() []topics.Threshold { return slices.Collect(maps.Values(t.thresholds)) }

// wanted are the rules with a budget by camera.
func wanted(rules *alerts.RuleSet, cameras map[string][]string) map[string][]alerts.Budgeted {
	out := map[string][]alerts.Budgeted{}
	for camera, tags := range cameras {
		if own := rules.Budgeted(camera, tags); len(own) > 0 {
			out[camera] = own
		}
	}
	return out
}

// able are the wanted rules on the cameras whose vocabulary has their labels, with the
// hashes of their texts and zones by camera and rule. Where it has none, a rule waits for them.
func able(want map[string][]alerts.Budgeted, words WordsOf, zones Zones) (out map[string][]alerts.Budgeted, texts map[string]string) {
	out, texts = map[string][]alerts.Budgeted{}, map[string]string{}
	known := map[string]string{} // by rule and vocabulary
	for camera, own := range want {
		v := words(camera)
		if v == nil {
			continue
		}
		for _, r := range own {
			hash, done := known[r.Name+"/"+v.Name]
			if !done {
				hash = hashOfRule(r.Rule, v)
				known[r.Name+"/"+v.Name] = hash
			}
			if hash != "" || r.Novel {
				out[camera] = append(out[camera], r)
				texts[topics.RuleKey(camera, r.Name)] = hash + zones.of(camera, r.Rule).hash()
			}
		}
	}
	return out, texts
}

// fleet is on how many cameras each rule counts.
func fleet(want map[string][]alerts.Budgeted) map[string]int {
	out := map[string]int{}
	for _, own := range want {
		for _, r := range own {
			out[r.Name]++
		}
	}
	return out
}

// hashOfRule identifies the texts of all labels that a rule is about; empty where the
// vocabulary lacks some. Novel labels are not known to it.
func hashOfRule(r alerts.Rule, words *vocab.Vocabulary) string {
	var all []vocab.Label
	for _, part := range r.Parts() {
		labels := labelsOf(part, words, nil)
		if len(labels) == 0 {
			return ""
		}
		all = append(all, labels...)
	}
	return hashOf(all)
}

const (
	// daily is how often a threshold is found anew.
	daily = 24 * time.Hour
	// soon is the same at first: while a camera's past is short it grows fast.
	soon = 10 * time.Minute
)

// due are the wanted rules whose thresholds are missing, of another rule, other words
// or another model, or too old. A budget in all is due on all of its cameras at once.
// texts are the hashes of their texts (able).
func (t *tables) due(want map[string][]alerts.Budgeted, texts map[string]string, m Model, now time.Time) map[string][]alerts.Budgeted {
	shared := map[string]bool{}
	isDue := func(camera string, r alerts.Budgeted) bool {
		key := topics.RuleKey(camera, r.Name)
		v, known := t.thresholds[key]
		if !known || v.RuleHash != r.Hash || v.Words != texts[key] && (!r.Novel || zonesIn(v.Words) != zonesIn(texts[key])) || v.Model != m.ID || v.References != m.References {
			return true
		}
		past := time.Duration(v.Days * float64(24*time.Hour))
		return now.Sub(v.At) >= min(max(past/4, soon), daily)
	}
	for camera, own := range want {
		for _, r := range own {
			if r.FalseAlarms.InAll && isDue(camera, r) {
				shared[r.Name] = true
			}
		}
	}
	out := map[string][]alerts.Budgeted{}
	for camera, own := range want {
		for _, r := range own {
			if shared[r.Name] || isDue(camera, r) {
				out[camera] = append(out[camera], r)
			}
		}
	}
	return out
}

// over are the keys of the table that no rule wants.
func (t *tables) over(want map[string][]alerts.Budgeted) (keys []string) {
	wants := map[string]bool{}
	for camera, own := range want {
		for _, r := range own {
			wants[topics.RuleKey(camera, r.Name)] = true
		}
	}
	for _, key := range slices.Concat(slices.Collect(maps.Keys(t.thresholds)), t.others) {
		if !wants[key] {
			keys = append(keys, key)
		}
	}
	return keys
}
