package calibrate

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// staged is what two cameras recorded, and the truth of it: from time to time somebody
// falls, more or less plainly, or does what looks a little like it.
func staged(refs *scoring.References, clips int) (past *recorded, truth string) {
	past = &recorded{}
	var b strings.Builder
	b.WriteString("camera,label,start,end\n")
	random := rand.New(rand.NewPCG(8, 8))
	for c, camera := range []string{"hall", "ward"} {
		fmt.Fprintf(&b, "%s,watched,%s,%s\n", camera, stamp(t0), stamp(t0.Add(time.Duration(clips+10)*stride)))
		for i := 0; i < clips; {
			long, noise, falls := 1, 0.25, false
			if i > 5 && random.IntN(8) == 0 {
				long, noise, falls = 1+random.IntN(6), 0.1+0.4*random.Float64(), random.IntN(3) > 0
			}
			text := "an empty room"
			if long > 1 {
				text = "falling down"
				noise += map[bool]float64{true: 0, false: 0.25}[falls]
			}
			if falls && long > 1 {
				from := t0.Add(time.Duration(i) * stride)
				fmt.Fprintf(&b, "%s,Falling Down,%s,%s\n", camera, from.Add(time.Second).Format(time.RFC3339), from.Add(time.Duration(long)*stride).Format(time.RFC3339))
			}
			for range long {
				past.add(c, camera, i, looksLike(text, noise, 10_000*c+i, refs))
				i++
			}
		}
	}
	return past, b.String()
}

