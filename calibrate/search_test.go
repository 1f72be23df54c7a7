package calibrate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

func words(t testing.TB, past Past, refs *scoring.References, labels ...string) *Words {
	t.Helper()
	m, err := Newest(t.Context(), past, archive.Range{}, t0.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var of []vocab.Label
	for _, l := range labels {
		of = append(of, vocab.Label{Name: l})
	}
	w, err := NewWords(t.Context(), vectors{refs}, m, of)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// what two cameras recorded: somebody leaves a bag at clips 100 to 103 and 300 of the
// hall, and at 50 of the door.
func bags(refs *scoring.References) *recorded {
	r := &recorded{}
	for i := range 400 {
		hall, door := looksLike("an empty hall", .1, i, refs), looksLike("a closed door", .1, 1000+i, refs)
		switch {
		case i >= 100 && i < 104:
			hall = looksLike("leaves a bag", .1*float64(i-100), 2000+i, refs)
		case i == 300:
			hall = looksLike("leaves a bag", .08, 2000+i, refs)
		}
		if i == 50 {
			door = looksLike("leaves a bag", .2, 2000+i, refs)
		}
		r.add(1, "hall", i, hall)
		r.add(2, "door", i, door)
	}
	return r
}

// What is searched for is found, each happening once, the best first, and the same
// whichever partition is read first.
func TestSearchFindsWhatHappened(t *testing.T) {
	refs := someReferences(t)
	for _, measure := range []string{"contrast", "similarity"} {
		past := bags(refs)
		w := words(t, past, refs, "leaves a bag")
		for _, order := range [][]int{{1, 2}, {2, 1}} {
			past.order = order
			got, err := Search(t.Context(), SearchOptions{Query: Query{Words: w}, Past: past, Limit: 3, Measure: measure})
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, h := range got.Hits {
				found = append(found, fmt.Sprintf("%s %d", h.Camera, int(h.Start.Sub(t0)/stride)))
				if (h.Contrast != nil) != (measure == "contrast") || h.Clip != topics.ClipID(h.Camera, t0, h.Start.Sub(t0)) || h.Offset != int64(h.Start.Sub(t0)/stride) {
					t.Errorf("hit %+v", h)
				}
			}
			if want := []string{"hall 100", "hall 300", "door 50"}; !slices.Equal(found, want) || got.Scored != 800 {
				t.Errorf("by %s: found %q of %d, want %q", measure, found, got.Scored, want)
			}
		}
	}
}

// A contrast from the recorded sum is that of all references, and so is the one of a
// record without the sum, or with that of other references.
func TestContrastsOfTheRecordedSum(t *testing.T) {
	refs := someReferences(t)
	past := &recorded{}
	for i := range 50 {
		past.add(0, "hall", i, looksLike("leaves a bag", .3, i, refs))
	}
	w := words(t, past, refs, "leaves a bag")
	for _, r := range past.actions[0] {
		of := func(references topics.References) float64 {
			b := archive.Batch{Dims: dims, Rows: []archive.Row{{References: references}}, Embeddings: topics.AppendFloat16(nil, r.Value.Embedding)}
			return w.values(0, newReading(w.model).all(b, 0), 10).Contrast
		}
		want, other, got := of(topics.References{}), of(topics.References{Hash: "other", Logit: 3}), of(*r.Value.References)
		if math.Abs(got-want) > 1e-6 || other != want || got <= 0 || got >= 1 {
			t.Errorf("contrast %v, in full %v, with another sum recorded %v", got, want, other)
		}
	}
}

// A clip is found by its id, and with it those that are like it.
func TestSearchByExample(t *testing.T) {
	past := bags(nil)
	clip, err := Clip(t.Context(), past, topics.ClipID("hall", t0, 300*stride))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Search(t.Context(), SearchOptions{Query: Query{Like: clip.Embedding, Model: Model{ID: clip.Model, Dims: len(clip.Embedding)}}, Past: past, Limit: 3})
	if err != nil || len(got.Hits) != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	if h := got.Hits[0]; h.Clip != clip.ClipID || math.Abs(h.Similarity-1) > 1e-6 {
		t.Errorf("the clip itself: %+v", h)
	}
	if h := got.Hits[1]; h.Camera != "hall" || h.Start.Before(t0.Add(100*stride)) || h.Start.After(t0.Add(103*stride)) {
		t.Errorf("the next: %+v", h)
	}
	for _, id := range []string{topics.ClipID("hall", t0, 1000*stride), "rubbish", ""} {
		if _, err := Clip(t.Context(), past, id); err == nil {
			t.Errorf("clip %q is found", id)
		}
	}
}

// Recordings by another model are counted and not compared, also where their
// embeddings have the same length.
func TestSearchReportsOtherModels(t *testing.T) {
	past := &recorded{}
	for i := range 30 {
		past.add(0, "hall", i, func(r *topics.Recognition) {
			looksLike("leaves a bag", 0, i, nil)(r)
			if i < 10 {
				r.Model = "old"
			}
			if i < 3 {
				r.Model, r.Embedding = "older", r.Embedding[:8]
			}
		})
	}
	got, err := Search(t.Context(), SearchOptions{Query: Query{Words: words(t, past, nil, "leaves a bag")}, Past: past})
	if err != nil || got.Scored != 20 || got.Other["old"] != 7 || got.Other["older"] != 3 || len(got.Hits) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Every clip that no other within the distance beats is a peak, the first of equals, and
// no two peaks are closer to each other.
func TestPeaks(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	for range 200 {
		apart := time.Duration(1+random.IntN(9)) * stride
		var all []found
		for i := range 60 {
			if random.IntN(5) == 0 {
				continue // a gap
			}
			all = append(all, found{start: t0.Add(time.Duration(i) * stride), rank: float64(random.IntN(12))})
		}
		var want, got []time.Time
		for i, f := range all {
			beaten := false
			for j, o := range all {
				near := f.start.Sub(o.start).Abs() < apart
				beaten = beaten || near && i != j && (o.rank > f.rank || o.rank == f.rank && j < i)
			}
			if !beaten {
				want = append(want, f.start)
			}
		}
		p := peaks{apart: apart}
		take := func(f *found) { got = append(got, f.start) }
		for _, f := range all {
			p.add(&f, take)
			p.add(&f, take) // recorded twice
		}
		p.flush(take)
		for _, w := range want {
			if !slices.ContainsFunc(got, w.Equal) {
				t.Fatalf("apart %v: got %v, want also %v", apart, got, w)
			}
		}
		for i := 1; i < len(got); i++ {
			if got[i].Sub(got[i-1]) < apart {
				t.Fatalf("apart %v: got %v", apart, got)
			}
		}
	}
}

// What happens again before the distance is over does not hide all of the past: as a
// fall in a film that is played over and over.
func TestPeaksOfWhatRepeats(t *testing.T) {
	p := peaks{apart: 30 * time.Second}
	var got []int
	take := func(f *found) { got = append(got, int(f.start.Sub(t0).Seconds())) }
	for at := 0; at < 130; at += 2 {
		f := found{start: t0.Add(time.Duration(at) * time.Second)}
		if at%26 == 0 {
			f.rank = .9
		}
		p.add(&f, take)
	}
	p.flush(take)
	if want := []int{0, 52, 104}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// unscreened is Search by comparing every clip exactly.
func unscreened(t *testing.T, o SearchOptions) *Searched {
	t.Helper()
	s := &search{SearchOptions: o}
	s.Apart, s.partitions.fresh = Apart, s.partition
	counts, err := o.Past.Scan(t.Context(), archive.Range{}, func(b archive.Batch) error {
		p := s.partitions.of(b.Partition)
		p.reach = nil
		return p.batch(b)
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.result(counts)
}

// Clips that are excluded without an exact comparison change nothing about what is
// found, to the last bit: also where clips were recorded twice, a camera's clock was set
// back, or a record has no sum of references.
func TestASearchFindsWhatComparingEveryClipFinds(t *testing.T) {
	refs := someReferences(t)
	random := rand.New(rand.NewPCG(6, 6))
	for round := range 15 {
		past := &recorded{}
		for p := range 3 {
			at := 0
			for i := range 500 {
				switch random.IntN(25) {
				case 0: // recorded twice
				case 1:
					at -= random.IntN(40)
				default:
					at++
				}
				past.add(p, fmt.Sprint("cam-", p, i%2), at, func(r *topics.Recognition) {
					looksLike([]string{"leaves a bag", "an empty hall", "a door"}[random.IntN(3)], random.Float64(), at, refs)(r)
					if random.IntN(40) == 0 {
						r.References = nil
					}
				})
			}
		}
		w := words(t, past, refs, "leaves a bag")
		for _, measure := range []string{"contrast", "similarity"} {
			o := SearchOptions{Query: Query{Words: w}, Past: past, Limit: 1 + random.IntN(12), Measure: measure}
			got, err := Search(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if want := unscreened(t, o); !reflect.DeepEqual(got, want) || got.Scored != 1500 {
				t.Fatalf("round %d, by %s: found of %d\n%+v\nwant of %d\n%+v", round, measure, got.Scored, got.Hits, want.Scored, want.Hits)
			}
		}
	}
}
