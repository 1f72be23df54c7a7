package calibrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/vocab"
)

func named(names ...string) (labels []vocab.Label) {
	for _, n := range names {
		labels = append(labels, vocab.Label{Name: n})
	}
	return labels
}

func phrase(t *testing.T, past Past, refs *scoring.References, text string, others ...string) *Phrase {
	t.Helper()
	m, err := Newest(t.Context(), past, archive.Range{}, t0.Add(end.Sub(t0)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPhrase(t.Context(), vectors{refs}, m, vocab.Label{Name: text}, named(others...), 10)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The verdict on a phrase follows from what each camera recorded, whichever partition
// is read first: what happens all the time on one of them, what happened a few times,
// what came near, what never did.
func TestCheckSaysWhatThePastWouldHaveRaised(t *testing.T) {
	refs := someReferences(t)
	past := bags(refs)
	for _, c := range []struct {
		phrase string
		raise  float64
		want   string
	}{
		{"an empty hall", .5, "often reached: 395 of 800 at 2 times, hall often reached, door stands out"},
		{"leaves a bag", .5, "often reached: 6 of 800 at 3 times, hall often reached, door sometimes reached"},
		{"leaves a bag", .98, "sometimes reached: 3 of 800 at 2 times, hall sometimes reached, door nearly reached"},
		{"washes hands", .5, "nearly reached: 0 of 800 at 0 times, hall stands out, door nearly reached"},
		{"washes hands", .7, "stands out: 0 of 800 at 0 times, hall stands out, door stands out"},
	} {
		p := phrase(t, past, refs, c.phrase, "a closed door", "an empty hall")
		for _, order := range [][]int{{1, 2}, {2, 1}} {
			past.order = order
			got, err := Check(t.Context(), CheckOptions{Past: past, Phrase: p, Raise: c.raise})
			if err != nil {
				t.Fatal(err)
			}
			cameras := map[string]CheckedCamera{}
			for _, one := range got.Cameras {
				cameras[one.Camera] = one
			}
			if text := fmt.Sprintf("%s: %d of %d at %d times, hall %s, door %s", got.Verdict, got.Over, got.Clips, got.Times, cameras["hall"].Verdict, cameras["door"].Verdict); text != c.want {
				t.Errorf("%s from %v: got %s\nwant %s", c.phrase, c.raise, text, c.want)
			}
			if got.OneIn > got.Highest || (got.Over > 0) != (got.Highest >= c.raise) {
				t.Errorf("%s: one in 100 reaches %v, the highest is %v", c.phrase, got.OneIn, got.Highest)
			}
		}
	}
}

// Nothing is said of a camera with a few minutes of recordings, unless the phrase is
// reached there; a clip that was recorded twice counts once.
func TestCheckOfAShortPast(t *testing.T) {
	refs := someReferences(t)
	past := bags(refs)
	past.actions[1] = append(slices.Clone(past.actions[1][:100]), past.actions[1][99:]...) // the hall's clip 99 came twice
	p := phrase(t, past, refs, "leaves a bag", "a closed door")
	short := func(clips int) archive.Range {
		return archive.Range{Until: t0.Add(past.actions[2][clips].Value.End.Sub(t0))}
	}
	for clips, want := range map[int]string{
		40:  "too little is recorded of 80",
		90:  "sometimes reached of 180", // the door's clip 50
		310: "often reached of 620",
	} {
		got, err := Check(t.Context(), CheckOptions{Past: past, Phrase: p, Raise: .8, Range: short(clips)})
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprintf("%s of %d", got.Verdict, got.Clips); text != want {
			t.Errorf("%d clips: got %s, want %s", clips, text, want)
		}
	}
	none, err := Check(t.Context(), CheckOptions{Past: &recorded{}, Phrase: p, Raise: .5})
	if err != nil || none.Verdict != TooLittle || none.OneIn != 0 || none.Cameras == nil || none.Labels == nil {
		t.Errorf("nothing is recorded: %+v, %v", none, err)
	}
}

// Cameras of which too little is recorded don't hide what is known of the others.
func TestTheWorstVerdictCounts(t *testing.T) {
	all := []Verdict{TooLittle, StandsOut, NearlyAt, SomeOver, OftenOver}
	for i, a := range all {
		for j, b := range all {
			if got := worst(a, b); got != all[max(i, j)] {
				t.Errorf("%s and %s: got %s", a, b, got)
			}
		}
		if m := a.Meaning(); m == "" || (a == StandsOut) != strings.Contains(m, "does not prove that it would be recognised") {
			t.Errorf("%s: %s", a, m)
		}
	}
}

// A phrase is compared with the labels that are closest to it, not with the first of
// the alphabet, and a label that the model does not take is no reason to fail.
func TestPhrasesAreComparedWithTheClosestLabels(t *testing.T) {
	refs := someReferences(t)
	past := bags(refs)
	m, err := Newest(t.Context(), past, archive.Range{}, end)
	if err != nil {
		t.Fatal(err)
	}
	others := named("endless")
	for i := range 50 {
		others = append(others, vocab.Label{Name: fmt.Sprintf("label %02d", i)})
	}
	others = append(others, vocab.Label{Name: "z", Aliases: []string{"left: here", "leaves a bag"}})
	p, err := NewPhrase(t.Context(), choosy{vectors{refs}}, m, vocab.Label{Name: "leaves a bag"}, others, 5)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Check(t.Context(), CheckOptions{Past: past, Phrase: p, Raise: .5})
	if err != nil {
		t.Fatal(err)
	}
	clips := 0
	for i, l := range got.Labels {
		clips += l.Clips
		if i > 0 && l.Cosine > got.Labels[i-1].Cosine {
			t.Errorf("%+v comes after one less close", l)
		}
	}
	if len(got.Labels) != 5 || got.Labels[0].Label != "z" || got.Labels[0].Cosine < .9999 || got.Labels[0].Over != got.Over || clips != got.Clips || p.Other != 51 {
		t.Errorf("%+v of %d", got.Labels, p.Other)
	}
	if c, ok := p.Cosine("leaves a bag", "label 07"); !ok || c >= got.Labels[0].Cosine {
		t.Errorf("cosine %v, %v", c, ok)
	}
	if _, ok := p.Cosine("leaves a bag", "endless"); ok {
		t.Error("a cosine with a text that has no vector")
	}
	if _, err := NewPhrase(t.Context(), choosy{vectors{refs}}, m, vocab.Label{Name: "endless"}, others, 5); err == nil || !strings.Contains(err.Error(), "99 tokens") {
		t.Errorf("a phrase that the model does not take: %v", err)
	}
}

// choosy does not take the text "endless".
type choosy struct{ vectors }

func (c choosy) Of(ctx context.Context, texts []string) (map[string][]float32, map[string]error, error) {
	out, _, err := c.vectors.Of(ctx, texts)
	delete(out, "endless")
	return out, map[string]error{"endless": errors.New("99 tokens: at most 77")}, err
}
