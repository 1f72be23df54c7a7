package alerts

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// words is a version of the vocabulary "default".
func words(version string, labels ...vocab.Label) *vocab.Vocabulary {
	return &vocab.Vocabulary{Name: "default", Version: version, Labels: labels}
}

// scoredBy is the recognition as scored with a version of that vocabulary.
func scoredBy(version string, rec topics.Recognition) topics.Recognition {
	rec.Vocab = topics.VocabRef{Name: "default", Version: version}
	return rec
}

func TestAClearSaysWhyTheLabelHasNoScore(t *testing.T) {
	byName := Rule{Name: "r", Score: &Levels{}, Actions: []string{"fall", "fight"}}
	byTag := Rule{Name: "r", Score: &Levels{}, Tags: []string{"danger"}}
	danger := func(name string, score float64) topics.LabelScore {
		return topics.LabelScore{Label: name, Score: score, Tags: []string{"danger"}}
	}
	walk := topics.LabelScore{Label: "walk", Score: .041}
	gone, there := words("v2", vocab.Label{Name: "walk"}), words("v2", vocab.Label{Name: "fall", Tags: []string{"danger"}}, vocab.Label{Name: "walk"})
	broken := words("v2", vocab.Label{Name: "walk"})
	broken.Problems = []vocab.Problem{{Label: " fall", Err: errors.New("not JSON")}}
	for _, c := range []struct {
		name     string
		rule     Rule
		edited   Rule // in its place after the raise; of no name: none
		v        *vocab.Vocabulary
		labels   []topics.LabelScore // of the deciding clip, scored with v2
		want     string
		wantName string
		score    float64
	}{
		{"the score fell", byName, Rule{}, there, []topics.LabelScore{walk, fall(.03)}, "the score fell", "fall", .03},
		{"below the listed ones", byName, Rule{}, there, []topics.LabelScore{walk}, "the score fell below 0.05", "fall", 0},
		{"far below", byName, Rule{}, there, []topics.LabelScore{{Label: "walk", Score: 1e-9}}, "the score fell below 0.01", "fall", 0},
		{"another label is the best", byName, Rule{}, there, []topics.LabelScore{{Label: "fight", Score: .04}, fall(.03)}, "the score fell", "fight", .04},
		{"removed", byName, Rule{}, gone, []topics.LabelScore{walk}, `the vocabulary default no longer has the label "fall"`, "fall", 0},
		{"removed, the last one", byName, Rule{}, words("v2"), nil, `the vocabulary default no longer has the label "fall"`, "fall", 0},
		{"removed, another one matches", byTag, Rule{}, gone, []topics.LabelScore{danger("fight", .04)}, `the vocabulary default no longer has the label "fall", and "fight" scores 0.04`, "fall", 0},
		{"broken", byName, Rule{}, broken, []topics.LabelScore{walk}, `the label "fall" of the vocabulary default is broken`, "fall", 0},
		{"scored with another version", byName, Rule{}, words("v3", vocab.Label{Name: "walk"}), []topics.LabelScore{walk}, `the label "fall" is no longer among those listed for the clip`, "fall", 0},
		{"vocabulary not known", byName, Rule{}, nil, []topics.LabelScore{walk}, `the label "fall" is no longer among those listed for the clip`, "fall", 0},
		{"nothing listed", byName, Rule{}, there, nil, `the label "fall" is no longer among those listed for the clip`, "fall", 0},
		{"its tag removed", byTag, Rule{}, there, []topics.LabelScore{fall(.9)}, `the rule no longer selects the label "fall"`, "fall", 0},
		{"its tag removed, not listed", byTag, Rule{}, words("v2", vocab.Label{Name: "fall"}), []topics.LabelScore{walk}, `the rule no longer selects the label "fall"`, "fall", 0},
		{"the rule edited", byName, Rule{Name: "r", Score: &Levels{}, Actions: []string{"fight"}}, there, []topics.LabelScore{fall(.9), {Label: "fight", Score: .1}},
			`the rule no longer selects the label "fall", and "fight" scores 0.10`, "fall", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEngine(t, c.rule)
			if got := e.Evaluate(scoredBy("v1", clipAt(t0, 0, danger("fall", .9)))); len(got) != 1 {
				t.Fatalf("not raised: %+v", got)
			}
			if c.edited.Name != "" {
				e.SetRules(ruleSet(t, c.edited))
			}
			e.SetWords(always(c.v))
			got := e.Evaluate(scoredBy("v2", clipAt(t0, 1, c.labels...)))
			if len(got) != 1 || got[0].Reason != c.want || got[0].Label != c.wantName || got[0].Score != c.score || got[0].Similarity != 0 {
				t.Errorf("got %+v, want %q", got, c.want)
			}
		})
	}
}

