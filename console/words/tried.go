package words

import (
	"time"

	"github.com/frostwatch/frostwatch/calibrate"
)

// Alert is one that a rule that was tried would have raised.
type Alert struct {
	Camera    string     `json:"camera"`
	Onset     time.Time  `json:"onset"`
	Raised    time.Time  `json:"raised_at"`
	Cleared   *time.Time `json:"cleared_at,omitempty"`
	Contrast  float64    `json:"contrast"`
	OnsetClip string     `json:"onset_clip_id"`
	Clip      string     `json:"clip_id"` // that decided
}

// Alerts are those of a trial, in order of time, each with its end.
func Alerts(tried *calibrate.Tried) []Alert {
	out := []Alert{}
	at := map[string]int{}
	for _, a := range tried.Alerts {
		if i, known := at[a.ID]; known {
			cleared := a.At
			out[i].Cleared = &cleared
			continue
		}
		at[a.ID] = len(out)
		out = append(out, Alert{Camera: a.Camera, Onset: a.Onset, Raised: a.At, Contrast: a.Contrast, OnsetClip: a.OnsetClip, Clip: a.Clip})
	}
	return out
}

// Differences are the alerts that only one of two trials has: those that none of the other
// trial on the camera overlaps.
func Differences(before, after []Alert) (lost, added []Alert) {
	return alone(before, after), alone(after, before)
}

func alone(all, others []Alert) (out []Alert) {
	by := map[string][]Alert{}
	for _, o := range others {
		by[o.Camera] = append(by[o.Camera], o)
	}
	for _, a := range all {
		met := false
		for _, o := range by[a.Camera] {
			met = met || !a.after(o) && !o.after(a)
		}
		if !met {
			out = append(out, a)
		}
	}
	return out
}

// after is whether an alert begins when another one is over.
func (a Alert) after(o Alert) bool { return o.Cleared != nil && a.Onset.After(*o.Cleared) }
