package alerts

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// One label that goes can concern a thousand rules: no line and no warning for each.
func TestEffectsOfManyRulesAreBounded(t *testing.T) {
	var log stagetest.Log
	reports := stagetest.NewReports()
	s := &Stage{Options: Options{Logger: log.Logger(), Reporter: reports}}
	now := map[string]error{}
	for i := range 1000 {
		now[fmt.Sprintf("rule-%03d", i)] = errors.New("no label")
	}
	s.reportEffects(t.Context(), nil, nil, now)
	s.reportEffects(t.Context(), nil, now, now)
	if n := strings.Count(log.String(), "\n"); n != 21 || !strings.Contains(log.String(), "rules=980") {
		t.Errorf("%d lines", n)
	}
	reports.AwaitWarning(t, "rule rule-019", "no label")
	reports.AwaitWarning(t, "further rules", "980 more can't take full effect")
	reports.AwaitWarning(t, "rule rule-020", "")
	delete(now, "rule-000")
	s.reportEffects(t.Context(), nil, map[string]error{"rule-000": errors.New("no label")}, now)
	reports.AwaitWarning(t, "rule rule-000", "")
	reports.AwaitWarning(t, "rule rule-020", "no label")
}

func TestRulesWithoutEffectAreNamed(t *testing.T) {
	v := &vocab.Vocabulary{Name: "default", Labels: []vocab.Label{
		{Name: "Falling Down", Tags: []string{"danger"}}, {Name: "walking", Tags: []string{"calm"}, Background: true}}}
	broken := &vocab.Vocabulary{Name: "default", Labels: v.Labels[1:], Problems: []vocab.Problem{{Label: " Falling Down", Err: errors.New("unknown key \"treshold\"")}}}
	calm := &vocab.Vocabulary{Name: "default", Labels: v.Labels[1:]}
	cameras := map[string][]string{"lobby": {"indoor"}, "ward-1": nil}
	receivers := func(receiver, rule, severest string) string {
		if receiver == "ops" {
			return ""
		}
		return fmt.Sprintf("%s gets nothing of %s, %s at most", receiver, rule, severest)
	}
	for _, c := range []struct {
		name    string
		rule    Rule
		v       *vocab.Vocabulary
		cameras map[string][]string
		want    string
	}{
		{"all is there", Rule{Actions: []string{"falling down", "walking"}, Cameras: []string{"ward-*", "lobby"}}, v, cameras, ""},
		{"label", Rule{Actions: []string{"faling down", "walking"}}, v, cameras, `the vocabulary default has no label "faling down"`},
		{"broken label", Rule{Actions: []string{"falling down"}}, broken, cameras, `the label "falling down" of the vocabulary default is broken: unknown key "treshold"`},
		{"tag", Rule{Tags: []string{"danger", "fire"}}, v, cameras, `no label of the vocabulary default has the tag "fire"`},
		{"tag of a camera", Rule{Tags: []string{"indoor"}}, v, cameras, `no label of the vocabulary default has the tag "indoor", only cameras have it: a rule's tags select labels; it selects cameras by their tags under camera_tags`},
		{"tag of background", Rule{Tags: []string{"calm"}}, v, cameras, `every label with the tag "calm" is background`},
		{"novel", Rule{Novel: true}, v, cameras, ""},
		{"novel, and nothing to be so", Rule{Novel: true}, calm, cameras, "no label that is not background"},
		{"glob", Rule{Novel: true, Cameras: []string{"lobby", "wrad-*"}}, v, cameras, `no camera matches "wrad-*"`},
		{"glob, no cameras", Rule{Novel: true, Cameras: []string{"lobby"}}, v, map[string][]string{}, `no camera matches "lobby"`},
		{"cameras not known", Rule{Novel: true, Cameras: []string{"lobby"}}, v, nil, ""},
		{"vocabulary not known", Rule{Actions: []string{"anything"}}, nil, cameras, ""},
		{"both", Rule{Actions: []string{"x"}, Cameras: []string{"y"}}, v, cameras, `no camera matches "y"; the vocabulary default has no label "x"`},
		{"as many cameras as it counts", Rule{Actions: []string{"walking"}, Count: &Count{2, time.Minute}}, v, cameras, ""},
		{"fewer cameras than it counts", Rule{Actions: []string{"walking"}, Count: &Count{2, time.Minute}, CameraTags: []string{"indoor"}}, v, cameras, "it wants 2 cameras, and watches 1"},
		{"inhibited by a count", Rule{Actions: []string{"walking"}, InhibitedBy: []string{"crowd"}}, v, cameras, `rule "crowd" counts cameras: such rules inhibit no others`},
		{"receivers", Rule{Actions: []string{"walking"}, Notify: []string{"ops", "nobody"}, Escalate: &Escalate{After: time.Minute}}, v, cameras, "nobody gets nothing of r, critical at most"},
		{"a receiver of a rule on streams", Rule{Stream: &StreamRule{Offline: time.Minute}, Notify: []string{"nobody"}, Severity: "info"}, v, cameras, "nobody gets nothing of r, info at most"},
		{"like another, for others", Rule{Actions: []string{"same"}, Notify: []string{"ops"}}, nil, nil, ""},
		{"like another", Rule{Actions: []string{"same"}, Cooldown: time.Minute}, nil, nil, `it watches for the same as rule "other"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rule.Name = "r"
			set := ruleSet(t, Rule{Name: "other", Actions: []string{"same"}}, crowd(2, time.Minute), c.rule)
			got := ""
			if err := set.WithoutEffect(Surroundings{Cameras: c.cameras, Words: always(c.v), Receivers: receivers})["r"]; err != nil {
				got = err.Error()
			}
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A rule names labels of its cameras' vocabularies.
func TestARuleIsCheckedAgainstTheVocabulariesOfItsCameras(t *testing.T) {
	all := map[string]*vocab.Vocabulary{
		"":          {Name: "default", Labels: []vocab.Label{{Name: "walking"}}},
		"hospital":  {Name: "hospital", Labels: []vocab.Label{{Name: "washing hands", Tags: []string{"care"}}}},
		"logistics": {Name: "logistics", Labels: []vocab.Label{{Name: "forklift reversing"}}},
	}
	around := Surroundings{
		Cameras:      map[string][]string{"lobby": nil, "ward-1": nil, "store-1": nil, "roof": nil},
		Words:        func(name string) *vocab.Vocabulary { return all[name] },
		Vocabularies: map[string]string{"ward-1": "hospital", "store-1": "logistics", "roof": "not read yet"},
	}
	for _, c := range []struct {
		rule Rule
		want string
	}{
		{Rule{Actions: []string{"Washing hands"}, Cameras: []string{"ward-*"}}, ""},
		{Rule{Actions: []string{"walking"}, Cameras: []string{"ward-*"}}, `the vocabulary hospital has no label "walking"`},
		{Rule{Tags: []string{"care"}, Cameras: []string{"lobby"}}, `no label of the vocabulary default has the tag "care"`},
		{Rule{Actions: []string{"washing hands", "forklift reversing"}, Cameras: []string{"ward-*", "store-*"}}, ""},
		{Rule{Actions: []string{"walking"}, Cameras: []string{"ward-*", "store-*"}}, `the vocabulary hospital or logistics has no label "walking"`},
		{Rule{Actions: []string{"walking"}, Cameras: []string{"roof"}}, ""},
	} {
		c.rule.Name = "r"
		got := ""
		if err := ruleSet(t, c.rule).WithoutEffect(around)["r"]; err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%v on %v: got %q, want %q", c.rule.Actions, c.rule.Cameras, got, c.want)
		}
	}
}

// vocabulary is one that a test replaces.
type vocabulary struct {
	mu      sync.Mutex
	current *vocab.Vocabulary
	changed chan struct{}
	edits   int
}

// always is one vocabulary under every name.
func always(v *vocab.Vocabulary) Words { return func(string) *vocab.Vocabulary { return v } }

func (v *vocabulary) Current(string) *vocab.Vocabulary {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.current
}

func (v *vocabulary) Changed() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.changed
}

// replace puts other labels in force, and returns the version that they are of.
func (v *vocabulary) replace(labels ...vocab.Label) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.edits++
	v.current = words(fmt.Sprint("edit ", v.edits), labels...)
	close(v.changed)
	v.changed = make(chan struct{})
	return v.current.Version
}

// What a rule lacks is reported once it is known, and no more when it is there;
// rules may be replaced before Kafka answers.
func TestWhatARuleLacksIsReported(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	live, r := &vocabulary{changed: make(chan struct{})}, stagetest.NewReports()
	log := &bytes.Buffer{} // read when the stage has ended
	s, stop, _ := c.run(t, Options{Reporter: r, Vocabularies: live, Logger: slog.New(slog.NewTextHandler(log, nil))})
	r.AwaitWarning(t, "rules", "there are no rules: nothing raises an alert")
	rule := fallRule()
	rule.Cameras = []string{"ward-*"}
	s.SetRules(ruleSet(t, rule))
	r.AwaitWarning(t, "rule fall", `no camera matches "ward-*"`)
	live.replace(vocab.Label{Name: "walking"})
	r.AwaitWarning(t, "rule fall", `no camera matches "ward-*"; the vocabulary default has no label "fall"`)
	live.replace(vocab.Label{Name: "Fall"})
	camera, err := topics.EncodeCamera(topics.Camera{Name: "ward-1", URL: "rtsp://h/"})
	if err != nil {
		t.Fatal(err)
	}
	c.send(t, topics.Cameras, "ward-1", camera)
	r.AwaitWarning(t, "rule fall", "")
	c.send(t, topics.Cameras, "ward-1", nil)
	r.AwaitWarning(t, "rule fall", "no camera matches")
	rule.Cameras, rule.Cooldown = nil, time.Minute
	s.SetRules(ruleSet(t, rule))
	r.AwaitWarning(t, "rule fall", "")
	r.AwaitWarning(t, "rules", "")
	s.SetRules(nil)
	r.AwaitWarning(t, "rules", "there are no rules: nothing raises an alert")
	if err := stop(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), `msg="rule can't take full effect" rule=fall`) {
		t.Error("not logged")
	}
}

// A camera whose host's clock is ahead raises nothing, and that is said; by the
// broker's clock, whatever ours says.
func TestAHostWhoseClockIsAheadIsReported(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	r := stagetest.NewReports()
	c.run(t, Options{Rules: ruleSet(t, fallRule()), Reporter: r, Now: func() time.Time { return time.Now().Add(-time.Hour) }})
	c.recognise(t, clipAt(time.Now().UTC().Add(10*time.Minute), 0, fall(.9)))
	r.AwaitWarning(t, "clock of camera lobby", "ahead of Kafka's clock")
	c.recognise(t, clipAt(recent(), 0, fall(.9)))
	c.awaitAlerts(t, 1)
	r.AwaitWarning(t, "clock of camera lobby", "")
}

// A producer that partitions otherwise than we do costs a camera its state at
// each change of workers, and that is said.
func TestRecordsInAForeignPartitionAreReported(t *testing.T) {
	c := startCluster(t)
	c.partitions = 2
	c.ensure(t, 2)
	r := stagetest.NewReports()
	c.run(t, Options{Rules: ruleSet(t, fallRule()), Reporter: r})
	home, err := c.PartitionOf(t.Context(), names.Of(topics.Actions), []byte("lobby"))
	if err != nil {
		t.Fatal(err)
	}
	foreign := "a" // a key of the other partition
	for at := home; at == home; foreign += "a" {
		if at, err = c.PartitionOf(t.Context(), names.Of(topics.Actions), []byte(foreign)); err != nil {
			t.Fatal(err)
		}
		if at != home {
			break
		}
	}
	value, err := topics.EncodeRecognition(clipAt(recent(), 0, fall(.1)))
	if err != nil {
		t.Fatal(err)
	}
	c.send(t, topics.Actions, foreign, value)
	r.AwaitWarning(t, "partition of camera lobby", fmt.Sprintf("its recognitions are in partition %d instead of %d", 1-home, home))
}