// A label may have a name of any length that a record may have.
func TestAReasonFitsIntoItsRecord(t *testing.T) {
	for _, name := range []string{strings.Repeat("é", 256), strings.Repeat("\U000E0001", 128), strings.Repeat(`"`, 512)} {
		rule := Rule{Name: "r", Score: &Levels{}, Tags: []string{"danger"}}
		label := topics.LabelScore{Label: name, Score: .9, Tags: rule.Tags}
		other := topics.LabelScore{Label: "é" + name[2:], Score: .1, Tags: rule.Tags}
		for _, labels := range [][]topics.LabelScore{nil, {other}} {
			e := newEngine(t, rule)
			e.Evaluate(clipAt(t0, 0, label))
			e.SetWords(always(&vocab.Vocabulary{Name: strings.Repeat("n", 512)}))
			rec := clipAt(t0, 1, labels...)
			rec.Vocab.Name = strings.Repeat("n", 512)
			got := e.Evaluate(rec)
			if len(got) != 1 || got[0].Reason == "" {
				t.Fatalf("got %+v", got)
			}
			if _, err := topics.EncodeAlert(got[0]); err != nil {
				t.Errorf("%v: %q", err, got[0].Reason)
			}
		}
	}
}

// Clears that no clip decided have no score; that of the raise is not theirs.
func TestAClearWithoutAClipHasNoScore(t *testing.T) {
	rule := Rule{Name: "fall", Score: &Levels{}, Actions: []string{"fall"}}
	raised := func() (*Engine, topics.Alert) {
		e := newEngine(t, rule)
		label := fall(.9)
		label.Similarity = .3
		return e, e.Evaluate(clipAt(t0, 0, label))[0]
	}
	for name, end := range map[string]func() []topics.Alert{
		"no clips":     func() []topics.Alert { e, _ := raised(); return tick(e, t0, 2*time.Minute) },
		"rule removed": func() []topics.Alert { e, _ := raised(); return e.SetRules(nil) },
		"restored, and another followed": func() []topics.Alert {
			_, first := raised()
			e, again := newEngine(t, rule), first
			again.ID, again.At = "fall/again", again.At.Add(time.Minute)
			e.Restore(first)
			e.Restore(again)
			return e.Restored()
		},
	} {
		got := end()
		if len(got) != 1 || got[0].State != topics.AlertCleared || got[0].Label != "fall" || got[0].Score != 0 || got[0].Similarity != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What is known of the vocabulary changes words alone: a worker that knows it, one
// that does not, and one that starts between, publish the same alerts.
func TestTheVocabularyChangesNoAlert(t *testing.T) {
	rule := Rule{Name: "fall", Score: &Levels{}, Actions: []string{"fall"}, Clips: ClipsRule{2, 3}, Cooldown: 5 * time.Second}
	publish := func(e *Engine) (ids []string, published []topics.Alert) {
		for i := range 20 {
			labels := []topics.LabelScore{{Label: "walk", Score: .1}}
			if i/5%2 == 0 { // the label comes and goes
				labels = append(labels, fall(.8))
			}
			for _, a := range e.Evaluate(scoredBy("v", clipAt(t0, i, labels...))) {
				ids, published = append(ids, a.EventID()+a.At.String()), append(published, a)
			}
		}
		return ids, published
	}
	knows := newEngine(t, rule)
	knows.SetWords(always(words("v", vocab.Label{Name: "walk"})))
	want, published := publish(knows)
	if len(want) != 4 || published[1].Score != 0 || !strings.Contains(published[1].Reason, "no longer has") {
		t.Fatalf("the example gives %+v", published)
	}
	if got, _ := publish(newEngine(t, rule)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// The clear without a score is taken over: its cooldown runs, nothing is repeated.
	again := newEngine(t, rule)
	again.Restore(published[0])
	again.Restore(published[1])
	if got, _ := publish(again); !slices.Equal(got, want[2:]) {
		t.Errorf("after a restart: got %q, want %q", got, want[2:])
	}
}

// The record of such a clear has no score, and the next worker takes it over.
func TestAnAlertWhoseLabelIsRemovedIsClearedWithoutAScore(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	live := &vocabulary{changed: make(chan struct{})}
	before := live.replace(vocab.Label{Name: "fall"}, vocab.Label{Name: "walk"})
	o := Options{Rules: ruleSet(t, fallRule()), Vocabularies: live}
	_, stop, _ := c.run(t, o)
	epoch := recent()
	c.recognise(t, scoredBy(before, clipAt(epoch, 0, fall(.9))))
	c.awaitAlerts(t, 1)
	after := live.replace(vocab.Label{Name: "walk"})
	gone := scoredBy(after, clipAt(epoch, 1, topics.LabelScore{Label: "walk", Score: .9}))
	c.recognise(t, gone)
	if a := c.awaitAlerts(t, 2)[1]; a.State != topics.AlertCleared || a.Label != "fall" || a.Reason != `the vocabulary default no longer has the label "fall"` {
		t.Errorf("got %+v", a)
	}
	if record := c.all(t, topics.Alerts)[1].Value; bytes.Contains(record, []byte(`"score"`)) || bytes.Contains(record, []byte(`"similarity"`)) {
		t.Errorf("the record has a score: %s", record)
	}
	c.awaitOpen(t)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	o.Group = "anew" // reads the same clips again
	c.run(t, o)
	c.recognise(t, scoredBy(after, clipAt(epoch, 2, fall(.9))))
	if a := c.awaitAlerts(t, 3)[2]; a.State != topics.AlertRaised || a.OnsetClip != clipAt(epoch, 2).ClipID {
		t.Errorf("got %+v", a)
	}
}
