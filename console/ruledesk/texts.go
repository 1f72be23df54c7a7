package ruledesk

import (
	"fmt"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/alerts"
)

// OrCritical is to what severity an alert escalates.
func OrCritical(severity string) string {
	if severity == "" {
		return "critical"
	}
	return severity
}

// SeverityText is the severity, or what it depends on.
func SeverityText(plain string, from *alerts.SeverityFrom) string {
	if from == nil {
		return plain
	}
	text := []string{plain}
	if from.Warning > 0 {
		text = append(text, fmt.Sprintf("warning from %v", from.Warning))
	}
	if from.Critical > 0 {
		text = append(text, fmt.Sprintf("critical from %v", from.Critical))
	}
	return strings.Join(slices.DeleteFunc(text, func(s string) bool { return s == "" }), ", ")
}

// HoursText is a part of the week; empty: there is none.
func HoursText(s *alerts.Schedule) string {
	if s == nil {
		return ""
	}
	text := func(value, none string) string {
		if value == "" {
			return none
		}
		return value
	}
	return fmt.Sprintf("%s, %s to %s, %s", text(s.Days, "every day"), text(s.From, "00:00"), text(s.To, "24:00"), text(s.Timezone, "UTC"))
}

// OverrideText is an override in words.
func OverrideText(o alerts.Override) string {
	of := alerts.Rule{Cameras: o.Cameras, CameraTags: o.CameraTags}
	as := alerts.Rule{Contrast: o.Contrast, Score: o.Score, Similarity: o.Similarity, FalseAlarms: o.FalseAlarms}
	var parts []string
	if o.Contrast != nil || o.Score != nil || o.Similarity != nil || o.FalseAlarms != (alerts.Budget{}) {
		parts = append(parts, WhenText(as))
	}
	if o.Clips != (alerts.ClipsRule{}) {
		parts = append(parts, fmt.Sprintf("%d of %d clips", o.Clips.N, o.Clips.M))
	}
	if text := SeverityText(o.Severity, o.SeverityFrom); text != "" {
		parts = append(parts, text)
	}
	return CamerasText(of) + ": " + strings.Join(parts, ", ")
}
