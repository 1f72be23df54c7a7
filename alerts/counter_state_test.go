package alerts

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// A partition whose worker has died is waited for no longer than a minute in which others
// report, an outage of all does not count, and a clock that is hours behind holds up
// nothing.
func TestWhoIsWaitedFor(t *testing.T) {
	set := ruleSet(t, crowd(2, 10*time.Second))
	begin := func() *Counter {
		c := NewCounter(set)
		c.See(reaches(1, 2), t0)
		if got := counted(append(c.See(sees(set, "a", 0), t0), c.See(sees(set, "b", 1), t0)...)); len(got) != 1 {
			t.Fatalf("got %q", got)
		}
		return c
	}
	// after is how many seconds of reports of partition 0, one each so many seconds, pass
	// before the alert is cleared.
	after := func(c *Counter, every, through float64) float64 {
		for s := every; s < 1000; s += every {
			if len(c.See(reaches(0, through), t0.Add(time.Duration(s*float64(time.Second))))) > 0 {
				return s
			}
		}
		return -1
	}
	if got := after(begin(), 2, 60); got != 62 {
		t.Errorf("cleared after %v s", got)
	}
	if got := after(begin(), 80, 60); got != 880 { // 6 s of each 80 count
		t.Errorf("with pauses of 80 s, cleared after %v s", got)
	}
	c := begin()
	if got := counted(c.See(reaches(1, 500), t0.Add(500*time.Second))); got != nil {
		t.Errorf("got %q", got) // partition 0 has seen a and b, and has come no further
	}
	if got := counted(c.See(reaches(0, 12), t0.Add(501*time.Second))); len(got) != 1 {
		t.Errorf("got %q", got)
	}
	c = begin()
	c.See(reaches(0, 1000), t0.Add(1000*time.Second)) // partition 1 stays at 2
	if c.opened("crowd") {
		t.Error("a partition that is more than ten minutes behind holds the alert open")
	}
	c = begin()
	c.See(topics.Sighting{Rule: "crowd", Partition: 0}, t0.Add(9*time.Second)) // none of its cameras sends clips
	c.See(topics.Sighting{Rule: "crowd", Partition: 1}, t0.Add(10*time.Second-1))
	if !c.opened("crowd") {
		t.Error("cleared before its time")
	}
	if got := counted(c.See(topics.Sighting{Rule: "crowd", Partition: 0}, t0.Add(10*time.Second))); !slices.Equal(got, []string{"cleared at 10"}) {
		t.Errorf("got %q", got)
	}
}

// A time in the future counts as that of its record.
func TestProgressInTheFuture(t *testing.T) {
	set := ruleSet(t, crowd(2, 10*time.Second))
	c := NewCounter(set)
	c.See(sees(set, "a", 0), t0)
	c.See(sees(set, "b", 1), t0)
	if got := c.See(reaches(0, 1e6), t0.Add(9*time.Second)); got != nil {
		t.Errorf("got %q", counted(got))
	}
	if got := counted(c.See(reaches(0, 1e6), t0.Add(10*time.Second))); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}

