package topics

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// FROSTER was trained on clips of ClipFrames frames, at linspace(0, WindowSpan-1,
// ClipFrames) of WindowSpan frames at 30 frames a second. So a clip's last frame
// is (WindowSpan-1)/WindowSpan of the window's length after its start.
const (
	ClipFrames = 8
	WindowSpan = 128
)

// Step is the time between two frames of a clip, rounded down to nanoseconds:
// 604.76 ms for a window of 128/30 s.
func Step(window time.Duration) time.Duration {
	return window * (WindowSpan - 1) / (WindowSpan * (ClipFrames - 1))
}

// Stride is the time between the starts of two windows. It is given as a number of
// steps, so that windows share frames at any frame rate, or as a time. The zero
// value means the stage's default.
type Stride struct {
	Steps int           // see Step; 0: Time is used
	Time  time.Duration // 0 if Steps is used
}

// Of is the stride for windows of this length, rounded down to nanoseconds.
func (s Stride) Of(window time.Duration) time.Duration {
	if s.Steps == 0 {
		return s.Time
	}
	return window * time.Duration(s.Steps) * (WindowSpan - 1) / (WindowSpan * (ClipFrames - 1))
}

// String returns for example "4 steps" or "2.133s".
func (s Stride) String() string {
	switch s.Steps {
	case 0:
		return s.Time.String()
	case 1:
		return "1 step"
	}
	return strconv.Itoa(s.Steps) + " steps"
}

// MarshalText returns the same as String.
func (s Stride) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// maxSteps keeps a stride within time.Duration; CheckTimes is stricter.
const maxSteps = 100_000

// UnmarshalText parses "4 steps" or a number with a unit; empty text means the
// default.
func (s *Stride) UnmarshalText(b []byte) error {
	*s = Stride{}
	text := strings.TrimSpace(string(b))
	if text == "" {
		return nil
	}
	number, steps := strings.CutSuffix(strings.TrimSuffix(text, "s"), "step")
	if steps {
		n, err := strconv.Atoi(strings.TrimSpace(number))
		if err == nil && n >= 1 && n <= maxSteps {
			s.Steps = n
			return nil
		}
	} else if d, err := time.ParseDuration(text); err == nil {
		s.Time = d
		return nil
	}
	return fmt.Errorf("%.80q: want a number of steps such as \"4 steps\", or a number with a unit such as 2.133s", text)
}

// Limits of windows and strides.
const (
	minWindow = 100 * time.Millisecond
	maxWindow = 5 * time.Minute
	minStride = 50 * time.Millisecond
	maxStride = time.Hour
	maxOpen   = 100 // how many windows may overlap at one moment
)

// TimesError means that no camera can have this window or stride.
type TimesError struct {
	Key  string // "window" or "stride"
	Text string // the value, and what is wanted
}

func (e *TimesError) Error() string { return e.Key + " of " + e.Text }

// CheckTimes returns a *TimesError if a camera can't have this window with this
// stride. Neither may be zero: fill in the defaults first.
func CheckTimes(window time.Duration, stride Stride) error {
	if window < minWindow || window > maxWindow {
		return &TimesError{"window", fmt.Sprintf("%v: want %v to %v", window, minWindow, maxWindow)}
	}
	between := stride.Of(window)
	text := stride.String()
	if stride.Steps != 0 {
		text = fmt.Sprintf("%s (%v)", stride, between)
	}
	if between < minStride || between > maxStride {
		return &TimesError{"stride", fmt.Sprintf("%s: want %v to %v", text, minStride, maxStride)}
	}
	if window/between > maxOpen {
		return &TimesError{"stride", fmt.Sprintf("%s in a window of %v: want at least a hundredth of it", text, window)}
	}
	return nil
}

// ordinary is whether times can be written in every time zone: RFC 3339 ends with the year
// 9999, and encoding/json fails on what is later.
func ordinary(times ...time.Time) bool {
	for _, t := range times {
		if year := t.UTC().Year(); year < 1 || year > 9998 {
			return false
		}
	}
	return true
}
