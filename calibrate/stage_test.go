package calibrate

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// words is a vocabulary that can be edited.
type fixedWords struct{ v *vocab.Vocabulary }

func (w fixedWords) Current(string) *vocab.Vocabulary { return w.v }

func (fixedWords) Changed() <-chan struct{} { return nil }

// bagRule watches for a bag that is left.
func bagRule(budget string) alerts.Rule {
	r := alerts.Rule{Name: "bag", Actions: []string{"leaves a bag"}, Clips: alerts.ClipsRule{N: 1, M: 1}}
	if err := r.FalseAlarms.UnmarshalText([]byte(budget)); err != nil {
		panic(err)
	}
	return r
}

func budgeted(r alerts.Rule) alerts.Budgeted { return alerts.Budgeted{Rule: r, Hash: r.Hash()} }

// twoHours is what the cameras hall and door recorded, the hall more of what looks
// like the label.
func twoHours(t *testing.T) *recorded {
	t.Helper()
	refs := someReferences(t)
	past := &recorded{}
	for i := range 3600 {
		noise := 2.0
		if i%40 == 0 {
			noise = .5
		}
		past.add(1, "hall", i, looksLike("leaves a bag", noise, i, refs))
		past.add(2, "door", i, looksLike("a closed door", .4, 9000+i, refs))
	}
	return past
}

// end is just after the recordings.
var end = t0.Add(3601 * stride)

// always is the same vocabulary for every camera.
func always(v *vocab.Vocabulary) WordsOf { return func(string) *vocab.Vocabulary { return v } }

func dialOptions(t *testing.T, past *recorded, budget string, cameras ...string) DialOptions {
	t.Helper()
	m, err := Newest(t.Context(), past, archive.Range{}, end)
	if err != nil {
		t.Fatal(err)
	}
	o := DialOptions{
		Past: past, Model: m, Embedder: func(Model) (Embedder, error) { return vectors{someReferences(t)}, nil },
		Words: always(&vocab.Vocabulary{Name: "default", Labels: []vocab.Label{{Name: "leaves a bag"}}}), Now: end,
		Wanted: map[string][]alerts.Budgeted{},
	}
	for _, c := range cameras {
		o.Wanted[c] = []alerts.Budgeted{budgeted(bagRule(budget))}
	}
	o.Fleet = fleet(o.Wanted)
	return o
}

// A threshold is what the engine, run over the recordings, keeps the budget with.
func TestThresholdsKeepTheBudgetOverTheRecordings(t *testing.T) {
	past := twoHours(t)
	got, err := Thresholds(t.Context(), dialOptions(t, past, "20 per hour", "hall", "door", "new"))
	if err != nil || len(got) != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, v := range got {
		if _, err := topics.EncodeThreshold(v); err != nil {
			t.Error(err)
		}
		if v.Camera == "new" {
			if !v.Learning || v.Clips != 0 || v.Raise < min(got[0].Raise, got[1].Raise) {
				t.Errorf("a camera without a past: %+v", v)
			}
			continue
		}
		if v.Learning || v.Tail != "counted" || v.Clips < 3599 || v.Happenings < 40 {
			t.Errorf("%+v", v)
		}
		rule := bagRule("20 per hour")
		replayed, err := Replay(t.Context(), ReplayOptions{
			Past: past, Rules: ruleSet(t, alerts.Rule{Name: "bag", Actions: rule.Actions, Contrast: &alerts.Levels{Raise: v.Raise, Clear: v.Clear}}),
			Cameras: []string{v.Camera}, Words: words(t, past, someReferences(t), "leaves a bag"),
		})
		if err != nil {
			t.Fatal(err)
		}
		raised := 0
		for _, a := range replayed.Alerts {
			if a.State == topics.AlertRaised {
				raised++
			}
		}
		if raised < 38 || raised > 40 {
			t.Errorf("%s: %d alerts in two hours at %v, want 40 or hardly fewer", v.Camera, raised, v.Raise)
		}
	}
}