func TestCooldownOfACount(t *testing.T) {
	rule := crowd(2, 10*time.Second)
	rule.Cooldown = time.Minute
	set := ruleSet(t, rule)
	var all []topics.Sighting
	for s := 0.0; s < 8; s += 2 {
		all = append(all, sees(set, "a", s), sees(set, "b", s))
	}
	for s := 40.0; s < 100; s += 2 { // the cooldown ends at 76
		all = append(all, sees(set, "a", s), sees(set, "b", s+1))
	}
	want := []string{"raised at 0 by b since a-0: a b", "cleared at 16", "raised at 76 by a since b-75: a b", "cleared at 108"}
	if got := counted(CountAll(set, all, t0.Add(time.Hour))); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEditsOfACount(t *testing.T) {
	wider, other, single, calm := crowd(2, 20*time.Second), crowd(2, 10*time.Second), Rule{Name: "crowd", Actions: []string{"running"}}, crowd(2, 10*time.Second)
	other.Actions, calm.Severity = []string{"walking"}, "info"
	for _, c := range []struct {
		name  string
		rules []Rule
		want  string
	}{
		{"removed", nil, "the rule was removed"},
		{"other words", []Rule{other}, `the rule no longer selects the label "running"`},
		{"another time", []Rule{wider}, "the rule was changed"},
		{"it counts no more", []Rule{single}, "the rule no longer counts cameras"},
		{"another severity", []Rule{calm}, ""},
	} {
		set := ruleSet(t, crowd(2, 10*time.Second))
		counter := NewCounter(set)
		seeAll(counter, sees(set, "a", 0), sees(set, "b", 5))
		got := ""
		for _, a := range counter.SetRules(ruleSet(t, c.rules...)) {
			got = a.Reason
		}
		if got != c.want || (got == "") != (len(counter.Open()) == 1) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	// Where rules may be missing, the alert stays.
	set := ruleSet(t, crowd(2, 10*time.Second))
	counter := NewCounter(set)
	seeAll(counter, sees(set, "a", 0), sees(set, "b", 5))
	some, _ := Join(ruleSet(t), nil)
	if got := counter.SetRules(some); got != nil || len(counter.Open()) != 1 {
		t.Errorf("got %q", counted(got))
	}
}

// Sightings by a rule that another worker was given sooner count once it is known here.
func TestSightingsMayComeBeforeTheirRule(t *testing.T) {
	set := ruleSet(t, crowd(2, 10*time.Second))
	for _, before := range []*RuleSet{nil, ruleSet(t, crowd(3, 10*time.Second))} {
		c := NewCounter(before)
		got := seeAll(c, sees(set, "a", 0), sees(set, "a", 2), sees(set, "b", 9))
		if got = append(got, c.SetRules(set)...); !slices.Equal(counted(got[:1]), []string{"raised at 9 by b since a-0: a b"}) {
			t.Errorf("got %q", counted(got))
		}
	}
}

// A counter that is made anew anywhere in the log, from the alerts that were published and
// the sightings before, goes on as if it had never stopped.
func TestACounterIsMadeAnew(t *testing.T) {
	set := ruleSet(t, crowd(2, 10*time.Second))
	var log []topics.Sighting
	for _, s := range []float64{0, 3, 6, 9, 12, 40, 43, 46, 70} {
		log = append(log, sees(set, "a", s), sees(set, "b", s+1), reaches(0, s+1))
	}
	log = append(log, reaches(0, 200))
	want := seeAll(NewCounter(set), log...)
	if len(want) != 6 {
		t.Fatalf("the example has %q", counted(want))
	}
	for stop := range log {
		first := NewCounter(set)
		published := seeAll(first, log[:stop]...)
		for _, lost := range []int{0, 1} { // it may have died before it published the last
			known := published[:max(0, len(published)-lost)]
			again := NewCounter(set)
			again.Warm()
			for _, a := range known {
				again.Restore(a)
			}
			got := append(slices.Clone(known), again.Restored()...)
			got = append(got, seeAll(again, log[:stop]...)...)
			got = append(got, again.Warmed(time.Time{})...)
			got = append(got, seeAll(again, log[stop:]...)...)
			if !slices.Equal(counted(got), counted(want)) {
				t.Fatalf("stopped at %d, %d lost: got %q, want %q", stop, lost, counted(got), counted(want))
			}
		}
	}
}

// An alert that has been open for longer than sightings are read back stays open.
func TestALongCountIsRestored(t *testing.T) {
	set := ruleSet(t, crowd(2, 10*time.Second))
	raised := CountAll(set, []topics.Sighting{sees(set, "a", 0), sees(set, "b", 1)}, t0)[0]
	c := NewCounter(set)
	c.Warm()
	c.RestoreOlder(raised)
	seeAll(c, sees(set, "a", 1000), sees(set, "b", 1001), reaches(0, 1001))
	if got := counted(c.Warmed(t0.Add(995 * time.Second))); got != nil {
		t.Errorf("got %q", got)
	}
	if got := counted(seeAll(c, reaches(0, 1011))); !slices.Equal(got, []string{"cleared at 1010"}) {
		t.Errorf("got %q", got)
	}
}

// Anyone may write records. What is kept is bounded, and what is new counts.
func TestHostileSightingsTakeLittleMemory(t *testing.T) {
	set := ruleSet(t, crowd(2, 10*time.Second))
	c := NewCounter(set)
	for i := range maxReports + 100 {
		s := sees(set, fmt.Sprint("camera-", i), float64(20*i)) // too far apart
		s.Partition, s.RuleHash = i, fmt.Sprint("another ", i%7)
		seeAll(c, s)
		s.Rule = fmt.Sprint("rule-", i)
		seeAll(c, s)
	}
	runs := 0
	for _, t := range c.tallies {
		for _, p := range t.versions {
			runs += p.size
		}
	}
	t1 := c.tallies["crowd"]
	if runs > maxTallies*maxUnknown+maxVersions*maxUnknown || len(c.tallies) > maxTallies+1 || len(t1.reports) > maxReports || len(t1.versions) > maxVersions {
		t.Errorf("%d runs in %d tallies, %d reports, %d versions", runs, len(c.tallies), len(t1.reports), len(t1.versions))
	}
	if got := counted(seeAll(c, sees(set, "x", 1e6), sees(set, "y", 1e6))); len(got) != 1 || !strings.HasPrefix(got[0], "raised") {
		t.Errorf("got %q", got)
	}
	p := newPresence(10 * time.Second)
	for i := range maxCounting + 6000 {
		p.add(sees(set, fmt.Sprint("camera-", i%7000), float64(20*i)).Seen)
		p.bound(maxCounting)
	}
	size := 0
	for _, runs := range p.runs {
		size += len(runs)
	}
	if p.size > maxCounting || size != p.size || p.last(t0.Add(20*(maxCounting+5999)*time.Second), 1).Before(t0.Add(20*(maxCounting+5999)*time.Second+10*time.Second)) {
		t.Errorf("%d runs, counted as %d", size, p.size)
	}
}

// An engine reports the clips with which a camera counts, says why, and how far the
// rule's cameras have come: those that send clips.
func TestAnEngineReportsSightings(t *testing.T) {
	rule := crowd(2, 10*time.Second)
	rule.Clips, rule.CameraTags = ClipsRule{2, 3}, []string{"platform"}
	e := newEngine(t, rule)
	var found []topics.Sighting
	e.SetSighted(func(s topics.Sighting) { found = append(found, s) })
	var why []string
	e.SetTrace(func(t Trace) { why = append(why, t.Why) })
	show := func(camera string, i int, contrast float64) {
		rec := clipAt(t0, i, topics.LabelScore{Label: "running", Score: contrast})
		rec.Camera, rec.Tags = camera, []string{"platform"}
		if got := e.Evaluate(rec); got != nil {
			t.Errorf("raised %q", counted(got))
		}
	}
	for i, contrast := range []float64{.9, .1, .8, .1, .1} {
		show("a", i, contrast)
	}
	if len(found) != 1 || found[0].Seen.Camera != "a" || found[0].Seen.ClipID != clipAt(t0, 2).ClipID || found[0].Seen.Threshold != DefaultContrast || found[0].Rule != "crowd" {
		t.Errorf("found %+v", found)
	}
	if want := `this camera counts: "running" has 0.800, which reaches 0.200; an alert takes 2 cameras within 10s`; why[2] != want {
		t.Errorf("says %q", why[2])
	}
	tick(e, t0, 50*time.Second)
	show("b", 1, .1)
	if got := e.Through("crowd"); !got.Equal(clipAt(t0, 1).End) {
		t.Errorf("come to %v", got)
	}
	tick(e, t0.Add(50*time.Second), 20*time.Second) // a is not waited for any more
	show("b", 9, .1)
	if got := e.Through("crowd"); !got.Equal(clipAt(t0, 9).End) {
		t.Errorf("come to %v", got)
	}
	tick(e, t0.Add(70*time.Second), 2*time.Minute)
	if got := e.Through("crowd"); !got.IsZero() || !e.Through("another").IsZero() {
		t.Errorf("come to %v", got)
	}
}
