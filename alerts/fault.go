package alerts

import (
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// fault is one thing that can be wrong with a stream.
type fault struct {
	name  string // in ids of alerts
	label string // of alerts
	// found is what a status says of it.
	found func(s topics.StreamStatus, r StreamRule) finding
	limit func(r StreamRule) time.Duration // how long it may be so; negative: the rule is not about it
	why   func(s topics.StreamStatus, r StreamRule, lasted time.Duration) string
	over  func(s topics.StreamStatus) string
}

// finding is what a status says of a fault.
type finding struct {
	known bool      // it says something
	since time.Time // since when the fault has been there; zero: it is not
	slack bool      // it is not there, but too nearly to end an alert
}

// faults are all that rules can name, the gravest first.
func faults() []fault {
	return []fault{
		{
			name: "offline", label: "camera offline",
			found: func(s topics.StreamStatus, _ StreamRule) finding { return finding{known: true, since: s.OfflineSince} },
			limit: func(r StreamRule) time.Duration { return orNever(r.Offline) },
			why: func(s topics.StreamStatus, _ StreamRule, lasted time.Duration) string {
				if s.Reason == "" {
					return fmt.Sprintf("no video for %s", lasted)
				}
				return fmt.Sprintf("no video for %s: %s", lasted, s.Reason)
			},
			over: func(s topics.StreamStatus) string {
				if s.State == topics.StreamStopped {
					return "stopped: " + s.Reason
				}
				return "it gives video again"
			},
		},
		{
			name: "black", label: "picture black",
			found: ofPicture(func(p topics.PictureFaults) time.Time { return p.BlackSince }),
			limit: func(r StreamRule) time.Duration { return orNever(r.Black) },
			why: func(_ topics.StreamStatus, _ StreamRule, lasted time.Duration) string {
				return fmt.Sprintf("black for %s", lasted)
			},
			over: func(topics.StreamStatus) string { return "the picture is no longer black" },
		},
		{
			name: "frozen", label: "picture frozen",
			found: ofPicture(func(p topics.PictureFaults) time.Time { return p.FrozenSince }),
			limit: func(r StreamRule) time.Duration { return orNever(r.Frozen) },
			why: func(_ topics.StreamStatus, _ StreamRule, lasted time.Duration) string {
				return fmt.Sprintf("the same picture for %s", lasted)
			},
			over: func(topics.StreamStatus) string { return "the picture changes again" },
		},
		ofLens("covered", "lens covered", "the lens is no longer covered",
			func(l topics.LensFaults) time.Time { return l.CoveredSince }, func(r StreamRule) time.Duration { return r.Covered }),
		ofLens("moved", "camera moved", "the usual view is back, or this one has become usual",
			func(l topics.LensFaults) time.Time { return l.MovedSince }, func(r StreamRule) time.Duration { return r.Moved }),
		ofLens("defocused", "picture out of focus", "the picture is sharp again",
			func(l topics.LensFaults) time.Time { return l.DefocusedSince }, func(r StreamRule) time.Duration { return r.Defocused }),
		{
			name: "slow", label: "frame rate low",
			found: slow,
			limit: func(r StreamRule) time.Duration {
				if r.FPSBelow == 0 {
					return -1
				}
				return 0
			},
			why: func(s topics.StreamStatus, r StreamRule, _ time.Duration) string {
				return fmt.Sprintf("%.4g frames a second, at least %.4g are wanted", s.Rate, r.FPSBelow)
			},
			over: func(s topics.StreamStatus) string { return fmt.Sprintf("%.4g frames a second", s.Rate) },
		},
	}
}

// orNever is a limit, or none where it is 0.
func orNever(limit time.Duration) time.Duration {
	if limit == 0 {
		return -1
	}
	return limit
}

func ofPicture(since func(topics.PictureFaults) time.Time) func(topics.StreamStatus, StreamRule) finding {
	return func(s topics.StreamStatus, _ StreamRule) finding {
		if s.Picture == nil {
			return finding{}
		}
		return finding{known: true, since: since(*s.Picture)}
	}
}

// ofLens is a fault of the lens. A lens that nothing is known of ends no alert.
func ofLens(name, label, over string, since func(topics.LensFaults) time.Time, limit func(StreamRule) time.Duration) fault {
	return fault{
		name: name, label: label,
		found: func(s topics.StreamStatus, _ StreamRule) finding {
			if s.Picture == nil || s.Picture.Lens == nil {
				return finding{}
			}
			f := finding{since: since(*s.Picture.Lens)}
			// While another of them is there, nobody knows whether this one is over.
			f.known = !f.since.IsZero() || *s.Picture.Lens == topics.LensFaults{}
			return f
		},
		limit: func(r StreamRule) time.Duration { return orNever(limit(r)) },
		why: func(_ topics.StreamStatus, _ StreamRule, lasted time.Duration) string {
			return fmt.Sprintf("%s for %s", name, lasted)
		},
		over: func(topics.StreamStatus) string { return over },
	}
}

// slow compares the rate of frames. An alert ends only a tenth above what is wanted,
// so that a rate that is about as wanted gives one alert and not many.
func slow(s topics.StreamStatus, r StreamRule) finding {
	f := finding{known: s.State == topics.StreamStreaming && s.Rate > 0, slack: s.Rate < 1.1*r.FPSBelow}
	if f.known && s.Rate < r.FPSBelow {
		f.since = s.At
	}
	return f
}

// graver is whether the fault is graver than the one that an alert's label is about.
func (f fault) graver(label string) bool {
	for _, other := range faults() {
		if other.label == label {
			return false
		}
		if other.label == f.label {
			return true
		}
	}
	return false
}

// faultOf is the fault that an alert's label is about.
func faultOf(label string) (fault, bool) {
	for _, f := range faults() {
		if f.label == label {
			return f, true
		}
	}
	return fault{}, false
}
