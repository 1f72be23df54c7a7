package eval

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sheetOf has answers given by hand; a best of nil is a broken video.
func sheetOf(name string, classes []Class, labels []int, answers []*answer) *sheet {
	s := &sheet{split: Split{Name: name, Listing: Listing{Classes: classes}}, answers: answers}
	for _, l := range labels {
		s.split.Videos = append(s.split.Videos, Video{Label: l})
	}
	return s
}

func testClasses() []Class {
	return []Class{{"walk: a person walks", "stroll"}, {"run"}, {"sit <down> & up"}, {"d"}, {"e"}, {"f"}, {"g"}}
}

func TestFiguresOfASplit(t *testing.T) {
	s := sheetOf("s", testClasses(), []int{0, 0, 1, 2, 2}, []*answer{
		{best: []int{0, 1, 2, 3, 4}, score: 0.9}, // right
		{best: []int{1, 2, 3, 4, 0}, score: 0.5}, // fifth
		{best: []int{1, 0, 2, 3, 4}, score: 0.9}, // right
		nil,
		{best: []int{1, 3, 4, 5, 6}, score: 1}, // not among five
	})
	r := s.result()
	if r.Videos != 4 || r.Broken != 1 || *r.Top1 != 0.5 || *r.Top5 != 0.75 {
		t.Errorf("%d videos, %d broken, top-1 %v, top-5 %v", r.Videos, r.Broken, *r.Top1, *r.Top5)
	}
	// In fifteenths: 0.9 is in the 14th bin, up to 0.933: both right. 0.5 is in the
	// 8th and wrong, 1 in the last and wrong.
	if want := 2./4*0.1 + 1./4*0.5 + 1./4*1; math.Abs(*r.ECE-want) > 1e-12 {
		t.Errorf("ECE %v, want %v", *r.ECE, want)
	}
	if b := r.Bins[13]; b.Videos != 2 || math.Abs(b.Score-0.9) > 1e-12 || b.Accuracy != 1 {
		t.Errorf("bin %+v", b)
	}
	if c := r.PerClass[0]; c.Class != "walk" || c.Videos != 2 || *c.Accuracy != 0.5 || c.TakenFor != "run" {
		t.Errorf("class %+v", c)
	}
	if c := r.PerClass[3]; c.Videos != 0 || c.Accuracy != nil {
		t.Errorf("a class without videos: %+v", c)
	}
	if want := []Confused{{0, 0, 1}, {0, 1, 1}, {1, 1, 1}, {2, 1, 1}}; !slices.Equal(r.Confusion, want) {
		t.Errorf("confusion %v", r.Confusion)
	}
	none := sheetOf("s", testClasses(), []int{0}, []*answer{nil}).result()
	if none.Top1 != nil || none.ECE != nil || none.Broken != 1 {
		t.Errorf("of nothing: %+v", none)
	}
	if raw, err := json.Marshal(none); err != nil || !strings.Contains(string(raw), `"confusion":[]`) {
		t.Errorf("of nothing: %s: %v", raw, err)
	}
}

// baseToNovel is two splits of two groups.
func baseToNovel() (*run, Plan) {
	right, wrong := &answer{best: []int{0}, score: 1}, &answer{best: []int{1}, score: 1}
	classes := testClasses()[:2]
	sheets := []*sheet{
		sheetOf("b1", classes, []int{0, 0, 0, 0}, []*answer{right, right, right, wrong}), // 75%
		sheetOf("b2", classes, []int{0, 0}, []*answer{right, right}),                     // 100%
		sheetOf("n1", classes, []int{0, 0}, []*answer{right, wrong}),                     // 50%
		sheetOf("n2", classes, []int{0, 0, 0, 0}, []*answer{right, wrong, wrong, wrong}), // 25%
	}
	p := Plan{BaseToNovel, []Group{{"base", []Split{sheets[0].split, sheets[1].split}}, {"novel", []Split{sheets[2].split, sheets[3].split}}}}
	return &run{Runner: &Runner{}, sheets: sheets}, p
}

