package ruledesk

import (
	"fmt"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
)

// CamerasText are the patterns and tags of the cameras that a rule watches.
func CamerasText(r alerts.Rule) string {
	text := strings.Join(r.Cameras, " ")
	if len(r.CameraTags) > 0 {
		text = strings.TrimSpace(text + " tagged " + strings.Join(r.CameraTags, " or "))
	}
	return topics.Clean(text)
}

// WatchesFor says in words which labels a rule is about.
func WatchesFor(r alerts.Rule) string {
	switch {
	case r.Stream != nil:
		return streamText(*r.Stream)
	case r.Absent != nil:
		return fmt.Sprintf("no %s for %v", anyOf(r.Absent.Actions), r.Absent.For) + zoneText(r)
	case len(r.Actions) > 0 && r.Then != nil:
		return fmt.Sprintf("%s, then %s within %v", anyOf(r.Actions), anyOf(r.Then.Actions), r.Then.Within) + zoneText(r)
	}
	text := "-"
	switch {
	case len(r.Actions) > 0:
		text = anyOf(r.Actions)
	case len(r.Tags) > 0:
		text = "labels tagged " + anyOf(r.Tags)
	case r.Novel:
		text = "novel labels"
	}
	return text + CountText(r) + zoneText(r)
}

// zoneText are the zones that a rule is about.
func zoneText(r alerts.Rule) string {
	if len(r.Zone) == 0 {
		return ""
	}
	return " in zone " + strings.Join(r.Zone, " or ")
}

// CountText is how many cameras have to see it, for a rule that counts them.
func CountText(r alerts.Rule) string {
	if r.Count == nil {
		return ""
	}
	return ", seen by " + r.Count.String()
}

// streamText are the faults of streams that a rule is about.
func streamText(s alerts.StreamRule) string {
	var parts []string
	for _, f := range []struct {
		what string
		time time.Duration
	}{
		{"camera offline", s.Offline}, {"picture black", s.Black}, {"picture frozen", s.Frozen},
		{"lens covered", s.Covered}, {"camera moved", s.Moved}, {"picture out of focus", s.Defocused},
	} {
		if f.time > 0 {
			parts = append(parts, fmt.Sprintf("%s for %v", f.what, f.time))
		}
	}
	if s.FPSBelow > 0 {
		parts = append(parts, fmt.Sprintf("frame rate below %v", s.FPSBelow))
	}
	return strings.Join(parts, ", ")
}

func anyOf(texts []string) string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = topics.Clean(fmt.Sprintf("%q", t))
	}
	return strings.Join(out, " or ")
}

// WhenText says in words what clips must reach.
func WhenText(r alerts.Rule) string {
	if r.Stream != nil {
		return "-"
	}
	text := string(r.Measure()) + " at its default"
	if r.Measure() == alerts.ByContrast {
		text = fmt.Sprintf("contrast from %v", alerts.DefaultContrast)
	}
	if l := r.Levels(); l.Raise != 0 { // a similarity may be below 0
		text = fmt.Sprintf("%s from %v", r.Measure(), l.Raise)
	}
	if r.FalseAlarms != (alerts.Budget{}) {
		text = fmt.Sprintf("%s, at most %s", r.Measure(), budgetText(r.FalseAlarms))
	}
	if r.Clips.M > 1 {
		text += fmt.Sprintf(", %d of %d clips", r.Clips.N, r.Clips.M)
	}
	return text
}
