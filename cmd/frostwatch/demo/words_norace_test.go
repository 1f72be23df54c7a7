//go:build !race

package demo_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// added are fifty unrelated labels, then five that mean what the demo watches for, and
// one of its labels in capitals. Beside rules on score, they kept alerts from coming.
func added() (out []vocab.Label) {
	for i, class := range froster.Kinetics400Classes() {
		if i%8 == 0 {
			out = append(out, vocab.Label{Name: class})
		}
	}
	for _, name := range []string{"person collapsed", "someone falls over", "a man climbing a fence", "a fist fight", "going up a ladder"} {
		out = append(out, vocab.Label{Name: name})
	}
	return append(out, vocab.Label{Name: "FALLING DOWN"})
}

// budgetRules are the demo's rules with a budget in place of their values.
func budgetRules(t *testing.T) *alerts.RuleSet {
	t.Helper()
	var rules []alerts.Rule
	for _, r := range demoRules(t).Rules() {
		r.Contrast, r.FalseAlarms = nil, alerts.Budget{Count: 30, Per: time.Hour}
		rules = append(rules, r)
	}
	set, err := alerts.NewRuleSet(rules...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// replayed are the alerts of all films, by film, without what tells of the
// vocabulary: its version, and the score.
func replayed(rules *alerts.RuleSet, thresholds []topics.Threshold, films map[string][]topics.Recognition, words *live) map[string][]topics.Alert {
	out := map[string][]topics.Alert{}
	for film, recs := range films {
		all := evaluate(rules, thresholds, words.score(recs, watchedBy(rules)))
		for i := range all {
			all[i].Vocab, all[i].Score = topics.VocabRef{}, 0
		}
		out[film] = all
	}
	return out
}

// watchedBy are the labels that rules name.
func watchedBy(rules *alerts.RuleSet) *scoring.Watched {
	var names []string
	for _, r := range rules.Rules() {
		names = append(names, r.Actions...)
	}
	return scoring.NewWatched(names, nil, false)
}

// Fifty-six labels are added one by one. Rules on contrast and those with a budget
// raise and clear the same alerts at every step, with the same contrast to the bit.
func TestAddedLabelsChangeNoAlert(t *testing.T) {
	m, fixed, budgeted := demoModel(t), demoRules(t), budgetRules(t)
	films := map[string][]topics.Recognition{}
	names, err := demo.Clips()
	if err != nil {
		t.Fatal(err)
	}
	for _, film := range names {
		films[film] = record(t, m, film, 0)
	}
	words := watchVocabulary(t, m, demo.Vocabulary()...)
	quiet := quietPast(films, words)
	thresholds := words.thresholds(t, quiet, budgeted, names)
	want, wantBudgeted := replayed(fixed, nil, films, words), replayed(budgeted, thresholds, films, words)
	for _, all := range []map[string][]topics.Alert{want, wantBudgeted} {
		for _, film := range []string{"corridor_fall", "room_fall", "street_fence", "yard_fence", "street_fight", "yard_ladder"} {
			if len(all[film]) == 0 {
				t.Errorf("%s: no alert before any label is added", film)
			}
		}
	}
	for i, label := range added() {
		words.edit(t, label.Name)
		if got := replayed(fixed, nil, films, words); !reflect.DeepEqual(got, want) {
			t.Fatalf("after %d labels, the last being %q:\n%+v\nwant\n%+v", i+1, label.Name, got, want)
		}
		if got := replayed(budgeted, thresholds, films, words); !reflect.DeepEqual(got, wantBudgeted) {
			t.Fatalf("with budgets, after %d labels, the last being %q:\n%+v\nwant\n%+v", i+1, label.Name, got, wantBudgeted)
		}
	}
	if got := words.thresholds(t, quiet, budgeted, names); !reflect.DeepEqual(got, thresholds) {
		t.Errorf("thresholds %+v, want %+v", got, thresholds)
	}
}

// edit adds a label and waits until it is in force.
func (l *live) edit(t *testing.T, label string) {
	t.Helper()
	before := l.Current().Version
	l.redis.HSet(t, "f:vocab:"+vocabulary, label, "")
	l.awaitVersion(t, before)
}

// thresholds are those that the dial finds from a past, for rules on cameras.
func (l *live) thresholds(t *testing.T, past quietDays, rules *alerts.RuleSet, cameras []string) []topics.Threshold {
	t.Helper()
	m, err := calibrate.Newest(t.Context(), past, archive.Range{}, t0)
	if err != nil {
		t.Fatal(err)
	}
	v, err := l.store.List(t.Context(), vocabulary)
	if err != nil {
		t.Fatal(err)
	}
	o := calibrate.DialOptions{
		Past: past, Model: m, Words: func(string) *vocab.Vocabulary { return &v }, Now: t0, Wanted: map[string][]alerts.Budgeted{}, Fleet: map[string]int{},
		Embedder: func(m calibrate.Model) (calibrate.Embedder, error) {
			return scoring.NewRemote(scoring.RemoteOptions{Client: l.redis.Client, Prefix: "f:", Model: m.ID, Dim: m.Dims})
		},
	}
	for _, c := range cameras {
		o.Wanted[c] = rules.Budgeted(c, nil)
	}
	found, err := calibrate.Thresholds(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if f.Learning {
			t.Fatalf("%s on %s has no threshold of its own: %+v", f.Rule, f.Camera, f)
		}
	}
	return found
}
