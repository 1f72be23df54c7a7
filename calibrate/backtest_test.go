package calibrate

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// live records what rules raised, as the alerts stage would have.
func live(t *testing.T, past *recorded, rules *alerts.RuleSet) {
	t.Helper()
	got, err := Replay(t.Context(), ReplayOptions{Past: past, Rules: rules, Until: t0.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range got.Alerts {
		past.alerts = append(past.alerts, archive.Record[topics.Alert]{Value: a}, archive.Record[topics.Alert]{Value: a}) // sent twice
	}
}

// A backtest of the rules in force finds what was raised; of other rules, what is
// missing and what is new. An alert that begins with another clip is the same.
func TestBacktest(t *testing.T) {
	past := &recorded{}
	falls(past, 1, "lobby", 100, 10, 11, 40, 60, 61, 62)
	falls(past, 2, "ward", 100, 20, 50, 51)
	live(t, past, ruleSet(t, onScore("fall")))
	found := func(rule alerts.Rule) (out []string, b *Backtested) {
		b, err := Backtest(t.Context(), ReplayOptions{Past: past, Rules: ruleSet(t, rule), Since: t0.Add(-time.Hour), Until: t0.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range b.Alerts {
			out = append(out, fmt.Sprintf("%s %d %s", a.Camera, int(a.Raised.Sub(t0.Add(4*time.Second))/stride), a.Found))
		}
		return out, b
	}
	same, _ := found(onScore("fall"))
	if want := []string{"lobby 10 both", "ward 20 both", "lobby 40 both", "ward 50 both", "lobby 60 both"}; !slices.Equal(same, want) {
		t.Errorf("the same rules: %q, want %q", same, want)
	}
	stricter := onScore("fall")
	stricter.Clips = alerts.ClipsRule{N: 2, M: 2}
	less, b := found(stricter)
	if want := []string{"lobby 11 both", "ward 20 live", "lobby 40 live", "ward 51 both", "lobby 61 both"}; !slices.Equal(less, want) {
		t.Errorf("stricter rules: %q, want %q", less, want)
	}
	if want := []Tally{{"fall", "lobby", "2026-01-05", 2, 0, 1}, {"fall", "ward", "2026-01-05", 1, 0, 1}}; !slices.Equal(b.Tallies, want) {
		t.Errorf("tallies %+v, want %+v", b.Tallies, want)
	}
	longer := onScore("fall")
	longer.Clips = alerts.ClipsRule{N: 1, M: 1}
	longer.Name = "new"
	more, _ := found(longer)
	if n := strings.Count(strings.Join(more, ","), "backtest"); n != 5 || len(more) != 10 {
		t.Errorf("another rule: %q", more)
	}
}

// What was raised before the first recording that is kept can't be compared.
func TestABacktestBeginsWithTheRecordings(t *testing.T) {
	past := &recorded{}
	falls(past, 1, "lobby", 50, 20)
	old := topics.Alert{ID: "fall/lobby-1", State: topics.AlertRaised, Rule: "fall", Camera: "lobby", Onset: t0.Add(-time.Hour), At: t0.Add(-time.Hour)}
	past.alerts = append(past.alerts, archive.Record[topics.Alert]{Value: old})
	b, err := Backtest(t.Context(), ReplayOptions{Past: past, Rules: ruleSet(t, onScore("fall")), Since: t0.Add(-24 * time.Hour)})
	if err != nil || len(b.Alerts) != 1 || b.Alerts[0].Found != InBacktest || !b.Since.Equal(t0.Add(4*time.Second)) {
		t.Errorf("%+v, %v", b, err)
	}
}

// The plot is XML whose bars say what they count, whatever a name holds.
func TestThePlotOfABacktest(t *testing.T) {
	b := &Backtested{Since: t0, Until: t0.AddDate(0, 0, 30), Tallies: []Tally{
		{"fall <b>", "lobby", "2026-01-05", 2, 1, 0}, {"fall <b>", "lobby", "2026-02-04", 0, 0, 7}, {"fence", "yard", "2026-01-20", 1, 0, 0},
	}}
	var out bytes.Buffer
	if err := b.WritePlot(&out); err != nil {
		t.Fatal(err)
	}
	var titles []string
	bars := 0
	for d := xml.NewDecoder(&out); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		start, ok := token.(xml.StartElement)
		if ok && start.Name.Local == "title" {
			var text string
			if err := d.DecodeElement(&text, &start); err != nil {
				t.Fatal(err)
			}
			titles = append(titles, text)
		}
		if ok && start.Name.Local == "rect" {
			bars++
		}
	}
	if len(titles) != 3 || titles[0] != "fall <b> on lobby, 2026-01-05: 2 raised and would be, 1 only in the backtest, 0 only live" || bars != 1+3+4 {
		t.Errorf("%q, %d bars", titles, bars)
	}
}

// A moment is explained by the clip that shows it, hours later too.
func TestExplain(t *testing.T) {
	past := &recorded{}
	falls(past, 1, "lobby", 100, 50, 60)
	falls(past, 1, "ward", 100, 52)
	twice, elsewhere := onScore("twice"), onScore("elsewhere")
	twice.Clips, elsewhere.Cameras = alerts.ClipsRule{N: 2, M: 3}, []string{"ward"}
	rules := ruleSet(t, onScore("fall"), twice, elsewhere)
	live(t, past, ruleSet(t, onScore("fall")))
	ask := func(camera string, after time.Duration) *Explained {
		t.Helper()
		e, err := Explain(t.Context(), Moment{ReplayOptions: ReplayOptions{Past: past, Rules: rules}, Camera: camera, At: t0.Add(after)})
		if err != nil || len(e.Rules) != 3 {
			t.Fatalf("%+v, %v", e, err)
		}
		return e
	}
	e := ask("lobby", 101*time.Second)
	if e.Clip != topics.ClipID("lobby", t0, 50*stride) || len(e.Raised) != 1 || !e.Raised[0].Onset.Equal(t0.Add(50*stride)) {
		t.Errorf("at the fall: %+v", e)
	}
	for i, want := range []string{"raised alert fall/lobby", "which is not enough yet: of the last 3 clips 1 count, 2 of 3 are wanted", "it does not watch this camera"} {
		if !strings.Contains(e.Rules[i].Why, want) {
			t.Errorf("rule %s: %q, want %q", e.Rules[i].Rule, e.Rules[i].Why, want)
		}
	}
	if n := len(e.Rules[1].Clips); n != 3 || e.Rules[1].Clips[2].Clip != e.Clip {
		t.Errorf("%d clips of the second rule", n)
	}
	if e := ask("lobby", 40*time.Second); !strings.Contains(e.Rules[0].Why, "0.050, which is below 0.600") || len(e.Raised) != 0 {
		t.Errorf("before it: %+v", e)
	}
	if e := ask("lobby", 30*time.Minute); e.Clip != "" || e.Rules[0].Why != "no clip shows this moment" || !e.Before.Equal(t0.Add(99*stride+4*time.Second)) {
		t.Errorf("when nothing was sent: %+v", e)
	}
}

// What the rules of now make of a moment is not what happened then, where a rule is
// newer or was edited, and a rule on streams watches cameras without looking at clips.
func TestExplainSaysWhatWasReallyOpen(t *testing.T) {
	past := &recorded{}
	falls(past, 1, "lobby", 100, 50, 60)
	edited := onScore("fall")
	edited.Score = &alerts.Levels{Raise: .99}
	stream, err := alerts.ParseRule("health", "stream: black for 30s")
	if err != nil {
		t.Fatal(err)
	}
	other, err := alerts.ParseRule("other", "{stream: black for 30s, cameras: [ward]}")
	if err != nil {
		t.Fatal(err)
	}
	rules := ruleSet(t, edited, onScore("new"), stream, other)
	live(t, past, ruleSet(t, onScore("fall")))
	e, err := Explain(t.Context(), Moment{ReplayOptions: ReplayOptions{Past: past, Rules: rules}, Camera: "lobby", At: t0.Add(101 * time.Second)})
	if err != nil || len(e.Raised) != 1 {
		t.Fatalf("%+v, %v", e, err)
	}
	for _, r := range e.Rules {
		want := map[string]string{
			"fall":   "is below 0.990; in fact alert " + e.Raised[0].ID + " was open: this is replayed",
			"new":    "; in fact no alert of it was open: this is replayed",
			"health": "it is about the camera's stream, and looks at no clips",
			"other":  "it does not watch this camera",
		}[r.Rule]
		if !strings.Contains(r.Why, want) || r.Watches != (r.Rule != "other") {
			t.Errorf("%s: %q, want %q", r.Rule, r.Why, want)
		}
	}
}

// A word that was in no vocabulary is tried: the engine raises where it was seen.
func TestTry(t *testing.T) {
	refs := someReferences(t)
	past := bags(refs)
	w := words(t, past, refs, "leaves a bag")
	for _, c := range []struct {
		clips alerts.ClipsRule
		since time.Time
		want  []string
	}{
		{alerts.ClipsRule{N: 1, M: 1}, time.Time{}, []string{"door raised 50", "door cleared 51", "hall raised 100", "hall cleared 104", "hall raised 300", "hall cleared 301"}},
		{alerts.ClipsRule{N: 2, M: 3}, time.Time{}, []string{"hall raised 101", "hall cleared 106"}},
		{alerts.ClipsRule{N: 1, M: 1}, t0.Add(102*stride + 4*time.Second), []string{"hall raised 300", "hall cleared 301"}},
	} {
		for _, order := range [][]int{{1, 2}, {2, 1}} {
			past.order = order
			o := TryOptions{Past: past, Words: w, Rule: alerts.Rule{Name: "try", Actions: []string{"leaves a bag"}, Contrast: &alerts.Levels{Raise: .5}, Clips: c.clips}}
			o.Range.Since = c.since
			got, err := Try(t.Context(), o)
			if err != nil || !slices.Equal(told(got.Alerts), c.want) {
				t.Errorf("%v since %v: %q, %v; want %q", c.clips, c.since, told(got.Alerts), err, c.want)
			}
		}
	}
	byScore := TryOptions{Past: past, Words: w, Rule: onScore("try")}
	if _, err := Try(t.Context(), byScore); err == nil {
		t.Error("a rule on scores is tried")
	}
}
