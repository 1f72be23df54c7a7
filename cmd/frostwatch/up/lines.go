package up

import (
	"fmt"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

const clock = "15:04:05"

// alertLine is an alert as a person reads it: time, what, camera, rule, label,
// value of what the rule compares where there is one, and whether the model was trained on the label.
func alertLine(a topics.Alert) string {
	known := "known"
	if a.Novel {
		known = "novel"
		if a.NearestBase != "" {
			known = fmt.Sprintf("novel, nearest %q", a.NearestBase)
		}
	}
	if a.Measure == "stream" { // its label is not one that a model knows
		known = "stream"
	}
	word := "ALERT"
	switch a.State {
	case topics.AlertCleared:
		word = "clear"
	case topics.AlertEscalated: // of an alert that has its line already
		word = "higher"
	}
	score, label := "-", fmt.Sprintf("%q", a.Label)
	if a.Absent {
		label = "no " + label
	} else if a.Value() != 0 {
		score = fmt.Sprintf("%.2f", a.Value())
	}
	line := fmt.Sprintf("%s  %-6s  %-20s  %-8s  %-8s  %-28s  %-4s  %s",
		a.At.Local().Format(clock), word, topics.Clean(a.Camera), topics.Clean(a.Rule), topics.Clean(a.Severity), label, score, known)
	if a.Reason != "" {
		line += "  (" + topics.Clean(a.Reason) + ")"
	}
	return line
}

// shownStatus is the state that was last printed for a camera.
type shownStatus struct {
	state  topics.StreamState
	reason string
}

// statusLine formats a stream's state, as it is since a time, for people.
func statusLine(s topics.StreamStatus, at time.Time) string {
	var more []string
	if s.State == topics.StreamStreaming && s.Codec != "" {
		more = append(more, fmt.Sprintf("%s %dx%d", s.Codec, s.Width, s.Height))
		if s.FPS > 0 {
			more = append(more, fmt.Sprintf("%.4g fps", s.FPS))
		}
	}
	if why := s.Why(); why != "" {
		more = append(more, why)
	}
	if !s.RetryAt.IsZero() {
		more = append(more, fmt.Sprintf("next try in %s", s.RetryAt.Sub(s.Since).Round(100*time.Millisecond)))
	}
	return fmt.Sprintf("%s  camera  %-20s  %-10s  %s", at.Local().Format(clock), s.Camera, s.State, strings.Join(more, ", "))
}

// countedCameras is "1 camera", "2 cameras".
func countedCameras(n int) string {
	if n == 1 {
		return "1 camera"
	}
	return fmt.Sprintf("%d cameras", n)
}
