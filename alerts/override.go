package alerts

import (
	"errors"
	"fmt"
	"strings"

	"github.com/frostwatch/frostwatch/topics"
)

// Override is what a rule does otherwise on some of its cameras. The first of a rule's
// overrides that matches a camera counts.
type Override struct {
	Cameras    []string `yaml:"cameras"`     // globs over camera names
	CameraTags []string `yaml:"camera_tags"` // or cameras with any of these tags; of both, a camera has to match both
	// The others are as in a Rule. One that is left out is that of the rule; one of the
	// first four takes the place of whichever of them the rule has.
	Contrast     *Levels       `yaml:"contrast"`
	Score        *Levels       `yaml:"score"`
	Similarity   *Levels       `yaml:"similarity"`
	FalseAlarms  Budget        `yaml:"false_alarms"`
	Clips        ClipsRule     `yaml:"clips"`
	Severity     string        `yaml:"severity"`
	SeverityFrom *SeverityFrom `yaml:"severity_from"`
}

// variant is a rule as it is on the cameras of an override.
type variant struct {
	Override
	rule *rule
}

// with is the rule as an override makes it.
func (r Rule) with(o Override) Rule {
	r.Overrides = nil
	if o.Contrast != nil || o.Score != nil || o.Similarity != nil || o.FalseAlarms != (Budget{}) {
		r.Contrast, r.Score, r.Similarity, r.FalseAlarms = o.Contrast, o.Score, o.Similarity, o.FalseAlarms
	}
	if o.Clips != (ClipsRule{}) {
		r.Clips = o.Clips
	}
	if o.Severity != "" {
		r.Severity, r.SeverityFrom = o.Severity, nil
	}
	if o.SeverityFrom != nil {
		r.SeverityFrom = o.SeverityFrom
	}
	return r
}

// maxOverrides bounds what compiling a rule takes.
const maxOverrides = 100

// variants compiles the overrides. base is the rule, which was found to be right.
func (r Rule) variants(base *rule) (errs []error) {
	if n := len(r.Overrides); n > maxOverrides {
		return []error{r.mistake("overrides", "overrides: %d of them: want at most %d", n, maxOverrides)}
	}
	for i, o := range r.Overrides {
		wrong := func(format string, args ...any) {
			errs = append(errs, r.mistake(fmt.Sprintf("overrides[%d]", i), "overrides[%d]: "+format, append([]any{i}, args...)...))
		}
		if len(o.Cameras) == 0 && len(o.CameraTags) == 0 {
			wrong("want the cameras that it is for, under cameras or camera_tags")
		}
		checkCameras(o.Cameras, o.CameraTags, wrong)
		if r.Count != nil {
			o.checkCounted(wrong)
		}
		changed := r.with(o)
		if o.Contrast == nil && o.Score == nil && o.Similarity == nil && o.FalseAlarms == (Budget{}) && o.Clips == (ClipsRule{}) && o.Severity == "" && o.SeverityFrom == nil {
			wrong("it changes nothing: want contrast, score, similarity, false_alarms, clips, severity or severity_from")
		}
		compiled, mistakes := changed.compile()
		for _, err := range mistakes {
			var m *mistake
			if errors.As(err, &m) {
				err = m.error
			}
			wrong("%s", strings.TrimPrefix(err.Error(), fmt.Sprintf("rule %q: ", r.Name)))
		}
		if compiled != nil {
			compiled.hash = base.hash
			base.variants = append(base.variants, variant{o, compiled})
		}
	}
	return errs
}

func checkCameras(globs, tags []string, wrong func(string, ...any)) {
	for _, glob := range globs {
		if err := topics.CheckGlob(glob); err != nil {
			wrong("cameras: %w", err)
		}
	}
	for _, tag := range tags {
		if strings.TrimSpace(tag) == "" {
			wrong("camera_tags: an empty tag")
		}
	}
}

// on is the rule as it is on a camera; nil where it does not watch it.
func (r *rule) on(camera string, tags []string) *rule {
	if !r.watches(camera, tags) {
		return nil
	}
	for _, v := range r.variants {
		if topics.Chosen(camera, tags, v.Cameras, v.CameraTags) {
			return v.rule
		}
	}
	return r
}

// Watches is whether the rule is for a camera with these tags.
func (r Rule) Watches(camera string, tags []string) bool { return r.watches(camera, tags) }

func (r Rule) watches(camera string, tags []string) bool {
	return topics.Chosen(camera, tags, r.Cameras, r.CameraTags)
}
