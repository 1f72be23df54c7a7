package alerts

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// story is what a camera shows, clip by clip, and what a rule of docs/rules.md makes
// of it.
type story struct {
	camera string // lobby where empty
	tags   []string
	zone   string               // in which it is seen; empty: in the whole picture
	at     string               // when the first clip ends; noon where empty
	shows  map[string][]float64 // scores by label
	want   []string
}

// stories are by the names of the page's rules.
var stories = map[string]story{
	"fall": {
		camera: "ward-1", shows: map[string][]float64{"person falling down": {.1, .7, .7, .1, .1, .1}},
		want: []string{"2 raised critical", "5 cleared"},
	},
	"intruder": {
		camera: "gate-1", tags: []string{"outdoor"}, shows: map[string][]float64{"climbing over a fence": {.7, .8, .1, .8, .1, .1, .1}},
		want: []string{"3 raised critical", "6 cleared"},
	},
	"fence-climb": {
		camera: "yard-1", zone: "fence", shows: map[string][]float64{"climbing over a fence": {.1, .3, .1}},
		want: []string{"1 raised warning", "2 cleared"},
	},
	"theft": {
		shows: map[string][]float64{"grabbing a bag": {.1, .6}, "person running": {.7, .1, .1, .7, .1}},
		want:  []string{"3 raised warning", "4 cleared"},
	},
	"round": {
		camera: "ward-2", shows: map[string][]float64{"nurse visiting": slices.Concat([]float64{.9}, slices.Repeat([]float64{.1}, 3605), []float64{.9})},
		want: []string{"3600 raised warning", "3606 cleared"},
	},
	"fight": {
		shows: map[string][]float64{"two people fighting": {.6, .8, .8, .8, .1}},
		want:  []string{"0 raised warning", "3 escalated critical", "4 cleared"},
	},
	"pool": {
		camera: "pool-1", shows: map[string][]float64{"child alone by the water": {.9, .1}},
		want: []string{"0 raised critical", "1 cleared"},
	},
	"fire": {
		shows: map[string][]float64{"smoke or flames": {.8, .1}, "people running": {.9, .9}},
		want:  []string{"0 raised warning", "1 cleared", "1 raised warning"},
	},
	"running": {
		shows: map[string][]float64{"smoke or flames": {.8, .8}, "people running": {.9, .9}},
		want:  []string{"0 raised warning"},
	},
	"night-fence": {
		at: "2026-01-05T20:59:58Z", shows: map[string][]float64{"climbing over a fence": {.9, .9}}, // 22:00 in Berlin
		want: []string{"1 raised warning"},
	},
	"loading": {
		at: "2026-01-05T12:59:58Z", shows: map[string][]float64{"loading a van": {.9, .9}},
		want: []string{"1 raised warning"},
	},
}

// streamStory is what a camera's worker says of its stream, and what a rule of
// docs/rules.md makes of it.
type streamStory struct {
	said []said
	want []string
}

// streamStories are by the names of the page's rules.
var streamStories = map[string]streamStory{
	"away": {[]said{{110, offlineSince(0)}, {120, offlineSince(0)}, {130, fine}}, []string{"120 raised camera offline", "130 cleared camera offline"}},
	"lens": {[]said{{110, coveredSince(50)}, {120, lens(topics.LensFaults{})}, {130, movedSince(125)}, {300, movedSince(125)}, {310, lens(topics.LensFaults{})}, {620, defocusedSince(320)}, {630, lens(topics.LensFaults{})}},
		[]string{"110 raised lens covered", "120 cleared lens covered", "300 raised camera moved", "310 cleared camera moved", "620 raised picture out of focus", "630 cleared picture out of focus"}},
	"picture": {[]said{{59, blackSince(0)}, {60, blackSince(0)}, {70, fine}, {80, rate(4.9)}, {100, rate(5.4)}, {120, rate(5.5)}},
		[]string{"60 raised picture black", "70 cleared picture black", "80 raised frame rate low", "120 cleared frame rate low"}},
}

// countStories are what several cameras show, clip by clip, and what a rule of
// docs/rules.md that counts them makes of it.
var countStories = map[string]story{
	"crowd-runs": {
		tags: []string{"platform"}, shows: map[string][]float64{"north": {.6}, "south": {.1, .1, .6, .1, .1, .6}, "hall": {.1, .1, .1, .1, .7}},
		want: []string{"12s raised by hall", "34s cleared by hall"},
	},
}