func readTruth(t testing.TB, text string) *Truth {
	t.Helper()
	truth, err := ReadTruth(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return truth
}

func judgeOptions(t testing.TB, past Past, refs *scoring.References, truth string) JudgeOptions {
	t.Helper()
	m, err := Newest(t.Context(), past, archive.Range{}, t0.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return JudgeOptions{Past: past, Model: m, Embedder: vectors{refs}, Truth: readTruth(t, truth), Subjects: Subjects{Vocabulary: func(string) []vocab.Label { return []vocab.Label{{Name: "falling down"}} }}}
}

// counted runs the rule as `vocab try` does, over all that is recorded, and pairs alerts
// and cases in every possible way.
func counted(t *testing.T, o JudgeOptions, rule alerts.Rule) (raised, found int) {
	t.Helper()
	w := words(t, o.Past, o.Embedder.(vectors).references, "falling down")
	tried, err := Try(t.Context(), TryOptions{Past: o.Past, Words: w, Rule: rule})
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]*interval{}
	all := map[string][]*interval{}
	for _, a := range tried.Alerts {
		if a.State == topics.AlertRaised {
			open[a.ID] = &interval{a.Onset, t0.Add(24 * time.Hour)}
			all[a.Camera] = append(all[a.Camera], open[a.ID])
			raised++
		} else {
			open[a.ID].to = a.At
		}
	}
	for camera, of := range all {
		var spans, cases []interval
		for _, c := range o.Truth.cases["Falling Down"][camera] {
			cases = append(cases, c.interval)
		}
		for _, v := range of {
			spans = append(spans, *v)
		}
		found += pairs(spans, cases)
	}
	return raised, found
}

// pairs tries to pair each alert with each case, and moves earlier pairs out of the way
// where they have another choice.
func pairs(alerts, cases []interval) (n int) {
	of := map[int]int{} // alerts by case
	var try func(a int, seen map[int]bool) bool
	try = func(a int, seen map[int]bool) bool {
		for c := range cases {
			if seen[c] || !shares(alerts[a], cases[c]) {
				continue
			}
			seen[c] = true
			if before, taken := of[c]; !taken || try(before, seen) {
				of[c] = a
				return true
			}
		}
		return false
	}
	for a := range alerts {
		if try(a, map[int]bool{}) {
			n++
		}
	}
	return n
}

// At each threshold of a curve, the rule raises and finds on the whole past what the
// curve says.
func TestCurvesAreWhatRulesWouldRaise(t *testing.T) {
	refs := someReferences(t)
	past, truth := staged(refs, 900)
	o := judgeOptions(t, past, refs, truth)
	got, err := Judge(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	j := got.Subjects[0]
	if j.Name != "Falling Down" || j.Cases != o.Truth.Cases("Falling Down") || j.Cases < LeastCases || j.Cameras != 2 || j.Clips != 1800 || len(j.Curve) < 10 {
		t.Fatalf("%+v", j)
	}
	most := 0
	for _, p := range j.Curve {
		raised, found := counted(t, o, alerts.Rule{Name: "r", Actions: []string{"falling down"}, Contrast: &alerts.Levels{Raise: p.Threshold}})
		if p.Found != found || p.FalseAlarms != raised-found {
			t.Errorf("at %v: %d found and %d false alarms, the rule has %d and %d", p.Threshold, p.Found, p.FalseAlarms, found, raised-found)
		}
		if math.Abs(p.Recall-float64(found)/float64(j.Cases)) > 1e-9 || math.Abs(p.Precision-float64(found)/float64(raised)) > 1e-9 {
			t.Errorf("at %v: recall %v, precision %v", p.Threshold, p.Recall, p.Precision)
		}
		most = max(most, found)
	}
	if most < j.Cases*8/10 || j.Curve[0].Found > 3 {
		t.Errorf("from %d to %d of %d cases found", j.Curve[0].Found, most, j.Cases)
	}
	// An hour is too short for the rates.
	if days := 2 * (900*2 + 2) / 86400.; math.Abs(j.CameraDays-days) > 1e-6 {
		t.Errorf("%v camera-days, want %v", j.CameraDays, days)
	}
	if r := j.Refusals(); len(r) != 2 || j.Points[0].Measured != nil || !strings.HasPrefix(r[1], "Falling Down: 0.1 false alarms per camera-day can't be measured on 0.0417 camera-days: 30 are needed") {
		t.Errorf("refused: %q", r)
	}
}

// A rule is judged as it is: with its clips, its cooldown, its clear level and its
// override for a camera.
func TestRulesAreJudgedAsTheyAre(t *testing.T) {
	refs := someReferences(t)
	past, truth := staged(refs, 900)
	rule := alerts.Rule{
		Name: "Falling Down", Actions: []string{"falling  DOWN"}, Contrast: &alerts.Levels{Raise: 0.9, Clear: 0.05}, Clips: alerts.ClipsRule{N: 2, M: 3},
		Cooldown: time.Minute, Cameras: []string{"h*"},
	}
	text := strings.ReplaceAll(strings.ReplaceAll(truth, "label", "rule"), "Falling Down", "fall")
	lines := slices.DeleteFunc(strings.SplitAfter(text, "\n"), func(l string) bool { return strings.HasPrefix(l, "ward,fall") })
	o := judgeOptions(t, past, refs, strings.Join(lines, ""))
	rule.Name = "fall"
	o.Rules = ruleSet(t, rule)
	got, err := Judge(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	o.Truth.cases["Falling Down"] = o.Truth.cases["fall"]
	j := got.Subjects[0]
	if j.Cameras != 1 || j.Clips != 900 || len(j.Curve) < 8 {
		t.Fatalf("%+v", j)
	}
	for _, p := range j.Curve {
		rule.Contrast = &alerts.Levels{Raise: p.Threshold, Clear: min(0.05, p.Threshold)}
		if raised, found := counted(t, o, rule); p.Found != found || p.FalseAlarms != raised-found {
			t.Errorf("at %v: %d found and %d false alarms, the rule has %d and %d", p.Threshold, p.Found, p.FalseAlarms, found, raised-found)
		}
	}
}

// Only what somebody watched counts, and no rule counts clips from before and after a
// pause together.
func TestOnlyWatchedTimeCounts(t *testing.T) {
	refs := someReferences(t)
	past := &recorded{}
	shows := map[int]bool{10: true, 49: true, 90: true, 110: true}
	for i := range 130 {
		text := "an empty room"
		if shows[i] {
			text = "falling down"
		}
		past.add(0, "hall", i, looksLike(text, 0, i, refs))
	}
	at := func(clip int) string { return t0.Add(time.Duration(clip) * stride).Format(time.RFC3339) }
	// The first row ends with clip 49, the second begins with clip 90.
	text := "camera,rule,start,end\nhall,watched," + at(20) + "," + at(51) + "\nhall,watched," + at(90) + "," + at(132) + "\nhall,fall," + at(109) + "," + at(113) + "\n"
	o := judgeOptions(t, past, refs, text)
	for clips, want := range map[alerts.ClipsRule]tally{{N: 1, M: 1}: {alerts: 3, found: 1}, {N: 2, M: 3}: {}} {
		o.Rules = ruleSet(t, alerts.Rule{Name: "fall", Actions: []string{"falling down"}, Clips: clips})
		subjects, err := o.resolve(o.Truth)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := o.columns(t.Context(), subjects)
		if err != nil {
			t.Fatal(err)
		}
		got, err := gather(t.Context(), past, archive.Range{}, gatherOptions{model: o.Model, columns: columns, only: o.Truth.watch})
		if err != nil {
			t.Fatal(err)
		}
		sites, clips, err := subjects[0].place(o.Truth, got)
		if err != nil || clips != 30+40 {
			t.Fatalf("%d clips, %v", clips, err)
		}
		if r := newSweep(sites).at(0); r.alerts != want.alerts || r.found != want.found {
			t.Errorf("%v: %+v, want %+v", clips, r, want)
		}
	}
}

// What a truth says and nothing fits is named before anything is compared.
func TestTruthsThatDoNotFit(t *testing.T) {
	refs := someReferences(t)
	past, _ := staged(refs, 100)
	at := func(clip int) string { return t0.Add(time.Duration(clip) * stride).Format(time.RFC3339) }
	rules := ruleSet(t,
		alerts.Rule{Name: "fall", Actions: []string{"falling down"}, Cameras: []string{"ward"}},
		alerts.Rule{Name: "scored", Actions: []string{"falling down"}, Score: &alerts.Levels{Raise: .5}},
		alerts.Rule{Name: "strange", Novel: true}, alerts.Rule{Name: "other", Tags: []string{"none"}},
		alerts.Rule{Name: "gone", Absent: &alerts.Absent{Actions: []string{"falling down"}, For: time.Hour}},
	)
	all := "hall,watched," + at(0) + "," + at(101) + "\n"
	for name, c := range map[string]struct{ header, rows, want string }{
		"a label":        {"label", all + "hall,faling down," + at(10) + "," + at(12) + "\n", `line 3: label "faling down" is neither in the vocabulary nor in a rule: "falling down" may be meant`},
		"a rule":         {"rule", all + "hall,fell," + at(10) + "," + at(12) + "\n", `line 3: there is no rule "fell": "fall" may be meant`},
		"another camera": {"rule", all + "hall,fall," + at(10) + "," + at(12) + "\n", "line 3: rule fall does not watch camera hall"},
		"by score":       {"rule", all + "hall,scored," + at(10) + "," + at(12) + "\n", "line 3: rule scored: want a rule on contrast or with false_alarms: it compares score"},
		"novel":          {"rule", all + "hall,strange," + at(10) + "," + at(12) + "\n", "line 3: rule strange: want a rule that names labels or tags"},
		"no labels":      {"rule", all + "hall,other," + at(10) + "," + at(12) + "\n", "line 3: rule other: the vocabulary of camera hall has none of its labels"},
		"absent":         {"rule", all + "hall,gone," + at(10) + "," + at(12) + "\n", "line 3: rule gone: want a rule that raises when something is seen"},
		"no recordings":  {"label", all + "hal,watched," + at(0) + "," + at(101) + "\nhal,falling down," + at(10) + "," + at(12) + "\n", `line 3: nothing is recorded of camera hal in the time that was watched: "hall" may be meant`},
		"later": {"label", all + "hall,watched," + at(200) + "," + at(300) + "\nhall,falling down," + at(210) + "," + at(212) + "\n",
			"line 3: nothing is recorded of camera hall from " + at(200) + " to " + at(300) + ": recordings of the time that was watched begin at " + at(0) + " and end at " + at(101)},
		"the case": {"label", "hall,watched," + at(0) + "," + at(300) + "\nhall,falling down," + at(210) + "," + at(212) + "\n", "line 3: no recording of camera hall shows " + at(210) + " to " + at(212)},
	} {
		o := judgeOptions(t, past, refs, "camera,"+c.header+",start,end\n"+c.rows)
		o.Rules, o.Tags = rules, map[string][]string{"hall": nil, "ward": nil}
		o.Nearest = func(text string, known []string) string {
			i := slices.IndexFunc(known, func(k string) bool { return k[:2] == text[:2] })
			return append(known, "")[max(i, 0)]
		}
		_, err := Judge(t.Context(), o)
		var wrong Mistakes
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, c.want)
		}
	}
	o := judgeOptions(t, past, refs, "camera,label,start,end\n"+all+"hall,falling down,"+at(10)+","+at(12)+"\n")
	o.Model.ID = "other"
	if _, err := Judge(t.Context(), o); err == nil || !strings.Contains(err.Error(), "by the model of the newest recordings") {
		t.Errorf("another model: %v", err)
	}
	o.Model.References = ""
	if _, err := Judge(t.Context(), o); err == nil || !strings.Contains(err.Error(), "no references") {
		t.Errorf("no references: %v", err)
	}
}

// On each camera the labels are those of its vocabulary, and a camera whose vocabulary
// lacks a label is not judged by it.
func TestEachCameraHasItsVocabulary(t *testing.T) {
	refs := someReferences(t)
	past, truth := staged(refs, 900)
	o := judgeOptions(t, past, refs, truth)
	o.Vocabulary = func(camera string) []vocab.Label {
		return map[string][]vocab.Label{"hall": {{Name: "falling down"}}, "ward": {{Name: "climbing"}}}[camera]
	}
	_, err := Judge(t.Context(), o)
	if want := `label "Falling Down" is neither in the vocabulary of camera ward nor in a rule`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	lines := slices.DeleteFunc(strings.SplitAfter(truth, "\n"), func(l string) bool { return strings.HasPrefix(l, "ward,Falling") })
	o.Truth = readTruth(t, strings.Join(lines, ""))
	got, err := Judge(t.Context(), o)
	if err != nil || got.Subjects[0].Cameras != 1 || got.Subjects[0].Clips != 900 {
		t.Errorf("%+v, %v", got, err)
	}
	// What an alias says counts on the camera whose vocabulary has it, and nowhere else.
	curves := map[string][]CurvePoint{}
	for _, aliased := range []string{"neither", "ward"} {
		o.Vocabulary = func(camera string) []vocab.Label {
			l := vocab.Label{Name: "falling down"}
			if camera == aliased {
				l.Aliases = []string{"a closed door"}
			}
			return []vocab.Label{l}
		}
		both, err := Judge(t.Context(), o)
		if err != nil || both.Subjects[0].Cameras != 2 {
			t.Fatalf("%+v, %v", both, err)
		}
		curves[aliased] = both.Subjects[0].Curve
	}
	if slices.Equal(curves["neither"], curves["ward"]) {
		t.Error("the alias changes nothing")
	}
}

// With too few cases there are no figures, and it is said how many there have to be.
func TestTooFewCasesHaveNoFigures(t *testing.T) {
	refs := someReferences(t)
	past, truth := staged(refs, 900)
	lines := strings.SplitAfter(truth, "\n")
	falls := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.Contains(l, "hall,Falling") })
	few := slices.Concat(lines[:2], falls[:LeastCases-1])
	o := judgeOptions(t, past, refs, strings.Join(few, ""))
	got, err := Judge(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	j := got.Subjects[0]
	if j.Cases != LeastCases-1 || len(j.Curve) > 0 || len(j.Points) > 0 || !slices.Equal(j.Refusals(), []string{"Falling Down: 19 of the 20 cases that figures need"}) {
		t.Errorf("%+v, %q", j, j.Refusals())
	}
}

