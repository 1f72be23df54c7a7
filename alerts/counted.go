package alerts

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// Count is how many of a rule's cameras have to see something, and how close together:
// in YAML {cameras: 3, within: 30s}, or the text "3 cameras within 30s".
type Count struct {
	Cameras int           `yaml:"cameras"`
	Within  time.Duration `yaml:"within"`
}

const (
	maxCounted = topics.MaxAlertCameras
	// minCounted is less than a clip takes; in a shorter time cameras agree by chance.
	minCounted = time.Second
)

var countText = regexp.MustCompile(`^\s*(\d{1,6})\s+cameras\s+within\s+(\S+)\s*$`)

// UnmarshalText reads "N cameras within TIME".
func (c *Count) UnmarshalText(b []byte) error {
	m := countText.FindSubmatch(b)
	if m == nil {
		return fmt.Errorf(`count: %.80q: want N cameras within TIME, as 3 cameras within 30s, or {cameras: 3, within: 30s}`, b)
	}
	within, err := time.ParseDuration(string(m[2]))
	if err != nil {
		return fmt.Errorf(`count: %.80q: want a time after within, as 30s`, b)
	}
	c.Cameras, _ = strconv.Atoi(string(m[1])) // the pattern lets only digits through
	c.Within = within
	return nil
}

// UnmarshalYAML reads the text or the keys.
func (c *Count) UnmarshalYAML(unmarshal func(any) error) error {
	type keys Count
	return config.EitherForm(unmarshal, c.UnmarshalText, (*keys)(c))
}

// String is the count as it is written in a rule.
func (c Count) String() string { return fmt.Sprintf("%d cameras within %s", c.Cameras, c.Within) }

// checkCount refuses what a rule that counts cameras can't have: its alerts belong to no
// single camera, and no single value raises them.
func (r Rule) checkCount(wrong func(string, ...any)) {
	c := r.Count
	if c == nil {
		return
	}
	if c.Cameras < 2 || c.Cameras > maxCounted {
		wrong("count: %d cameras: want 2 to %d", c.Cameras, maxCounted)
	}
	if c.Within < minCounted || c.Within > maxWithin {
		wrong("count: within %v: want %v to %v", c.Within, minCounted, maxWithin)
	}
	for key, used := range map[string]bool{
		"then": r.Then != nil, "absent": r.Absent != nil, "severity_from": r.SeverityFrom != nil,
		"escalate": r.Escalate != nil, "inhibited_by": len(r.InhibitedBy) > 0,
	} {
		if used {
			wrong(key + ": a rule that counts cameras can't have it")
		}
	}
	if r.FalseAlarms != (Budget{}) {
		wrong("false_alarms: a rule that counts cameras has no budget: want contrast, score or similarity, from which on a camera counts")
	}
	if l := r.Levels(); l.Clear != 0 {
		wrong(string(r.Measure())+": clear %v: a rule that counts cameras clears when fewer of them reach raise: want no clear", l.Clear)
	}
}

// tooFew says so where the rule watches fewer cameras than it wants.
func (r *rule) tooFew(cameras map[string][]string) []string {
	if r.Count == nil {
		return nil
	}
	n := 0
	for name, tags := range cameras {
		if r.watches(name, tags) {
			n++
		}
	}
	if n >= r.Count.Cameras {
		return nil
	}
	return []string{fmt.Sprintf("it wants %d cameras, and watches %d", r.Count.Cameras, n)}
}

// checkCounted refuses what an override can't change of a rule that counts cameras.
func (o Override) checkCounted(wrong func(string, ...any)) {
	if o.Severity != "" || o.SeverityFrom != nil {
		wrong("severity: the alert of a rule that counts cameras is of all of them: want it in the rule itself")
	}
}
