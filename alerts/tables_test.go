package alerts

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

// watchedNow is the table of watched labels, as text by key.
func (c *cluster) watchedNow(t *testing.T) map[string]string {
	t.Helper()
	listed, err := c.Table(names.Of(topics.Watched)).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for key, m := range listed {
		w, err := topics.DecodeWatched(m.Value)
		if err != nil {
			t.Fatal(err)
		}
		out[key] = fmt.Sprintf("%s %s %v", strings.Join(w.Labels, ","), strings.Join(w.Tags, ","), w.Novel)
	}
	return out
}

func (c *cluster) awaitWatched(t *testing.T, want map[string]string) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("the table holds %q", c.watchedNow(t))
		}
	}()
	stagetest.Await(t, fmt.Sprintf("the watched labels %q", want), func() bool {
		return fmt.Sprint(c.watchedNow(t)) == fmt.Sprint(want)
	})
}

// infer scores what this table names, also outside of top_k.
func TestTheLabelsThatRulesNameAreListed(t *testing.T) {
	c := startCluster(t)
	c.partitions = 3
	c.ensure(t, 3)
	put := func(camera string) {
		t.Helper()
		value, err := topics.EncodeCamera(topics.Camera{Name: camera, URL: "rtsp://h/"})
		if err != nil {
			t.Fatal(err)
		}
		c.send(t, topics.Cameras, camera, value)
	}
	put("attic")
	rules := ruleSet(t, fallRule(), Rule{Name: "danger", Cameras: []string{"attic"}, Tags: []string{"knife"}}, Rule{Name: "new", Cameras: []string{"cellar"}, Novel: true})
	s, stop, _ := c.run(t, Options{Rules: rules})
	c.awaitWatched(t, map[string]string{"attic/fall": "fall  false", "attic/danger": " knife false"})
	put("cellar")
	c.awaitWatched(t, map[string]string{"attic/fall": "fall  false", "attic/danger": " knife false", "cellar/fall": "fall  false", "cellar/new": "  true"})
	s.SetRules(ruleSet(t, Rule{Name: "fall", Cameras: []string{"cellar", "lobby"}, Actions: []string{"fall", "slip"}}))
	c.awaitWatched(t, map[string]string{"cellar/fall": "fall,slip  false"})
	// A camera that sends clips and is not in the table of cameras.
	c.recognise(t, clipAt(recent(), 0, fall(.1)))
	c.awaitWatched(t, map[string]string{"cellar/fall": "fall,slip  false", "lobby/fall": "fall,slip  false"})
	// Labels that come second, or must not be absent, are watched for too.
	s.SetRules(ruleSet(t, Rule{Name: "after", Cameras: []string{"lobby"}, Actions: []string{"fall"}, Then: &Then{[]string{"run"}, time.Minute}},
		Rule{Name: "missing", Cameras: []string{"lobby"}, Absent: &Absent{[]string{"nurse"}, time.Hour}}))
	c.awaitWatched(t, map[string]string{"lobby/after": "fall,run  false", "lobby/missing": "nurse  false"})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	// What a stopped worker has left is brought up to date by the next.
	c.run(t, Options{Rules: ruleSet(t, Rule{Name: "other", Cameras: []string{"attic"}, Actions: []string{"x"}})})
	c.awaitWatched(t, map[string]string{"attic/other": "x  false"})
}

func TestThresholdsOfTheTableCount(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	rule := fallRule()
	rule.FalseAlarms = Budget{1, day, false}
	put := func(camera string, raise float64) {
		t.Helper()
		value, err := topics.EncodeThreshold(topics.Threshold{Camera: camera, Rule: "fall", RuleHash: rule.Hash(), Budget: rule.FalseAlarms.String(), Raise: raise, Clear: raise / 2, At: t0})
		if err != nil {
			t.Fatal(err)
		}
		c.send(t, topics.Thresholds, topics.RuleKey(camera, "fall"), value)
	}
	put("lobby", .95)
	c.send(t, topics.Thresholds, "lobby/other", []byte("no record"))
	c.send(t, topics.Thresholds, "no key", []byte("{}"))
	c.run(t, Options{Rules: ruleSet(t, rule)})
	began := recent()
	c.recognise(t, clipAt(began, 0, fall(.9)), clipAt(began, 1, fall(.97)))
	got := c.awaitAlerts(t, 1)
	if got[0].Contrast != .97 || got[0].Threshold != .95 || got[0].Measure != "contrast" {
		t.Errorf("raised %+v", got[0])
	}
	put("lobby", .99) // clips below .495 now clear it
	stagetest.Await(t, "the new threshold", func() bool {
		c.stage.budgets.mu.Lock()
		defer c.stage.budgets.mu.Unlock()
		return c.stage.budgets.cameras["lobby"].rules["fall"].Raise == .99
	})
	c.recognise(t, clipAt(began, 2, fall(.485)))
	if cleared := c.awaitAlerts(t, 2)[1]; cleared.State != topics.AlertCleared || cleared.Threshold != .99 {
		t.Errorf("cleared %+v", cleared)
	}
}