// Where nothing looks like a label, its threshold does not sink to what looks like it
// least; where something does, it stays as it is.
func TestNoThresholdIsBelowTheLeast(t *testing.T) {
	o := dialOptions(t, twoHours(t), "20 per hour", "door", "hall", "new")
	free, err := Thresholds(t.Context(), o)
	if err != nil || len(free) != 3 || free[0].Raise >= free[1].Raise {
		t.Fatalf("%+v, %v", free, err)
	}
	o.Least = (free[0].Raise + free[1].Raise) / 2
	got, err := Thresholds(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	door, hall := got[0], got[1]
	if math.Abs(door.Raise-o.Least) > 1e-9 || door.Clear >= door.Raise || door.Clear < free[0].Clear || door.Clear < o.Least/2 || door.Tail != "least" {
		t.Errorf("with a least of %v the door has %+v", o.Least, door)
	}
	if hall != free[1] {
		t.Errorf("the hall has %+v, before it had %+v", hall, free[1])
	}
	if _, err := topics.EncodeThreshold(door); err != nil {
		t.Error(err)
	}
	o.Least = .99 // more than other cameras have
	if got, err = Thresholds(t.Context(), o); err != nil || !got[2].Learning || math.Abs(got[2].Raise-.99) > 1e-9 {
		t.Errorf("a camera without a past has %+v, %v", got, err)
	}
}

// A camera without a past takes what other cameras have with its model: what they had with
// another one says nothing.
func TestThresholdsOfAnotherModelAreNoneToLearnFrom(t *testing.T) {
	past := twoHours(t)
	known, err := Thresholds(t.Context(), dialOptions(t, past, "20 per hour", "hall", "door"))
	if err != nil || len(known) != 2 {
		t.Fatalf("%+v, %v", known, err)
	}
	o := dialOptions(t, past, "20 per hour", "new")
	for model, want := range map[string]bool{known[0].Model: true, "another": false} {
		o.Known = nil
		for _, k := range known {
			k.Model, k.Raise = model, .7
			o.Known = append(o.Known, k)
		}
		got, err := Thresholds(t.Context(), o)
		if err != nil || len(got) != 1 || !got[0].Learning || (math.Abs(got[0].Raise-.7) < 1e-6) != want || (math.Abs(got[0].Raise-alerts.DefaultContrast) < 1e-6) == want {
			t.Errorf("thresholds of model %s: %+v, %v", model, got, err)
		}
	}
}

// A budget in all is kept by one threshold on all cameras together.
func TestABudgetInAllIsShared(t *testing.T) {
	past := twoHours(t)
	got, err := Thresholds(t.Context(), dialOptions(t, past, "40 per hour in all", "hall", "door"))
	if err != nil || len(got) != 2 || got[0].Raise != got[1].Raise {
		t.Fatalf("%+v, %v", got, err)
	}
	alone, err := Thresholds(t.Context(), dialOptions(t, past, "20 per hour", "hall", "door"))
	if err != nil {
		t.Fatal(err)
	}
	low, high := min(alone[0].Raise, alone[1].Raise), max(alone[0].Raise, alone[1].Raise)
	if v := got[0].Raise; low >= high || v < low || v > high {
		t.Errorf("raise %v, with budgets of their own %v and %v", v, low, high)
	}
}

// A rule whose labels are unknown does not keep others from their thresholds.
func TestARuleWithoutLabelsIsReported(t *testing.T) {
	o := dialOptions(t, twoHours(t), "20 per hour", "hall")
	odd := budgeted(bagRule("20 per hour"))
	odd.Name, odd.Actions = "odd", []string{"unheard of"}
	o.Wanted["hall"] = append([]alerts.Budgeted{odd}, o.Wanted["hall"]...)
	got, err := Thresholds(t.Context(), o)
	if err == nil || len(got) != 1 || got[0].Rule != "bag" || got[0].Learning {
		t.Errorf("%+v, %v", got, err)
	}
}

// What is due: what is missing, of another rule, other words or another model, and
// what is a day old, or a quarter of a short past.
func TestWhatIsDue(t *testing.T) {
	now := t0.Add(1000 * time.Hour)
	rule := budgeted(bagRule("1 per week"))
	v := &vocab.Vocabulary{Labels: []vocab.Label{{Name: "Leaves a bag", Description: "on the floor"}}}
	m := Model{ID: "m", References: "r"}
	sound := topics.Threshold{
		Camera: "hall", Rule: "bag", RuleHash: rule.Hash, Words: hashOf(v.Labels), Model: "m", References: "r",
		Days: 10, At: now.Add(-23 * time.Hour),
	}
	for name, c := range map[string]struct {
		change func(*topics.Threshold)
		due    bool
	}{
		"sound":         {func(*topics.Threshold) {}, false},
		"another rule":  {func(t *topics.Threshold) { t.RuleHash = "x" }, true},
		"other words":   {func(t *topics.Threshold) { t.Words = "x" }, true},
		"another model": {func(t *topics.Threshold) { t.Model = "x" }, true},
		"old":           {func(t *topics.Threshold) { t.At = now.Add(-25 * time.Hour) }, true},
		"short":         {func(t *topics.Threshold) { t.Days = 1 }, true},
		"new":           {func(t *topics.Threshold) { t.Days, t.At = 0, now.Add(-time.Minute) }, false},
		"elsewhere":     {func(t *topics.Threshold) { t.Camera = "door" }, true},
	} {
		have := sound
		c.change(&have)
		tables := &tables{thresholds: map[string]topics.Threshold{topics.RuleKey(have.Camera, have.Rule): have}}
		want := map[string][]alerts.Budgeted{"hall": {rule}}
		_, texts := able(want, always(v), nil)
		if due := tables.due(want, texts, m, now); (len(due) == 1) != c.due {
			t.Errorf("%s: due %v", name, due)
		}
		if over := tables.over(want); (len(over) == 1) != (name == "elsewhere") {
			t.Errorf("%s: over %v", name, over)
		}
	}
}

// startBroker starts a broker with two partitions whose table has some cameras.
func startBroker(t *testing.T, cameras ...string) (address string, client *bus.Client, names topics.Names) {
	t.Helper()
	k := kafkatest.StartEmbedded(t)
	client, err := bus.New(bus.Options{Brokers: []string{k.Addr()}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	names = topics.Names{Prefix: topics.DefaultPrefix}
	if err := client.Ensure(t.Context(), bus.TopicSpecs(names, 2, 1)); err != nil {
		t.Fatal(err)
	}
	for _, name := range cameras {
		camera, err := topics.EncodeCamera(topics.Camera{Name: name, URL: "rtsp://host/" + name})
		if err == nil {
			_, err = client.Table(names.Of(topics.Cameras)).Put(t.Context(), name, camera, "")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return k.Addr(), client, names
}

// Of two processes one works, its thresholds reach the table, and those of rules that
// are gone leave it.
func TestTheStageKeepsTheTable(t *testing.T) {
	_, client, names := startBroker(t, "hall", "porch")
	past := twoHours(t)
	refs := someReferences(t)
	for i := range 3600 { // nothing like the label
		past.add(1, "porch", i, looksLike("everyday scene 3", .1, i, refs))
	}
	o := dialOptions(t, past, "20 per hour", "hall")
	s, err := New(Options{
		Bus: client, Names: names, Group: "calibrate", Past: o.Past, Embedder: o.Embedder, Vocabularies: fixedWords{o.Words("")},
		Logger: slog.New(slog.DiscardHandler), Rules: ruleSet(t, bagRule("20 per hour")), Now: func() time.Time { return end },
		Settle: time.Millisecond, Look: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	await := func(what string, ok func(map[string]bus.Message) bool) {
		t.Helper()
		for until := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			all, err := client.Table(names.Of(topics.Thresholds)).List(t.Context())
			if err == nil && ok(all) {
				return
			}
			if time.Now().After(until) {
				t.Fatalf("waited in vain for %s: %v, %v", what, all, err)
			}
		}
	}
	await("a threshold", func(all map[string]bus.Message) bool {
		v, err := topics.DecodeThreshold(all["hall/bag"].Value)
		return err == nil && !v.Learning && v.Budget == "20 per hour"
	})
	await("the least threshold", func(all map[string]bus.Message) bool {
		v, err := topics.DecodeThreshold(all["porch/bag"].Value)
		return err == nil && v.Tail == "least" && math.Abs(v.Raise-LeastContrast) < 1e-9
	})
	// What was found for the model before it served stands in, once the threshold is due again.
	all, err := client.Table(names.Of(topics.Thresholds)).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	due, err := topics.DecodeThreshold(all["hall/bag"].Value)
	if err != nil {
		t.Fatal(err)
	}
	before := due
	before.Raise, before.Clear, before.Days, before.At = .9, .8, 99, end.Add(-time.Hour)
	due.At, due.Next = end.Add(-2*daily), &before
	value, err := topics.EncodeThreshold(due)
	if err == nil {
		_, err = client.Send(t.Context(), bus.Message{Topic: names.Of(topics.Thresholds), Key: []byte("hall/bag"), PartitionBy: []byte("hall"), Value: value})
	}
	if err != nil {
		t.Fatal(err)
	}
	await("what was found before", func(all map[string]bus.Message) bool {
		v, err := topics.DecodeThreshold(all["hall/bag"].Value)
		return err == nil && v.Raise == .9 && v.Next != nil
	})
	s.SetRules(ruleSet(t, bagRule("10 per hour")))
	await("the other budget", func(all map[string]bus.Message) bool {
		v, err := topics.DecodeThreshold(all["hall/bag"].Value)
		return err == nil && v.Budget == "10 per hour" && v.RuleHash == bagRule("10 per hour").Hash()
	})
	s.SetRules(nil)
	await("an empty table", func(all map[string]bus.Message) bool { return len(all) == 0 })
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// The cameras of a rule may have different vocabularies: a threshold is found for the
// label as the camera's own has it, and none where it has none.
func TestThresholdsAreThoseOfTheCamerasVocabulary(t *testing.T) {
	past := twoHours(t)
	o := dialOptions(t, past, "20 per hour", "hall", "door", "new")
	of := map[string]*vocab.Vocabulary{
		"hall": {Name: "hospital", Labels: []vocab.Label{{Name: "leaves a bag"}}},
		"door": {Name: "logistics", Labels: []vocab.Label{{Name: "Leaves a bag", Description: "on the floor"}}},
		"new":  {Name: "empty"},
	}
	o.Words = func(camera string) *vocab.Vocabulary { return of[camera] }
	able, texts := able(o.Wanted, o.Words, nil)
	if len(able) != 2 || len(able["new"]) > 0 || texts["hall/bag"] == texts["door/bag"] || texts["hall/bag"] != hashOf(of["hall"].Labels) {
		t.Fatalf("able are %v, with the texts %v", able, texts)
	}
	o.Wanted, o.Fleet = able, fleet(able)
	got, err := Thresholds(t.Context(), o)
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	alone, err := Thresholds(t.Context(), dialOptions(t, past, "20 per hour", "hall"))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range got {
		if v.Words != hashOf(of[v.Camera].Labels) {
			t.Errorf("%s has the words of another vocabulary", v.Camera)
		}
		if v.Camera == "hall" && v.Raise != alone[0].Raise {
			t.Errorf("hall raises at %v, and at %v where all cameras have its vocabulary", v.Raise, alone[0].Raise)
		}
	}
}