// simulated is days of two cameras on which things happen, every seventh of which is a
// case.
func simulated(t *testing.T, days int) *sweep {
	t.Helper()
	var sites []*site
	for i, p := range processes()[:2] {
		at, err := newSite(fmt.Sprint("cam-", i), simRule())
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(uint64(i), 4))
		at.past = p.record(random, time.Duration(days)*24*time.Hour, 8)
		for from := t0.Add(time.Hour); from.Before(t0.Add(time.Duration(days)*24*time.Hour - time.Hour)); from = from.Add(3 * time.Hour) {
			to := from.Add(time.Minute)
			height := float32(-3 + 8*random.Float64())
			for c, end := range at.past.ends {
				if end := time.Unix(0, end); !end.Before(from.Add(simWindow)) && !end.After(to) {
					at.past.columns[0][c] = height
				}
			}
			at.cases = append(at.cases, interval{from, to})
		}
		sites = append(sites, at)
	}
	return newSweep(sites)
}

// The drawing is well-formed whatever a label is called, and has a curve for each label
// that has figures.
func TestCurvesAreDrawn(t *testing.T) {
	p := Estimate{0.5, 0.4, 0.6}
	j := &Judged{Since: t0, Until: t0.Add(time.Hour), Subjects: []Judgement{
		{Name: `a <"label"> & more`, Cases: 30, NeedCases: 20, CameraDays: 4, Curve: []CurvePoint{{0.9, 15, 0, 0.5, 1}, {0.1, 30, 30, 1, 0.5}},
			Points: []Point{{Rate: 1, Measured: &Measured{Threshold: .9, PMiss: p, PerDay: p, Precision: &p}}, {Rate: .1}}},
		{Name: "few", Cases: 3, NeedCases: 20},
	}}
	var b bytes.Buffer
	if err := j.WriteCurves(&b); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(&b)
	text, paths := "", 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch v := token.(type) {
		case xml.StartElement:
			if v.Name.Local == "path" {
				paths++
				if d := v.Attr[0].Value; d != "M290.0,60.0 L510.0,280.0" {
					t.Errorf("drawn at %s", d)
				}
			}
		case xml.CharData:
			text += string(v)
		}
	}
	if paths != 1 || !strings.Contains(text, `a <"label"> & more`) || !strings.Contains(text, "3 cases: too few, 20 are needed") {
		t.Errorf("%d curves, %q", paths, text)
	}
}
