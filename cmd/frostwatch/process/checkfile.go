package process

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/console/cameraedit"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/envtext"
	"github.com/frostwatch/frostwatch/notify"
	"github.com/frostwatch/frostwatch/topics"
)

// Checked is what is in a configuration file with which stages start.
type Checked struct {
	Rules, Receivers int
	// Warnings are about what can't take effect, or not all of it.
	Warnings []string
}

// CheckFile refuses what a stage would refuse at its start, and finds what can never take
// effect. It asks no server.
func CheckFile(f config.File) (out Checked, err error) {
	of, err := checkParts(f.Config)
	if err != nil {
		return out, err
	}
	if err := checkCameras(f, cameraedit.LimitsOf(f.Config)); err != nil {
		return out, err
	}
	all := cameraedit.OfFile(f.Config)
	out.Rules, out.Receivers = len(of.rules.Names()), len(of.plan.Names())
	out.Warnings = slices.Concat(cameraWarnings(all), ruleWarnings(of.rules, of.plan, all), budgetWarnings(of.rules), setWarnings(f.Config.Vocab, all), placeWarnings(f.Config))
	return out, nil
}

// cameraWarnings are about each camera alone.
func cameraWarnings(all []topics.Camera) (out []string) {
	for _, c := range all {
		for _, advice := range cameras.Advice(c) {
			out = append(out, fmt.Sprintf("camera %s: %s", c.Name, strings.TrimPrefix(advice, "camera "+c.Name+": ")))
		}
		for _, url := range []string{c.URL, c.Watch} {
			if _, err := envtext.Expand(url, isSet); err != nil {
				out = append(out, fmt.Sprintf("camera %s: %v", c.Name, err))
			}
		}
	}
	return out
}

// isSet is for envtext.Expand: the value itself does not matter.
func isSet(name string, _ int) (string, error) {
	if _, has := os.LookupEnv(name); !has {
		return "", fmt.Errorf("the environment variable %s is not set here; ingest needs it", name)
	}
	return "", nil
}

// ruleWarnings are about rules that can't raise, and cameras that none watches. Rules and
// cameras may be in their tables only: those that the file lacks are not missed.
func ruleWarnings(rules *alerts.RuleSet, plan *notify.Plan, all []topics.Camera) (out []string) {
	around := alerts.Surroundings{}
	if len(plan.Names()) > 0 {
		around.Receivers = plan.WhyNot
	}
	if len(all) > 0 {
		around.Cameras, around.Zones = map[string][]string{}, map[string]map[string]topics.Polygon{}
		for _, c := range all {
			around.Cameras[c.Name], around.Zones[c.Name] = c.Tags, c.Zones
		}
	}
	idle := rules.WithoutEffect(around)
	for _, name := range slices.Sorted(maps.Keys(idle)) {
		out = append(out, fmt.Sprintf("rule %s: %v", name, idle[name]))
	}
	if len(rules.Rules()) == 0 {
		return out
	}
	for _, c := range all {
		if !slices.ContainsFunc(rules.Rules(), func(r alerts.Rule) bool { return r.Watches(c.Name, c.Tags) }) {
			out = append(out, fmt.Sprintf("camera %s: no rule of the file watches it", c.Name))
		}
	}
	return out
}

// budgetWarnings are about what a budget needs beside: the file can't say whether that runs.
func budgetWarnings(rules *alerts.RuleSet) []string {
	names := rules.WithBudgets()
	if len(names) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("calibrate: without `frostwatch up`, the budgets of %s are kept only where `frostwatch calibrate` runs; until it has found thresholds they raise from a contrast of %v", listed(names), alerts.DefaultContrast)}
}

// listed are names for people, the first few of many.
func listed(names []string) string {
	const most = 5
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}

// setWarnings are about vocabularies that no camera uses.
func setWarnings(v config.Vocab, all []topics.Camera) (out []string) {
	if len(all) == 0 {
		return nil
	}
	for i, s := range v.Sets {
		if !slices.ContainsFunc(all, func(c topics.Camera) bool { return v.Of(c) == s.Name }) {
			out = append(out, fmt.Sprintf("vocab.sets[%d]: no camera of the file uses the vocabulary %s", i, s.Name))
		}
	}
	return out
}

// OfUp is whether a warning does not concern `frostwatch up`, which has folders of its own.
func OfUp(warning string) bool {
	key, _, _ := strings.Cut(warning, ":")
	return key == "archive.bucket" || key == "ingest.packets.dir" || key == "calibrate"
}

// placeWarnings are about folders that are not there, and about what is not kept.
func placeWarnings(c config.Config) (out []string) {
	if standsForDemo(c) {
		out = append(out, "infer.bundle: the demo model, whose results mean nothing on real video")
	} else if _, err := froster.OpenBundle(c.Infer.Bundle); err != nil {
		out = append(out, fmt.Sprintf("infer.bundle: %v; infer does not start on this machine", err))
	}
	if c.Archive.Bucket == "" {
		out = append(out, "archive.bucket: empty: without `frostwatch up` nothing is archived, and the past can't be searched")
	}
	if c.Ingest.Packets.Dir == "" {
		out = append(out, "ingest.packets.dir: empty: without `frostwatch up` there are no films of alerts")
	}
	return out
}
