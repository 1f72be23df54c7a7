package calibrate

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// TestFile is a file with tests of rules.
type TestFile struct {
	// Rules is the configuration file whose rules are tested, from the folder of the
	// test file.
	Rules string     `yaml:"rules"`
	Tests []RuleTest `yaml:"tests"`
}

// RuleTest is what is seen, and the alerts that are expected of it.
type RuleTest struct {
	Name   string        `yaml:"name"`
	Start  time.Time     `yaml:"start"`  // of the first clip; default: 2026-01-05 12:00 UTC, a Monday
	Stride time.Duration `yaml:"stride"` // between the starts of clips; default 2s
	Window time.Duration `yaml:"window"` // that a clip covers; default 4s
	Until  time.Duration `yaml:"until"`  // how long time runs on after the last clip
	Series []TestSeries  `yaml:"series"`
	Alerts []Expected    `yaml:"alerts"` // all that are raised; empty: none
}

// TestSeries is one label on one camera. The value of a clip is its contrast, score
// and similarity alike.
type TestSeries struct {
	Camera     string   `yaml:"camera"`
	CameraTags []string `yaml:"camera_tags"`
	Label      string   `yaml:"label"`
	Tags       []string `yaml:"tags"` // of the label
	Zone       string   `yaml:"zone"` // in which it is seen; empty: in the whole picture
	Novel      bool     `yaml:"novel"`
	Background bool     `yaml:"background"`
	Values     Series   `yaml:"values"`
}

// Expected is an alert. Times are since the start: an alert is raised and cleared at
// the end of a clip.
type Expected struct {
	Rule    string         `yaml:"rule"`
	Camera  string         `yaml:"camera"`
	Label   string         `yaml:"label"` // empty: any
	Raised  time.Duration  `yaml:"raised"`
	Cleared *time.Duration `yaml:"cleared"` // left out: it stays open
}

// ReadTests reads a file with tests.
func ReadTests(path string) (*TestFile, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var f TestFile
	if err := yaml.UnmarshalWithOptions(raw, &f, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %s", path, yaml.FormatError(err, false, false))
	}
	if f.Rules == "" || len(f.Tests) == 0 {
		return nil, fmt.Errorf("%s: want rules, the configuration file that has them, and tests", path)
	}
	if !filepath.IsAbs(f.Rules) {
		f.Rules = filepath.Join(filepath.Dir(path), f.Rules)
	}
	for i := range f.Tests {
		if err := f.Tests[i].complete(); err != nil {
			return nil, fmt.Errorf("%s: test %q: %w", path, f.Tests[i].Name, err)
		}
	}
	return &f, nil
}

func (t *RuleTest) complete() error {
	if t.Start.IsZero() {
		t.Start = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	}
	t.Stride, t.Window = cmp.Or(t.Stride, 2*time.Second), cmp.Or(t.Window, 4*time.Second)
	switch {
	case t.Name == "":
		return errors.New("it has no name")
	case t.Stride < time.Millisecond || t.Window < time.Millisecond || t.Stride > time.Hour || t.Window > time.Hour || t.Until < 0 || t.Until > 31*24*time.Hour:
		return errors.New("want stride and window from 1ms to 1h, and until up to 744h")
	case len(t.Series) == 0:
		return errors.New("it has no series")
	}
	clips := 0
	for _, s := range t.Series {
		if s.Camera == "" || s.Label == "" || len(s.Values) == 0 {
			return errors.New("each of series wants a camera, a label and values")
		}
		clips += len(s.Values)
	}
	if clips > maxSeries {
		return fmt.Errorf("its series have %d clips: at most %d", clips, maxSeries)
	}
	return nil
}

// CompileRules reads the rules of a configuration file.
func CompileRules(path string) (*alerts.RuleSet, error) {
	c, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	return alerts.Compile(c.Rules)
}

// Run returns what is wrong: alerts that are missing, not expected, or come at
// another time. Empty: nothing.
func (t *RuleTest) Run(rules *alerts.RuleSet) (wrong []string) {
	for _, e := range t.Alerts {
		if !slices.Contains(rules.Names(), e.Rule) {
			wrong = append(wrong, fmt.Sprintf("an alert of rule %q is expected: there is no such rule", e.Rule))
		}
	}
	p := newPlayer(rules, nil, nil)
	var all []topics.Alert
	var end time.Time
	for _, rec := range t.clips() {
		end = rec.End
		all = append(all, p.see(rec.End, &rec)...)
	}
	all = append(all, p.until(end.Add(t.Until))...)
	all = append(all, alerts.CountAll(rules, p.sighted, end.Add(t.Until))...)
	inOrder(all)
	return append(wrong, t.compare(spans(all))...)
}

