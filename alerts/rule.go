// Package alerts turns recognitions into alerts by rules: hysteresis, N of M
// clips, cooldown and schedule, per rule and camera.
package alerts

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Rule says what to raise an alert for, as a person writes it. Exactly one of
// Actions, Tags, Novel and Absent selects labels; a rule with Stream has none of them.
type Rule struct {
	Name    string   `yaml:"name"`
	Cameras []string `yaml:"cameras"` // globs over camera names; empty: every camera
	// CameraTags chooses cameras with any of these tags, of those that Cameras chooses;
	// empty: all of them.
	CameraTags []string `yaml:"camera_tags"`
	Actions    []string `yaml:"actions"` // labels
	Tags       []string `yaml:"tags"`    // labels with any of these tags
	Novel      bool     `yaml:"novel"`   // labels that the model was not trained on
	// Zone are zones of cameras: the rule counts its labels by what was seen in them alone.
	// None: in the whole picture.
	Zone   ZoneNames `yaml:"zone" json:",omitempty"`
	Then   *Then     `yaml:"then"`   // what has to be seen after them; nil: nothing
	Absent *Absent   `yaml:"absent"` // instead of the three above: what must not stay unseen
	// Count is how many cameras have to see them within a time; nil: each camera raises
	// alerts of its own.
	Count *Count `yaml:"count" json:",omitempty"` // omitempty: rules without it keep their Hash
	// Stream is what must not be wrong with the cameras' streams; nil: the rule is about
	// labels.
	Stream *StreamRule `yaml:"stream"`
	// Contrast, Score, Similarity and FalseAlarms say what is compared, and from where
	// on it counts: at most one of them. None: contrast, at its default.
	Contrast    *Levels       `yaml:"contrast"`
	Score       *Levels       `yaml:"score"`
	Similarity  *Levels       `yaml:"similarity"`
	FalseAlarms Budget        `yaml:"false_alarms"`
	Clips       ClipsRule     `yaml:"clips"`
	Cooldown    time.Duration `yaml:"cooldown"` // after a clear
	// Severity is info, warning or critical: warning where nothing is said, info where
	// SeverityFrom is.
	Severity     string        `yaml:"severity"`
	SeverityFrom *SeverityFrom `yaml:"severity_from"`
	Escalate     *Escalate     `yaml:"escalate"`
	// InhibitedBy are rules: while one of them has an alert open on a camera, this one
	// raises none there.
	InhibitedBy []string   `yaml:"inhibited_by"`
	Overrides   []Override `yaml:"overrides"`
	Schedule    *Schedule  `yaml:"schedule"` // when the rule is on; nil: always
	Quiet       *Schedule  `yaml:"quiet"`    // when it raises nothing although it is on; nil: never
	// Notify are the receivers that alone get its alerts; empty: all whose `when` chooses
	// them. Verify is what a second opinion is asked about them; empty: what
	// notify.verify says. Both have no bearing on what is raised (Hash).
	Notify []string `yaml:"notify" json:",omitempty"`
	Verify string   `yaml:"verify" json:",omitempty"`
}

// ClipsRule is "N of M": how many of the last M clips must score.
type ClipsRule struct{ N, M int }

var clipsText = regexp.MustCompile(`^\s*(\d{1,3})\s*of\s*(\d{1,3})\s*$`)

// UnmarshalText reads "2 of 3".
func (c *ClipsRule) UnmarshalText(b []byte) error {
	m := clipsText.FindSubmatch(b)
	if m == nil {
		return fmt.Errorf("clips %q: want N of M, as 2 of 3", b)
	}
	c.N, _ = strconv.Atoi(string(m[1])) // the pattern lets only digits through
	c.M, _ = strconv.Atoi(string(m[2]))
	if c.N < 1 { // 0 of 0 would be taken for clips that are left out
		return fmt.Errorf("clips: %s: want N of M with 1 ≤ N ≤ M ≤ %d", bytes.TrimSpace(b), maxM)
	}
	return nil
}

// MarshalText writes "2 of 3".
func (c ClipsRule) MarshalText() ([]byte, error) {
	c = c.orOne()
	return fmt.Appendf(nil, "%d of %d", c.N, c.M), nil
}

func (c ClipsRule) orOne() ClipsRule {
	if c == (ClipsRule{}) {
		return ClipsRule{1, 1}
	}
	return c
}

const maxM = 100

var ruleName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// mistake is an error about the value of a rule's key.
type mistake struct {
	error
	key string
}

// Unwrap returns the error without its key.
func (m *mistake) Unwrap() error { return m.error }

// compile checks the rule; the errors are everything that is wrong with it.
func (r Rule) compile() (*rule, []error) {
	var errs []error
	wrong := func(format string, args ...any) {
		key, _, _ := strings.Cut(format, ":")
		errs = append(errs, &mistake{fmt.Errorf("rule %q: "+format, append([]any{r.Name}, args...)...), key})
	}
	if !ruleName.MatchString(r.Name) {
		wrong("name: want 1 to 64 letters, digits, '.', '_' or '-'")
	}
	checkCameras(r.Cameras, r.CameraTags, wrong)
	if r.Stream != nil {
		r.checkStream(wrong)
	} else {
		r.checkSelection(wrong)
	}
	r.checkKind(wrong)
	r.checkCount(wrong)
	r.checkZone(wrong)
	r.checkMeasure(wrong)
	if c := r.Clips; c != (ClipsRule{}) && (c.N < 1 || c.N > c.M || c.M > maxM) {
		wrong("clips: %d of %d: want N of M with 1 ≤ N ≤ M ≤ %d", c.N, c.M, maxM)
	}
	if r.Cooldown < 0 {
		wrong("cooldown: %v: want 0 or more", r.Cooldown)
	}
	r.checkSeverity(wrong)
	r.checkInhibitors(wrong)
	r.checkNotified(wrong)
	on, untimely := r.active()
	errs = append(errs, untimely...)
	if len(errs) > 0 {
		return nil, errs
	}
	compiled := newRule(r, on)
	if errs := r.variants(compiled); len(errs) > 0 {
		return nil, errs
	}
	return compiled, nil
}

func (r Rule) checkSelection(wrong func(string, ...any)) {
	selectors := 0
	for _, used := range []bool{len(r.Actions) > 0, len(r.Tags) > 0, r.Novel, r.Absent != nil} {
		if used {
			selectors++
		}
	}
	if selectors != 1 {
		wrong("want exactly one of actions, tags, novel: true, absent and stream")
	}
	empty := func(n string) bool { return strings.TrimSpace(n) == "" }
	if slices.ContainsFunc(r.Actions, empty) {
		wrong("actions: an empty label")
	}
	if slices.ContainsFunc(r.Tags, empty) {
		wrong("tags: an empty tag")
	}
}