// count plays the story of several cameras to an engine.
func (s story) count(set *RuleSet) (events []string) {
	var found []topics.Sighting
	e := NewEngine(set, time.Minute)
	e.SetSighted(func(one topics.Sighting) { found = append(found, one) })
	for _, camera := range slices.Sorted(maps.Keys(s.shows)) {
		for i, score := range s.shows[camera] {
			rec := clipAt(t0, i, topics.LabelScore{Label: "people running", Score: score})
			rec.Camera, rec.Tags = camera, s.tags
			e.Evaluate(rec)
		}
	}
	for _, a := range CountAll(set, found, t0.Add(time.Hour)) {
		events = append(events, fmt.Sprint(a.At.Sub(t0), " ", a.State, " by ", a.Camera))
	}
	return events
}

// tell plays the story, and writes down what happens at which second.
func (s streamStory) tell(e *streams) (events []string) {
	for _, one := range s.said {
		for _, a := range e.see(heard(one.second, one.change), nil) {
			events = append(events, fmt.Sprint(one.second, " ", a.State, " ", a.Label))
		}
	}
	return events
}

// tell plays the story to an engine, and writes down what happens at which clip.
func (s story) tell(t *testing.T, e *Engine) (events []string) {
	t.Helper()
	end := t0
	if s.at != "" {
		var err error
		if end, err = time.Parse(time.RFC3339, s.at); err != nil {
			t.Fatal(err)
		}
	}
	epoch, length := end.Add(-4*time.Second), 0
	for _, scores := range s.shows {
		length = max(length, len(scores))
	}
	for i := range length {
		var labels []topics.LabelScore
		for _, name := range slices.Sorted(maps.Keys(s.shows)) {
			if i < len(s.shows[name]) {
				l := topics.LabelScore{Label: name, Score: s.shows[name][i]} // clipAt adds the contrast
				if s.zone != "" {
					l = in(s.zone, l)
				}
				labels = append(labels, l)
			}
		}
		slices.SortFunc(labels, func(a, b topics.LabelScore) int { return int(1000 * (b.Score - a.Score)) })
		rec := clipAt(epoch, i, labels...)
		rec.Tags = s.tags
		if s.camera != "" {
			rec.Camera = s.camera
		}
		for _, a := range e.Evaluate(rec) {
			event := fmt.Sprint(i, " ", a.State)
			if a.State != topics.AlertCleared {
				event += " " + a.Severity
			}
			events = append(events, event)
		}
	}
	return events
}

func TestTheExamplesOfThePageAboutRules(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(shared.Root(t), "docs", "rules.md"))
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, text := range examples(string(page)) {
		set, err := compileText(text)
		if err != nil {
			t.Errorf("an example is refused: %v\n%s", err, text)
			continue
		}
		for _, r := range set.onStreams() {
			told[r.Name] = true
			if got := streamStories[r.Name].tell(newStreams(set)); !slices.Equal(got, streamStories[r.Name].want) {
				t.Errorf("rule %q: got %q, want %q", r.Name, got, streamStories[r.Name].want)
			}
		}
		for _, r := range set.all() {
			told[r.Name] = true
			if r.Count != nil {
				if got := countStories[r.Name].count(set); !slices.Equal(got, countStories[r.Name].want) {
					t.Errorf("rule %q: got %q, want %q", r.Name, got, countStories[r.Name].want)
				}
				continue
			}
			story, known := stories[r.Name]
			if !known {
				t.Errorf("no story tells what the rule %q does", r.Name)
				continue
			}
			if got := story.tell(t, NewEngine(set, time.Minute)); !slices.Equal(got, story.want) {
				t.Errorf("rule %q: got %q, want %q", r.Name, got, story.want)
			}
		}
	}
	for name := range streamStories {
		if !told[name] {
			t.Errorf("the page has no rule %q", name)
		}
	}
	for name := range countStories {
		if !told[name] {
			t.Errorf("the page has no rule %q", name)
		}
	}
	for name := range stories {
		if !told[name] {
			t.Errorf("the page has no rule %q", name)
		}
	}
}

// examples are the configurations of a page: its indented blocks that begin with
// rules.
func examples(page string) (out []string) {
	block := ""
	for line := range strings.Lines(page + "\nend\n") {
		code, indented := strings.CutPrefix(line, "    ")
		if indented {
			block += code
			continue
		}
		if strings.HasPrefix(block, "rules:") {
			out = append(out, block)
		}
		block = ""
	}
	return out
}