// clips are the recognitions of the series, in order of time.
func (t *RuleTest) clips() (out []topics.Recognition) {
	longest := 0
	for _, s := range t.Series {
		longest = max(longest, len(s.Values))
	}
	epochs := map[string]time.Time{}
	for i := range longest {
		at := map[string]int{} // in out, by camera
		for _, s := range t.Series {
			if i >= len(s.Values) || s.Values[i].None {
				continue
			}
			k, has := at[s.Camera]
			if !has {
				k = len(out)
				at[s.Camera] = k
				out = append(out, t.clip(s, i, epochs))
			}
			v := s.Values[i].Value
			out[k].Labels = append(out[k].Labels, topics.LabelScore{
				Zone:  s.zoneRef(),
				Label: s.Label, Contrast: v, Score: v, Similarity: v, Tags: s.Tags, Novel: s.Novel, Background: s.Background,
			})
		}
		for _, k := range at {
			slices.SortStableFunc(out[k].Labels, func(a, b topics.LabelScore) int { return cmp.Compare(b.Score, a.Score) })
		}
	}
	return out
}

// clip is clip i of a camera, without labels.
func (t *RuleTest) clip(s TestSeries, i int, epochs map[string]time.Time) topics.Recognition {
	start := t.Start.Add(time.Duration(i) * t.Stride)
	for _, other := range t.Series {
		if other.Camera == s.Camera && i < len(other.Values) && other.Values[i].Fresh {
			epochs[s.Camera] = start
		}
	}
	epoch := epochs[s.Camera]
	if epoch.IsZero() {
		epoch = t.Start
		epochs[s.Camera] = epoch
	}
	var tags []string
	for _, other := range t.Series {
		if other.Camera == s.Camera && len(tags) == 0 {
			tags = other.CameraTags
		}
	}
	return topics.Recognition{
		ClipID: topics.ClipID(s.Camera, epoch, start.Sub(epoch)), Camera: s.Camera, Tags: tags, Epoch: epoch,
		Sequence: uint64(start.Sub(epoch) / t.Stride), Start: start, End: start.Add(t.Window), References: &topics.References{Hash: "test"},
	}
}

func (s TestSeries) zoneRef() *topics.ZoneRef {
	if s.Zone == "" {
		return nil
	}
	return &topics.ZoneRef{Name: s.Zone}
}

// compare says how the alerts differ from those expected.
func (t *RuleTest) compare(got []Compared) (wrong []string) {
	left := slices.Clone(t.Alerts)
	var more []Compared
	for _, g := range got {
		i := slices.IndexFunc(left, func(e Expected) bool { return t.differs(e, g) == "" })
		if i < 0 {
			more = append(more, g)
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, e := range left {
		// The one that was probably meant: of the rule and camera, the nearest in time.
		best := -1
		for i, g := range more {
			if g.Rule != e.Rule || g.Camera != e.Camera {
				continue
			}
			if best < 0 || (g.Raised.Sub(t.Start)-e.Raised).Abs() < (more[best].Raised.Sub(t.Start)-e.Raised).Abs() {
				best = i
			}
		}
		text := fmt.Sprintf("rule %s on %s: expected an alert raised at %s", e.Rule, e.Camera, e.Raised)
		if best < 0 {
			wrong = append(wrong, text+", got none")
			continue
		}
		wrong = append(wrong, text+": "+t.differs(e, more[best]))
		more = slices.Delete(more, best, best+1)
	}
	for _, g := range more {
		wrong = append(wrong, fmt.Sprintf("rule %s on %s: not expected: an alert of %q at %.3f, raised at %s, %s",
			g.Rule, g.Camera, topics.Clean(g.Label), g.Value, t.clock(g.Raised), t.ended(g)))
	}
	return wrong
}

// differs says how an alert differs from the one expected; empty: it does not.
func (t *RuleTest) differs(e Expected, g Compared) string {
	switch {
	case e.Rule != g.Rule || e.Camera != g.Camera:
		return "it is another rule's, or of another camera"
	case g.Raised.Sub(t.Start) != e.Raised:
		return "it was raised at " + t.clock(g.Raised)
	case e.Cleared == nil && g.Cleared != nil:
		return "it was cleared at " + t.clock(*g.Cleared) + ", and should stay open"
	case e.Cleared != nil && g.Cleared == nil:
		return fmt.Sprintf("it stayed open, and should be cleared at %s", *e.Cleared)
	case e.Cleared != nil && g.Cleared.Sub(t.Start) != *e.Cleared:
		return fmt.Sprintf("it was cleared at %s, and should be at %s", t.clock(*g.Cleared), *e.Cleared)
	case e.Label != "" && e.Label != g.Label:
		return fmt.Sprintf("it is about %q, and should be about %q", topics.Clean(g.Label), e.Label)
	}
	return ""
}

func (t *RuleTest) ended(g Compared) string {
	if g.Cleared == nil {
		return "still open"
	}
	return "cleared at " + t.clock(*g.Cleared)
}

// clock is a time since the start, with the clip that ends then.
func (t *RuleTest) clock(at time.Time) string {
	since := at.Sub(t.Start)
	if n := since - t.Window; n >= 0 && n%t.Stride == 0 {
		return fmt.Sprintf("%s (clip %d)", since, n/t.Stride)
	}
	return since.String()
}
