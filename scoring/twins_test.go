package scoring

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// clusters are vectors of texts "CLUSTER-n", of which those of a cluster are alike.
func clusters(dim, clusters, each int, spread float64) (texts []string, k known) {
	random := rand.New(rand.NewPCG(5, 6))
	k = known{}
	noise := func(v []float32, size float64) []float32 {
		out := make([]float32, dim)
		for i := range out {
			out[i] = v[i] + float32(random.NormFloat64()*size/math.Sqrt(float64(dim)))
		}
		return unit(out)
	}
	common := noise(make([]float32, dim), 1)
	for c := range clusters {
		center := noise(common, 0.8)
		for n := range each {
			text := fmt.Sprintf("%d-%d", c, n)
			texts, k[text] = append(texts, text), &embedding{vector: noise(center, spread)}
		}
	}
	random.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	return texts, k
}

func named(texts ...string) (out []vocab.Label) {
	for _, t := range texts {
		out = append(out, vocab.Label{Name: t})
	}
	return out
}

// connected is the reference: each pair is compared.
func connected(texts []string, k known) map[string]int {
	group := map[string]int{}
	for i, t := range texts {
		group[t] = i
	}
	for changed := true; changed; {
		changed = false
		for _, a := range texts {
			for _, b := range texts {
				if float64(Dot(k[a].vector, k[b].vector)) > vocab.Alike && group[a] != group[b] {
					group[a] = min(group[a], group[b])
					group[b], changed = group[a], true
				}
			}
		}
	}
	return group
}

// Shortcuts and the order of edits change nothing.
func TestTwinsAreThoseOfAReference(t *testing.T) {
	for _, spread := range []float64{0.1, 0.2, 0.25, 0.3} {
		texts, k := clusters(64, 20, 6, spread)
		random := rand.New(rand.NewPCG(7, 8))
		tw := &twins{}
		for range 10 {
			some := slices.DeleteFunc(slices.Clone(texts), func(string) bool { return random.IntN(3) == 0 })
			random.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
			group, count := tw.group(named(some...), k)
			want, size := connected(some, k), map[int]int{}
			for _, g := range want {
				size[g]++
			}
			seen := map[int32]bool{}
			for i, a := range some {
				if (group[i] < 0) != (size[want[a]] == 1) {
					t.Fatalf("spread %v: %s is in group %d of %d", spread, a, group[i], size[want[a]])
				}
				for j, b := range some[:i] {
					if (group[i] == group[j] && group[i] >= 0) != (want[a] == want[b]) {
						t.Fatalf("spread %v: %s and %s: %d and %d", spread, a, b, group[i], group[j])
					}
				}
				if group[i] >= 0 {
					seen[group[i]] = true
				}
			}
			if len(seen) != count {
				t.Errorf("%d groups, counted %d", len(seen), count)
			}
		}
	}
}

func grouped(labels []vocab.Label, k known) *Matrix {
	m := assemble(vocab.Vocabulary{Name: "default", Labels: labels}, k, bases{}, nil)
	(&twins{}).join(m, k)
	return m
}

