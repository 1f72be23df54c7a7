package topics

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Choice chooses alerts by rule and camera. What is left out chooses all.
type Choice struct {
	Rules      []string `json:"rules,omitempty" yaml:"rules"`             // globs over names
	Cameras    []string `json:"cameras,omitempty" yaml:"cameras"`         // globs over names
	CameraTags []string `json:"camera_tags,omitempty" yaml:"camera_tags"` // cameras with any of these
}

// Chooses is whether an alert is among those of c.
func (c Choice) Chooses(a Alert) bool {
	return Chosen(a.Rule, nil, c.Rules, nil) && Chosen(a.Camera, a.Tags, c.Cameras, c.CameraTags)
}

// ChoiceOf chooses alerts like a: of its rule on its camera, or on all cameras where the
// rule counts them, since one of several is about another the next time.
func ChoiceOf(a Alert) Choice {
	c := Choice{Rules: []string{literal(a.Rule)}}
	if len(a.Cameras) == 0 {
		c.Cameras = []string{literal(a.Camera)}
	}
	return c
}

// literal is a glob that matches a name alone: anyone may have written an alert of a rule *.
func literal(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}

// maxChoice bounds each list of a choice.
const maxChoice = 32

// Check returns all that is wrong with a choice; empty, it is right.
func (c Choice) Check() error {
	errs := c.CheckNames()
	if max(len(c.Rules), len(c.Cameras), len(c.CameraTags)) > maxChoice {
		errs = append(errs, fmt.Errorf("want at most %d rules, cameras and tags each", maxChoice))
	}
	return errors.Join(errs...)
}

// CheckNames returns what is wrong with the globs and tags, however many there are; each
// error begins with its key.
func (c Choice) CheckNames() (errs []error) {
	for _, of := range []struct {
		key   string
		names []string
		check func(string) error
	}{{"rules", c.Rules, CheckGlob}, {"cameras", c.Cameras, CheckGlob}, {"camera_tags", c.CameraTags, CheckTag}} {
		for _, name := range of.names {
			if err := of.check(name); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", of.key, err))
			}
		}
	}
	return errs
}

// IsZero is whether it names nothing, and so chooses all.
func (c Choice) IsZero() bool { return len(c.Rules)+len(c.Cameras)+len(c.CameraTags) == 0 }

// Silence keeps what happens to alerts, from At on and before Until, from being
// delivered. They are raised and recorded all the same.
type Silence struct {
	ID string `json:"silence_id"`
	Choice
	At    time.Time `json:"at"`
	Until time.Time `json:"until"`
	Note  string    `json:"note,omitempty"` // why, for people
	By    string    `json:"by,omitempty"`
}

// MaxSilence bounds how long a silence lasts.
const MaxSilence = 366 * 24 * time.Hour

// Covers is whether what happens to an alert at a time is silenced.
func (s Silence) Covers(a Alert, at time.Time) bool {
	return !at.Before(s.At) && at.Before(s.Until) && s.Chooses(a)
}

// Validate checks everything that readers rely on.
func (s Silence) Validate() error {
	switch {
	case !cameraName.MatchString(s.ID):
		return fmt.Errorf("silence_id %.80q: want 1 to 64 letters, digits, '.', '_' or '-'", s.ID)
	case s.IsZero():
		return errors.New("neither rules nor cameras nor camera_tags: want at least one")
	case !ordinary(s.At, s.Until):
		return fmt.Errorf("from %v until %v: want years of 1 to 9998", s.At, s.Until)
	case s.At.IsZero() || s.Until.Before(s.At):
		return fmt.Errorf("from %s until %s: want a begin, and an end after it", s.At.Format(time.RFC3339), s.Until.Format(time.RFC3339))
	case s.Until.Sub(s.At) > MaxSilence:
		return fmt.Errorf("until %s: a silence lasts at most %d days", s.Until.Format(time.RFC3339), MaxSilence/(24*time.Hour))
	case len(s.Note) > maxText || !Printable(s.Note):
		return fmt.Errorf("note: want at most %d bytes of printable text", maxText)
	case s.By != "" && !isID(s.By):
		return fmt.Errorf("by: want at most %d bytes of printable text", maxID)
	}
	return s.Check()
}

// EncodeSilence makes the JSON record.
func EncodeSilence(s Silence) ([]byte, error) { return encodeChecked("silence", s) }

// DecodeSilence parses and validates a record of the topic silences.
func DecodeSilence(b []byte) (Silence, error) {
	return decodeChecked[Silence]("silence", b, silenceBounds)
}

// ActiveSilences are those that have not ended, the one that ends first first.
func ActiveSilences(all []Silence, now time.Time) (out []Silence) {
	for _, s := range all {
		if now.Before(s.Until) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Silence) int { return a.Until.Compare(b.Until) })
	return out
}

// String says in words what is chosen: "rule fall; cameras ward-*".
func (c Choice) String() string {
	var parts []string
	for _, of := range []struct {
		what  string
		names []string
	}{{"rule", c.Rules}, {"camera", c.Cameras}, {"tag", c.CameraTags}} {
		if len(of.names) > 0 {
			parts = append(parts, of.what+" "+strings.Join(of.names, " or "))
		}
	}
	if len(parts) == 0 {
		return "everything"
	}
	return strings.Join(parts, ", ")
}
