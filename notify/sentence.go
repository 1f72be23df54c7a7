package notify

import (
	"fmt"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// sentence says what happened, by the clock of a time zone.
func sentence(a topics.Alert, zone *time.Location) string {
	clock := func(t time.Time) string { return t.In(zone).Format(time.TimeOnly) }
	what := fmt.Sprintf("%s: %s", a.Camera, a.About())
	if a.Zone != "" {
		what += " in zone " + a.Zone
	}
	switch a.State {
	case topics.AlertCleared:
		what += fmt.Sprintf(" is over, %s to %s", clock(a.Onset), clock(a.At))
	case topics.AlertEscalated:
		what += fmt.Sprintf(" is %s now, since %s", a.Severity, clock(a.Onset))
	default:
		what += ", since " + clock(a.Onset)
		if v := a.Value(); v != 0 && !a.Absent {
			what += fmt.Sprintf(", %s %.2f", measure(a), v)
		}
		what += fmt.Sprintf(" (rule %s, %s)", a.Rule, a.Severity)
	}
	if a.Reason != "" {
		what += ": " + a.Reason
	}
	return topics.Clean(what)
}

// measure names the alert's value; alerts of older versions have scores.
func measure(a topics.Alert) string {
	if a.Measure == "" {
		return "score"
	}
	return a.Measure
}

// lines are the sentences of events, one a line, with the number of events where
// there are several.
func lines(events []Event) string {
	if len(events) == 1 {
		return events[0].Text
	}
	b := &strings.Builder{}
	fmt.Fprintf(b, "%d events", len(events))
	for _, e := range events {
		b.WriteString("\n" + e.Text)
	}
	return b.String()
}

// brief is as lines, but no longer than so many bytes: what does not fit is counted.
func brief(events []Event, most int) string {
	text := lines(events)
	if len(text) <= most {
		return text
	}
	const room = 40 // for what is said of the rest
	text = text[:most-room]
	if len(events) == 1 {
		return strings.ToValidUTF8(text, "") + "…"
	}
	text = text[:max(strings.LastIndexByte(text, '\n'), 0)]
	return fmt.Sprintf("%s\nand %d more", text, len(events)-strings.Count(text, "\n"))
}
