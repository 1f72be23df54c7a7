package eval

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/infer/froster"
)

// MVEB has one text for each class, which the model reads as it is written; what a work
// folder has of the model's own texts does not count as one of those.
func TestMVEBHasOneTextForEachClass(t *testing.T) {
	m := loadDemo(t)
	dir := t.TempDir()
	list := write(t, filepath.Join(dir, "videos.csv"), "absent.mp4,wave\nabsent.mp4,\"ride bike\"\n")
	plan, err := ReadMVEBPlan("HMDB51", Lists{Lists: []string{list}, Classes: []string{"counts for nothing"}, Format: List})
	if err != nil {
		t.Fatal(err)
	}
	split := plan.Groups[0].Splits[0]
	if len(split.Classes) != 51 || split.Classes[split.Videos[0].Label].name() != "wave" || split.Classes[split.Videos[1].Label].name() != "ride bike" || plan.Protocol != "mveb hmdb51" {
		t.Errorf("%s: %d classes, videos %+v", plan.Protocol, len(split.Classes), split.Videos)
	}
	work := t.TempDir()
	vector := func(templates froster.Templates) []float32 {
		o := testOptions(m)
		o.Work, o.Templates = work, templates
		r, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		s, err := openStore(work, m.ID(), m.Dim())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.close() }()
		vectors, err := r.embedTexts(t.Context(), s, labelsOf(split.Classes))
		if err != nil {
			t.Fatal(err)
		}
		return vectors["wave"]
	}
	own, theirs, again := vector(nil), vector(MVEBTemplates()), vector(MVEBTemplates())
	want, _, err := m.EmbedLabelsBy(t.Context(), froster.Templates{"{text}"}, []string{"a video of wave"})
	if err != nil || !slices.Equal(theirs, want[0]) || !slices.Equal(again, theirs) || slices.Equal(own, theirs) {
		t.Errorf("%v: %v, want %v, and not the model's own %v", err, theirs[:4], want[0][:4], own[:4])
	}
	if _, err := ReadMVEBPlan("ucf101", Lists{Lists: []string{list}}); err == nil || !strings.Contains(err.Error(), "want hmdb51, kinetics-400") {
		t.Errorf("another task: %v", err)
	}
}