// Synonyms, of which each would take its share, leave a label's score as it was.
func TestTwinsDoNotHalveEachOther(t *testing.T) {
	texts, k := clusters(64, 8, 6, 0.15)
	slices.Sort(texts) // 0-0, 0-1, ...
	alone := named("0-0", "1-0", "2-0", "3-0", "4-0")
	many := append(slices.Clone(alone), named("0-1", "0-2", "0-3", "2-1", "2-2")...)
	many = append(many, vocab.Label{Name: "5-0", Aliases: []string{"1-5"}}) // by an alias
	score := func(labels []vocab.Label, label string, clip []float32) float64 {
		for _, l := range grouped(labels, k).Score(Clip{Mean: clip}, 14.3, len(labels), nil).Labels {
			if l.Label == label {
				return l.Score
			}
		}
		t.Fatalf("%s is not listed", label)
		return 0
	}
	for _, clip := range []string{"0-0", "0-4", "1-3", "7-0"} {
		v := k[clip].vector
		twinsOnly := append(slices.Clone(alone), named("0-1", "0-2", "0-3", "0-4", "0-5")...)
		if before, after := score(alone, "0-0", v), score(twinsOnly, "0-0", v); math.Abs(after-before) > 1e-7 {
			t.Errorf("clip %s: %v alone, %v beside five synonyms", clip, before, after)
		}
		m := grouped(many, k)
		got := m.Score(Clip{Mean: v}, 14.3, len(many), nil)
		best := map[int32]float64{} // by group; those without get numbers below -1
		for i := range m.words {
			g := m.twins[i]
			if g < 0 {
				g = int32(-2 - i)
			}
			best[g] = max(best[g], math.Exp(14.3*m.words[i].Similarity(v)))
		}
		sum := 0.0
		for _, w := range best {
			sum += w
		}
		for i, l := range m.labels {
			w, rest := math.Exp(14.3*m.words[i].Similarity(v)), sum
			if g := m.twins[i]; g >= 0 {
				rest -= best[g]
			} else {
				rest -= best[int32(-2-i)]
			}
			at := slices.IndexFunc(got.Labels, func(s topics.LabelScore) bool { return s.Label == l.Name })
			if want := w / (w + rest); math.Abs(got.Labels[at].Score-want) > 1e-6 {
				t.Errorf("clip %s, label %s: %v, want %v", clip, l.Name, got.Labels[at].Score, want)
			}
		}
		if !slices.IsSortedFunc(got.Labels, func(a, b topics.LabelScore) int {
			if a.Score > b.Score {
				return -1
			}
			return 0
		}) {
			t.Errorf("clip %s: not the highest first: %+v", clip, got.Labels)
		}
	}
	if m := grouped(many, k); m.twins[1] < 0 || m.twins[1] != m.twins[len(many)-1] {
		t.Errorf("an alias makes no twin: %v", m.twins)
	}
}

// An alias is no label of its own, whether or not the model takes it for a twin.
func TestAnAliasTakesNoShare(t *testing.T) {
	score := func(labels ...vocab.Label) float64 {
		return matrixOf(labels).Score(Clip{Mean: vectorOf("fall")}, 14.3, 1, nil).Labels[0].Score
	}
	alone := score(vocab.Label{Name: "fall"}, vocab.Label{Name: "run"})
	if got := score(vocab.Label{Name: "fall", Aliases: []string{"tumble", "collapse"}}, vocab.Label{Name: "run"}); got != alone {
		t.Errorf("%v with aliases, %v without", got, alone)
	}
	if got := score(vocab.Label{Name: "fall"}, vocab.Label{Name: "tumble"}, vocab.Label{Name: "run"}); got >= alone {
		t.Errorf("%v beside a label, %v without: the test says nothing", got, alone)
	}
}

// A background label takes its share, also from a label that it is close to.
func TestABackgroundLabelIsNoTwinOfAnother(t *testing.T) {
	_, k := clusters(64, 2, 4, 0.1)
	labels := named("0-0", "0-1", "0-2", "1-0")
	labels[1].Background, labels[2].Background = true, true
	m := grouped(labels, k)
	if m.twins[0] >= 0 || m.twins[1] < 0 || m.twins[1] != m.twins[2] || m.twins[3] >= 0 {
		t.Errorf("groups %v", m.twins)
	}
	got := m.Score(Clip{Mean: k["0-1"].vector}, 14.3, 4, nil)
	if got.Background < 0.4 || got.Background > 0.6 {
		t.Errorf("background %v: two twins count twice or not at all", got.Background)
	}
}

