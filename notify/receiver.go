package notify

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// Receiver is an entry of notify.receivers: what is delivered, to whom, and how.
type Receiver struct {
	Name     string              `yaml:"name"`
	When     When                `yaml:"when"`
	States   []topics.AlertState `yaml:"states"`   // empty: all
	Timezone string              `yaml:"timezone"` // of the times in sentences, a name of the IANA database; empty: UTC
	Group    Group               `yaml:"group"`
	Limit    Limit               `yaml:"limit"`
	Keep     config.Age          `yaml:"keep"` // how long delivery is tried; 0: a day
	Pictures bool                `yaml:"pictures"`
	Verify   *bool               `yaml:"verify"` // false: it gets alerts without a second opinion, and at once
	Film     bool                `yaml:"film"`

	Webhook *Webhook `yaml:"webhook"`
	Command *Command `yaml:"command"`
	People  *People  `yaml:"people"`

	Alertmanager *Alertmanager `yaml:"alertmanager"`
	MQTT         *MQTT         `yaml:"mqtt"`
}

// When chooses alerts. What is left out chooses all.
type When struct {
	Rules      []string `yaml:"rules"`       // globs over names
	Cameras    []string `yaml:"cameras"`     // globs over names
	CameraTags []string `yaml:"camera_tags"` // cameras with any of these
	Severity   string   `yaml:"severity"`    // this one or a higher one
}

// choice is what w says of rules and cameras.
func (w When) choice() topics.Choice {
	return topics.Choice{Rules: w.Rules, Cameras: w.Cameras, CameraTags: w.CameraTags}
}

// chooses is whether an alert is among those of w.
func (w When) chooses(a topics.Alert) bool {
	return w.choice().Chooses(a) && topics.SeverityRank(a.Severity) >= topics.SeverityRank(w.Severity)
}

func (w When) check() error {
	var errs []error
	for _, err := range w.choice().CheckNames() {
		errs = append(errs, fmt.Errorf("when.%w", err))
	}
	if w.Severity != "" && !slices.Contains(topics.Severities(), w.Severity) {
		errs = append(errs, fmt.Errorf("when.severity: %q: want info, warning or critical", w.Severity))
	}
	return errors.Join(errs...)
}

// Group holds back events that are like one that was just sent, and then sends them
// together. In YAML "30s by camera", or by rule, or "30s" for all together. The zero
// value sends each at once.
type Group struct {
	Every time.Duration
	By    string // camera, rule, or empty
}

// maxGroup bounds how long something is held back.
const maxGroup = time.Hour

// UnmarshalText reads the text.
func (g *Group) UnmarshalText(b []byte) error {
	text := string(b)
	every, by, some := strings.Cut(text, " by ")
	d, err := time.ParseDuration(strings.TrimSpace(every))
	by = strings.TrimSpace(by)
	if err != nil || d <= 0 || d > maxGroup || some && by != "camera" && by != "rule" {
		return fmt.Errorf("%q: want a time of at most 1h, such as 30s, 30s by camera or 1m by rule", text)
	}
	*g = Group{d, by}
	return nil
}

// of is the group of an alert.
func (g Group) of(a topics.Alert) string {
	switch g.By {
	case "camera":
		return a.Camera
	case "rule":
		return a.Rule
	}
	return ""
}

// Limit is how many notifications a receiver gets in a time at most; the rest are
// held back and sent together. In YAML "20 per 1m". The zero value is no limit.
type Limit struct {
	Count int
	Per   time.Duration
}

var limitText = regexp.MustCompile(`^(\d{1,6}) per (\S+)$`)

// UnmarshalText reads the text.
func (l *Limit) UnmarshalText(b []byte) error {
	m := limitText.FindStringSubmatch(string(b))
	if m == nil {
		return fmt.Errorf("%q: want a number in a time, such as 20 per 1m", b)
	}
	n, err := strconv.Atoi(m[1])
	per, err2 := time.ParseDuration(m[2])
	if err := errors.Join(err, err2); err != nil || n < 1 || per < time.Second || per > 24*time.Hour {
		return fmt.Errorf("%q: want at least 1, in a time of 1s to 24h, such as 20 per 1m", b)
	}
	*l = Limit{n, per}
	return nil
}

// check returns all that is wrong with a receiver, but not what its kind finds.
func (r Receiver) check() error {
	errs := []error{r.When.check()}
	if err := topics.CheckReceiverName(r.Name); err != nil {
		errs = append(errs, fmt.Errorf("name: %w", err))
	}
	for _, s := range r.States {
		if s != topics.AlertRaised && s != topics.AlertEscalated && s != topics.AlertCleared {
			errs = append(errs, fmt.Errorf("states: %q: want raised, escalated or cleared", s))
		}
	}
	if _, err := time.LoadLocation(r.Timezone); err != nil {
		errs = append(errs, fmt.Errorf("timezone: %q: want a name such as Europe/Berlin", r.Timezone))
	}
	if keep := time.Duration(r.Keep); keep != 0 && (keep < time.Minute || keep > maxKeep) {
		errs = append(errs, fmt.Errorf("keep: %v: want 1m to %dd", keep, maxKeep/(24*time.Hour)))
	}
	return errors.Join(errs...)
}

const (
	usualKeep = 24 * time.Hour
	maxKeep   = 30 * 24 * time.Hour // alerts are on Kafka for 90 days
)