func TestMeansOverSplitsAndHarmonicMean(t *testing.T) {
	r, p := baseToNovel()
	report := r.figures(p, "id")
	base, novel := report.Groups[0].Top1, report.Groups[1].Top1
	if base.Mean != 0.875 || math.Abs(*base.Spread-0.125*math.Sqrt2) > 1e-12 || novel.Mean != 0.375 {
		t.Errorf("base %+v, novel %+v", base, novel)
	}
	// Of each pair, then the mean: 60% and 40%.
	if h := report.Harmonic; math.Abs(h.Of[0]-0.6) > 1e-12 || math.Abs(h.Of[1]-0.4) > 1e-12 || math.Abs(h.Mean-0.5) > 1e-12 {
		t.Errorf("harmonic mean %+v", h)
	}
	var out strings.Builder
	if err := report.Print(&out, TableOptions{Classes: 1}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"base mean", "87.5 ± 17.7%", "novel n2", "harmonic mean", "50.0 ± 14.1%", "15 equal bins", "standard deviation over splits"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	// A split that nothing could be read of leaves no mean that looks like one.
	r.sheets[1].answers = []*answer{nil, nil}
	if report := r.figures(p, "id"); report.Groups[0].Top1 != nil || report.Harmonic != nil || report.Groups[1].Top1 == nil {
		t.Errorf("with a split of nothing: %+v", report.Groups)
	}
}

func TestConfusionIsDrawn(t *testing.T) {
	many := make([]Class, 400)
	for i := range many {
		many[i] = Class{strings.Repeat("very long name ", 5) + string(rune('0'+i%10)) + strings.Repeat("x", i)}
	}
	for _, classes := range [][]Class{testClasses(), many} {
		s := sheetOf("split <1>", classes, []int{2, 2, 2, 0}, []*answer{{best: []int{0}}, {best: []int{0}}, {best: []int{2}}, {best: []int{0}}})
		again := sheetOf("2", classes, []int{2}, []*answer{{best: []int{0}}})
		r := &run{Runner: &Runner{}, sheets: []*sheet{s, again}}
		report := r.figures(Plan{CrossDataset, []Group{{"", []Split{s.split, again.split}}}}, "id")
		var b strings.Builder
		if err := report.WriteConfusion(&b); err != nil {
			t.Fatal(err)
		}
		titles := svgTitles(t, b.String())
		name := classes[2].name()
		if want := name + " taken for " + classes[0].name() + ": 3 of 4"; len(titles) != 3 || !slices.Contains(titles, want) {
			t.Errorf("cells %q, want %q among them", titles, want)
		}
	}
}

// svgTitles parses the document and gives its cells' texts.
func svgTitles(t *testing.T, svg string) (titles []string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return titles
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, svg)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "title" {
			var text string
			if err := d.DecodeElement(&text, &e); err != nil {
				t.Fatal(err)
			}
			titles = append(titles, text)
		}
	}
}

func TestPlansAreTwoPairsOfFlags(t *testing.T) {
	dir := t.TempDir()
	classes := write(t, filepath.Join(dir, "classes.txt"), "walking\nfalling\n")
	other := write(t, filepath.Join(dir, "other.txt"), "flying\nstanding\nsitting\n")
	list := write(t, filepath.Join(dir, "list.txt"), "a.mp4 0\n")
	p, err := ReadPlan(Lists{Base: []string{list, list}, Novel: []string{list, list}, NovelClasses: []string{other, classes}})
	if err != nil || p.Protocol != BaseToNovel || len(p.Groups) != 2 || len(p.Groups[1].Splits[0].Classes) != 3 || len(p.Groups[1].Splits[1].Classes) != 2 {
		t.Errorf("%+v: %v", p, err)
	}
	for want, l := range map[string]Lists{
		"nothing to evaluate":    {},
		"1 --base and 0 --novel": {Base: []string{list}},
		"one of the two pairs":   {Base: []string{list}, Lists: []string{list}},
		"belong to --base":       {Lists: []string{list}, BaseClasses: []string{classes}},
		"2 --classes for 3":      {Lists: []string{list, list, list}, Classes: []string{classes, classes}},
	} {
		if _, err := ReadPlan(l); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", l, err, want)
		}
	}
}
