package ruledesk

import (
	"fmt"
	"strings"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
)

// Phrase is a part of a rule's sentence. Field is the key of the rule that it says; empty:
// none, or one that is edited as text alone. Texts are cleaned.
type Phrase struct {
	Field string `json:"field,omitempty"`
	Text  string `json:"text"`
}

// Sentence says a rule as people do.
func Sentence(r alerts.Rule) []Phrase {
	s := sentence{{"", "Tell "}}
	s.add("notify", listed(r.Notify, "every receiver", false))
	s.add("", " when ")
	switch {
	case r.Stream != nil:
		s.add("", WatchesFor(r))
	case r.Absent != nil:
		s.add("", fmt.Sprintf("%s is not seen for %v", listed(r.Absent.Actions, "", true), r.Absent.For))
	case len(r.Actions) > 0:
		s.add("actions", listed(r.Actions, "", true))
		s.add("", " is seen")
		if r.Then != nil {
			s.add("", fmt.Sprintf(", then %s within %v,", listed(r.Then.Actions, "", true), r.Then.Within))
		}
	case len(r.Tags) > 0:
		s.add("", "a label tagged "+listed(r.Tags, "", true)+" is seen")
	default:
		s.add("", "a label that the model was not trained on is seen")
	}
	s.add("", " on ")
	s.add("cameras", listed(r.Cameras, "any camera", false))
	if len(r.CameraTags) > 0 {
		s.add("", " tagged ")
		s.add("camera_tags", listed(r.CameraTags, "", false))
	}
	if r.Stream == nil {
		s.add("", topics.Clean(zoneText(r)+CountText(r)))
		s.levels(r)
	}
	s.add("", ".")
	return s
}

// Plain is a sentence without its parts.
func Plain(s []Phrase) string {
	var b strings.Builder
	for _, p := range s {
		b.WriteString(p.Text)
	}
	return b.String()
}

type sentence []Phrase

func (s *sentence) add(field, text string) {
	if text != "" {
		*s = append(*s, Phrase{field, text})
	}
}

// levels say from where on the rule counts, and how often.
func (s *sentence) levels(r alerts.Rule) {
	if r.Clips.M > 1 {
		s.add("", ", in ")
		s.add("clips", fmt.Sprintf("%d of %d", r.Clips.N, r.Clips.M))
		s.add("", " clips")
	}
	switch l := r.Levels(); {
	case r.FalseAlarms != (alerts.Budget{}):
		s.add("", ", at most ")
		s.add("false_alarms", budgetText(r.FalseAlarms))
	case l.Raise > 0:
		s.add("", ", from ")
		s.add(string(r.Measure()), fmt.Sprintf("%s %v", r.Measure(), l.Raise))
	}
}

// budgetText is a budget in words, as "1 false alarm per week".
func budgetText(b alerts.Budget) string {
	alarms := "false alarms"
	if b.Count == 1 {
		alarms = "false alarm"
	}
	count, per, _ := strings.Cut(b.String(), " ")
	return count + " " + alarms + " " + per
}

// listed are texts as people list them.
func listed(texts []string, none string, quoted bool) string {
	if len(texts) == 0 {
		return none
	}
	const most = 12
	out := make([]string, 0, most)
	for _, t := range texts[:min(most, len(texts))] {
		if quoted {
			t = fmt.Sprintf("%q", t)
		}
		out = append(out, topics.Clean(t))
	}
	if more := len(texts) - most; more > 0 {
		out = append(out, fmt.Sprintf("%d more", more))
	}
	if last := len(out) - 1; last > 0 {
		return strings.Join(out[:last], ", ") + " or " + out[last]
	}
	return out[0]
}