// A label that is alike to none changes no group.
func TestAnUnrelatedLabelChangesNoGroup(t *testing.T) {
	texts, k := clusters(64, 30, 3, 0.2)
	related := slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return s[0] == '1' })
	before, _ := (&twins{}).group(named(related...), k)
	unrelated := slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return s[0] != '1' })
	after, _ := (&twins{}).group(named(append(slices.Clone(related), unrelated...)...), k)
	for i := range related {
		for j := range i {
			if (before[i] == before[j] && before[i] >= 0) != (after[i] == after[j] && after[i] >= 0) {
				t.Errorf("%s and %s: groups %d and %d, then %d and %d", related[i], related[j], before[i], before[j], after[i], after[j])
			}
		}
	}
}

// As people add synonyms while everything runs.
func TestSynonymsAddedToALiveVocabulary(t *testing.T) {
	s := redistest.Start(t)
	like := vectorOf("falling down")
	e := &embedder{bend: func(text string, v []float32) []float32 {
		if text == "person collapsed" || text == "person tumbles" {
			return unit(append([]float32{like[0] + 0.02}, like[1:]...))
		}
		return v
	}}
	set(t, s, "falling down", "", "walking", `{"background":true}`, "fighting", "")
	w := watch(t, s, setup{Embedder: e, Poll: 10 * time.Millisecond})
	w.awaitLabels(t, "falling down", "fighting", "walking")
	score := func() float64 {
		for _, l := range w.Current().Score(Clip{Mean: like}, 5, 10, nil).Labels {
			if l.Label == "falling down" {
				return l.Score
			}
		}
		return 0
	}
	before := score()
	set(t, s, "person collapsed", "", "person tumbles", "")
	stagetest.Await(t, "the synonyms", func() bool { return w.Current().Len() == 5 })
	if after := score(); math.Abs(after-before) > 1e-7 {
		t.Errorf("%v before, %v after", before, after)
	}
	if err := s.Client.HDel(t.Context(), "f:vocab:default", "person collapsed", "person tumbles").Err(); err != nil {
		t.Fatal(err)
	}
	stagetest.Await(t, "they are gone", func() bool { return w.Current().Len() == 3 })
	if after := score(); after != before || len(w.Current().groups) != 0 {
		t.Errorf("%v before, %v after", before, after)
	}
}

// A vocabulary in which comparing all texts would hold up an edit has no twins.
func TestALargeVocabularyHasNoTwins(t *testing.T) {
	var labels []vocab.Label
	k := known{}
	for i := range maxTwins {
		text := fmt.Sprintf("label %d", i)
		labels, k[text] = append(labels, vocab.Label{Name: text}), &embedding{vector: vectorOf(fmt.Sprint(i % 20))}
	}
	tw := &twins{}
	for _, c := range []struct{ labels, groups int }{{maxTwins, 20}, {maxTwins - 1, 20}} {
		m := assemble(vocab.Vocabulary{Labels: labels[:c.labels]}, k, bases{}, nil)
		if tw.join(m, k); len(m.groups) != c.groups {
			t.Errorf("%d labels: %d groups", c.labels, len(m.groups))
		}
	}
	m := assemble(vocab.Vocabulary{Labels: append(slices.Clone(labels), vocab.Label{Name: "label 0", Aliases: []string{"label 1"}})}, k, bases{}, nil)
	if tw.join(m, k); len(m.groups) != 0 || m.twins[0] >= 0 {
		t.Errorf("more than %d texts: %d groups", maxTwins, len(m.groups))
	}
}

// BenchmarkTwins is the cost of an edit of the largest vocabulary that has twins: all
// texts new, and one.
func BenchmarkTwins(b *testing.B) {
	texts, k := clusters(512, maxTwins, 1, 0.2)
	labels := named(texts...)
	b.Run("all new", func(b *testing.B) {
		for b.Loop() {
			(&twins{}).group(labels, k)
		}
	})
	b.Run("one new", func(b *testing.B) {
		tw := &twins{}
		tw.group(labels[1:], k)
		for b.Loop() {
			tw.group(labels, k)
			b.StopTimer()
			tw.group(labels[1:], k)
			b.StartTimer()
		}
	})
}
