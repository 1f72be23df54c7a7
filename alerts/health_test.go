package alerts

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// heard is what a camera's worker says some seconds after t0.
func heard(second int, change func(*topics.StreamStatus)) topics.StreamStatus {
	s := topics.StreamStatus{Camera: "lobby", State: topics.StreamStreaming, At: after(second), Rate: 25, Picture: &topics.PictureFaults{}}
	change(&s)
	return s
}

func after(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

func fine(*topics.StreamStatus) {}

// offlineSince is a camera that is waiting for the next try.
func offlineSince(second int) func(*topics.StreamStatus) {
	return func(s *topics.StreamStatus) {
		s.State, s.Reason, s.OfflineSince, s.Rate, s.Picture = topics.StreamWaiting, "connection refused", after(second), 0, nil
	}
}

func blackSince(second int) func(*topics.StreamStatus) {
	return func(s *topics.StreamStatus) { s.Picture.BlackSince = after(second) }
}

func frozenSince(second int) func(*topics.StreamStatus) {
	return func(s *topics.StreamStatus) { s.Picture.FrozenSince = after(second) }
}

func lens(f topics.LensFaults) func(*topics.StreamStatus) {
	return func(s *topics.StreamStatus) { s.Picture.Lens = &f }
}

func coveredSince(second int) func(*topics.StreamStatus) {
	return lens(topics.LensFaults{CoveredSince: after(second)})
}

func movedSince(second int) func(*topics.StreamStatus) {
	return lens(topics.LensFaults{MovedSince: after(second)})
}

func defocusedSince(second int) func(*topics.StreamStatus) {
	return lens(topics.LensFaults{DefocusedSince: after(second)})
}

func rate(fps float64) func(*topics.StreamStatus) {
	return func(s *topics.StreamStatus) { s.Rate = fps }
}

// toldOf writes down alerts, as "raised camera offline since 10: connection refused".
func toldOf(all []topics.Alert) (out []string) {
	for _, a := range all {
		text := fmt.Sprintf("%s %s since %d", a.State, a.Label, int(a.Onset.Sub(t0).Seconds()))
		out = append(out, text+": "+a.Reason)
	}
	return out
}

type said struct {
	second int
	change func(*topics.StreamStatus)
}

func TestStreams(t *testing.T) {
	twoMinutes := StreamRule{Offline: 2 * time.Minute}
	night := &Schedule{From: "13:00", To: "14:00"} // t0 is noon
	for _, c := range []struct {
		name string
		rule Rule
		said []said
		want []string
	}{
		{"offline for long enough", Rule{Stream: &twoMinutes}, []said{{0, fine}, {10, offlineSince(5)}, {120, offlineSince(5)}, {125, offlineSince(5)}, {140, offlineSince(5)}, {150, fine}, {160, fine}},
			[]string{"raised camera offline since 5: no video for 2m0s: connection refused", "cleared camera offline since 5: it gives video again"}},
		{"back in time", Rule{Stream: &twoMinutes}, []said{{10, offlineSince(0)}, {119, offlineSince(0)}, {121, fine}}, nil},
		{"never connected", Rule{Stream: &twoMinutes}, []said{{0, offlineSince(0)}, {130, offlineSince(0)}},
			[]string{"raised camera offline since 0: no video for 2m10s: connection refused"}},
		{"its recording has ended", Rule{Stream: &twoMinutes}, []said{{500, func(s *topics.StreamStatus) {
			s.State, s.Reason, s.Picture = topics.StreamStopped, "end of file", nil
		}}}, nil},
		{"given up by its worker and taken over by another", Rule{Stream: &twoMinutes}, []said{{130, offlineSince(0)}, {131, func(s *topics.StreamStatus) {
			offlineSince(0)(s)
			s.State, s.Reason = topics.StreamStopped, "its worker has given it up"
		}}, {140, offlineSince(0)}}, []string{"raised camera offline since 0: no video for 2m10s: connection refused"}},
		{"black and then frozen too", Rule{Stream: &StreamRule{Black: 30 * time.Second, Frozen: 30 * time.Second}}, []said{{40, blackSince(20)}, {50, blackSince(20)},
			{60, func(s *topics.StreamStatus) { blackSince(20)(s); frozenSince(25)(s) }}, {70, frozenSince(25)}, {72, frozenSince(25)}},
			[]string{"raised picture black since 20: black for 30s", "cleared picture black since 20: the picture is no longer black",
				"raised picture frozen since 70: the same picture for 30s"}[:2]},
		{"black and then offline for long", Rule{Stream: &StreamRule{Black: 30 * time.Second, Offline: 30 * time.Second}, Cooldown: time.Hour},
			[]said{{40, blackSince(0)}, {50, offlineSince(45)}, {75, offlineSince(45)}, {80, func(s *topics.StreamStatus) { s.Picture = nil }}},
			[]string{"raised picture black since 0: black for 40s", "cleared picture black since 0: camera offline",
				"raised camera offline since 45: no video for 30s: connection refused", "cleared camera offline since 45: it gives video again"}},
		{"offline, and black before that is over", Rule{Stream: &StreamRule{Black: 30 * time.Second, Offline: 30 * time.Second}},
			[]said{{40, offlineSince(0)}, {50, func(s *topics.StreamStatus) {
				offlineSince(0)(s)
				s.Picture = &topics.PictureFaults{BlackSince: after(1)}
			}}},
			[]string{"raised camera offline since 0: no video for 40s: connection refused"}},
		{"an unknown picture changes nothing", Rule{Stream: &StreamRule{Black: 30 * time.Second}}, []said{{40, blackSince(0)}, {50, offlineSince(45)}, {60, fine}},
			[]string{"raised picture black since 0: black for 40s", "cleared picture black since 0: the picture is no longer black"}},
		{"frozen", Rule{Stream: &StreamRule{Frozen: time.Minute}}, []said{{59, frozenSince(0)}, {69, frozenSince(0)}, {70, fine}},
			[]string{"raised picture frozen since 0: the same picture for 1m9s", "cleared picture frozen since 0: the picture changes again"}},
		{"a low rate, with hysteresis", Rule{Stream: &StreamRule{FPSBelow: 10}}, []said{{0, rate(10)}, {20, rate(9.9)}, {40, rate(10.5)}, {60, rate(9)}, {80, rate(11)}, {90, func(s *topics.StreamStatus) { offlineSince(85)(s) }}},
			[]string{"raised frame rate low since 20: 9.9 frames a second, at least 10 are wanted", "cleared frame rate low since 20: 11 frames a second"}},
		{"covered, and nothing known of the lens for a while", Rule{Stream: &StreamRule{Covered: 30 * time.Second}}, []said{{29, coveredSince(0)}, {39, coveredSince(0)}, {45, fine}, {50, lens(topics.LensFaults{})}},
			[]string{"raised lens covered since 0: covered for 39s", "cleared lens covered since 0: the lens is no longer covered"}},
		{"moved, and then covered", Rule{Stream: &StreamRule{Covered: 30 * time.Second, Moved: 30 * time.Second}}, []said{{30, movedSince(0)}, {40, coveredSince(35)}, {65, coveredSince(35)}, {70, lens(topics.LensFaults{})}},
			[]string{"raised camera moved since 0: moved for 30s", "cleared camera moved since 0: lens covered",
				"raised lens covered since 35: covered for 30s", "cleared lens covered since 35: the lens is no longer covered"}},
		{"out of focus, of which the rule says nothing", Rule{Stream: &StreamRule{Covered: 30 * time.Second}}, []said{{60, defocusedSince(0)}}, nil},
		{"out of focus", Rule{Stream: &StreamRule{Defocused: 30 * time.Second}}, []said{{60, defocusedSince(0)}, {70, lens(topics.LensFaults{})}},
			[]string{"raised picture out of focus since 0: defocused for 1m0s", "cleared picture out of focus since 0: the picture is sharp again"}},
		{"the cooldown", Rule{Stream: &StreamRule{Frozen: 10 * time.Second}, Cooldown: time.Minute}, []said{{10, frozenSince(0)}, {20, fine}, {40, frozenSince(30)}, {79, frozenSince(30)}, {80, frozenSince(30)}},
			[]string{"raised picture frozen since 0: the same picture for 10s", "cleared picture frozen since 0: the picture changes again", "raised picture frozen since 30: the same picture for 50s"}},
		{"outside its hours", Rule{Stream: &twoMinutes, Schedule: night}, []said{{1000, offlineSince(0)}, {3599, offlineSince(0)}, {3600, offlineSince(0)}},
			[]string{"raised camera offline since 0: no video for 1h0m0s: connection refused"}},
		{"another camera's rule", Rule{Cameras: []string{"yard"}, Stream: &twoMinutes}, []said{{200, offlineSince(0)}}, nil},
		{"a record of an older version", Rule{Stream: &twoMinutes}, []said{{200, func(s *topics.StreamStatus) { offlineSince(0)(s); s.At = time.Time{} }}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rule.Name = "health"
			s := newStreams(ruleSet(t, c.rule))
			var got []string
			for _, one := range c.said {
				got = append(got, toldOf(s.see(heard(one.second, one.change), []string{"indoor"}))...)
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// What a worker published before it was restarted is neither published again nor
// forgotten, and ids are those that it would have given.
func TestStreamAlertsSurviveARestart(t *testing.T) {
	rules := ruleSet(t, Rule{Name: "health", Stream: &StreamRule{Offline: time.Minute}})
	s := newStreams(rules)
	raised := s.see(heard(70, offlineSince(0)), nil)
	if len(raised) != 1 || raised[0].ID != fmt.Sprintf("health/lobby-offline-%d", t0.UnixMilli()) || raised[0].Validate() != nil {
		t.Fatalf("raised %+v", raised)
	}
	again := newStreams(rules)
	again.Restore(raised[0])
	if got := again.see(heard(70, offlineSince(0)), nil); len(got) > 0 {
		t.Errorf("raised again: %+v", got)
	}
	cleared := again.see(heard(80, fine), nil)
	if len(cleared) != 1 || cleared[0].ID != raised[0].ID || cleared[0].State != topics.AlertCleared {
		t.Fatalf("cleared %+v", cleared)
	}
	third := newStreams(rules)
	third.Restore(raised[0])
	third.Restore(cleared[0])
	for _, status := range []topics.StreamStatus{heard(70, offlineSince(0)), heard(80, fine)} {
		if got := third.see(status, nil); len(got) > 0 {
			t.Errorf("after the clear: %+v", got)
		}
	}
	if got := third.see(heard(200, offlineSince(100)), nil); len(got) != 1 || got[0].ID == raised[0].ID {
		t.Errorf("the next outage: %+v", got)
	}
}

func TestStreamRulesChooseCamerasByTags(t *testing.T) {
	s := newStreams(ruleSet(t, Rule{Name: "health", CameraTags: []string{"indoor"}, Stream: &StreamRule{Offline: time.Minute}}))
	if got := s.see(heard(70, offlineSince(0)), []string{"outdoor"}); len(got) > 0 {
		t.Errorf("another tag: %+v", got)
	}
	if got := s.see(heard(80, offlineSince(0)), []string{"indoor"}); len(got) != 1 || len(got[0].Tags) != 1 {
		t.Errorf("its tag: %+v", got)
	}
	if got := s.see(heard(90, offlineSince(0)), nil); len(got) != 1 || got[0].Reason != ruleElsewhere {
		t.Errorf("the tag was taken away: %+v", got)
	}
}

// A camera that was removed, a rule that was removed or looks elsewhere: the alert
// ends, and the same fault raises no other before it has lasted as long once more.
func TestStreamAlertsEndWithWhatTheyAreAbout(t *testing.T) {
	health := Rule{Name: "health", Stream: &StreamRule{Offline: time.Minute}}
	elsewhere := health
	elsewhere.Cameras = []string{"yard"}
	noTags := func(string) []string { return nil }
	for _, c := range []struct {
		end  func(*streams) []topics.Alert
		want string
	}{
		{func(s *streams) []topics.Alert { return s.remove("lobby") }, "the camera was removed"},
		{func(s *streams) []topics.Alert { return s.setRules(ruleSet(t), noTags) }, ruleRemoved},
		{func(s *streams) []topics.Alert { return s.setRules(ruleSet(t, elsewhere), noTags) }, ruleElsewhere},
	} {
		s := newStreams(ruleSet(t, health))
		first := s.see(heard(70, offlineSince(0)), nil)
		ended := c.end(s)
		if len(first) != 1 || len(ended) != 1 || ended[0].ID != first[0].ID || ended[0].Reason != c.want || !ended[0].At.Equal(after(70)) {
			t.Fatalf("%s: %+v, then %+v", c.want, first, ended)
		}
		s.setRules(ruleSet(t, health), noTags)
		if got := s.see(heard(80, offlineSince(0)), nil); len(got) > 0 {
			t.Errorf("%s: raised again: %+v", c.want, got)
		}
		if got := s.see(heard(130, offlineSince(0)), nil); len(got) != 1 || got[0].ID == first[0].ID {
			t.Errorf("%s: a minute later: %+v", c.want, got)
		}
	}
}

// While the store of rules has not been read, an alert of a rule that the file does
// not have stays open; and the file's own rules on streams are among all rules.
func TestStreamRulesOfAFileAndOfAStore(t *testing.T) {
	health := Rule{Name: "health", Stream: &StreamRule{Offline: time.Minute}}
	noTags := func(string) []string { return nil }
	s := newStreams(ruleSet(t, health))
	if got := s.see(heard(70, offlineSince(0)), nil); len(got) != 1 {
		t.Fatalf("raised %+v", got)
	}
	unread, _ := Join(ruleSet(t), nil)
	if got := s.setRules(unread, noTags); len(got) > 0 {
		t.Errorf("the store has not been read, and yet: %+v", got)
	}
	all, skipped := Join(ruleSet(t, health), &Stored{Rules: []Rule{health}})
	if all.onStream("health") == nil || len(skipped) != 1 {
		t.Errorf("rules %q, skipped %v", all.Names(), skipped)
	}
	none, _ := Join(ruleSet(t), &Stored{})
	if got := s.setRules(none, noTags); len(got) != 1 || got[0].Reason != ruleRemoved {
		t.Errorf("the store has no such rule: %+v", got)
	}
}

func TestStreamRulesThatAreWrong(t *testing.T) {
	for _, c := range []struct {
		rule Rule
		want string
	}{
		{Rule{Stream: &StreamRule{}}, "want at least one of offline, black, frozen, covered, moved, defocused and fps_below"},
		{Rule{Stream: &StreamRule{Black: time.Second}}, "black for 1s: want 10s to 24h0m0s"},
		{Rule{Stream: &StreamRule{Moved: 25 * time.Hour}}, "moved for 25h0m0s: want 10s to 24h0m0s"},
		{Rule{Stream: &StreamRule{FPSBelow: -1}}, "fps_below -1"},
		{Rule{Stream: &StreamRule{Offline: time.Minute}, Actions: []string{"fall"}}, "actions: a rule on streams looks at no clips"},
		{Rule{Stream: &StreamRule{Offline: time.Minute}, Clips: ClipsRule{1, 2}}, "clips: a rule on streams looks at no clips"},
	} {
		c.rule.Name = "health"
		_, err := NewRuleSet(c.rule)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", *c.rule.Stream, err, c.want)
		}
	}
	for text, want := range map[string]StreamRule{
		"offline for 2m": {Offline: 2 * time.Minute}, " black  for 30s ": {Black: 30 * time.Second}, "frozen for 1h": {Frozen: time.Hour},
		"covered for 30s": {Covered: 30 * time.Second}, "moved for 1m": {Moved: time.Minute}, "defocused for 5m": {Defocused: 5 * time.Minute},
		"blurred for 2m": {}, "fps_below for 2m": {}, "offline": {}, "offline for ever": {},
	} {
		var got StreamRule
		if err := got.UnmarshalText([]byte(text)); got != want || (err != nil) != (want == StreamRule{}) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

// The stage reads the table of stream states, raises, survives a restart, and clears.
func TestTheStageWatchesStreams(t *testing.T) {
	c := startCluster(t)
	c.partitions = 3
	c.ensure(t, 3)
	say := func(s topics.StreamStatus) {
		t.Helper()
		value, err := topics.EncodeStatus(s)
		if err != nil {
			t.Fatal(err)
		}
		c.send(t, topics.Status, s.Camera, value)
	}
	put := func(name string) {
		t.Helper()
		value, err := topics.EncodeCamera(topics.Camera{Name: name, URL: "rtsp://h/", Tags: []string{"indoor"}})
		if err != nil {
			t.Fatal(err)
		}
		c.send(t, topics.Cameras, name, value)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	off := func(camera string, at time.Time, generation int) topics.StreamStatus {
		return topics.StreamStatus{Camera: camera, State: topics.StreamWaiting, Reason: "refused", Since: at, At: at, OfflineSince: now.Add(-time.Hour), Generation: generation}
	}
	for _, name := range []string{"lobby", "yard", "gate"} {
		put(name)
	}
	// An outage of the past that is over, and of a camera that is not on the table.
	say(off("yard", now.Add(-time.Minute), 1))
	say(topics.StreamStatus{Camera: "yard", State: topics.StreamStreaming, At: now.Add(-time.Second), Generation: 1})
	say(off("removed", now, 1))
	say(off("lobby", now, 2))
	rules := ruleSet(t, fallRule(), Rule{Name: "health", Severity: "critical", Stream: &StreamRule{Offline: 2 * time.Minute}})
	_, stop, _ := c.run(t, Options{Rules: rules, NoClips: time.Second})
	a := c.awaitAlerts(t, 1)[0]
	if a.Camera != "lobby" || a.Label != "camera offline" || a.Measure != "stream" || a.Severity != "critical" || len(a.Tags) != 1 || a.Evidence != nil {
		t.Errorf("raised %+v", a)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	s, _, _ := c.run(t, Options{Rules: rules, NoClips: time.Second})
	c.awaitHeld(t)
	// A worker that has lost the camera and does not know it yet is not believed.
	say(topics.StreamStatus{Camera: "lobby", State: topics.StreamStreaming, At: now.Add(time.Second), Generation: 1})
	say(off("gate", now.Add(time.Second), 2))
	all := c.awaitAlerts(t, 2)
	if all[1].Camera != "gate" || all[1].State != topics.AlertRaised {
		t.Errorf("got %+v", all[1])
	}
	c.awaitOpen(t, "gate/health", "lobby/health")
	say(topics.StreamStatus{Camera: "lobby", State: topics.StreamStreaming, At: now.Add(2 * time.Second), Generation: 2})
	if a := c.awaitAlerts(t, 3)[2]; a.ID != all[0].ID || a.State != topics.AlertCleared || a.Reason != "it gives video again" {
		t.Errorf("got %+v", a)
	}
	c.send(t, topics.Status, "gate", nil)
	if a := c.awaitAlerts(t, 4)[3]; a.Camera != "gate" || a.Reason != "the camera was removed" {
		t.Errorf("got %+v", a)
	}
	c.awaitOpen(t)
	s.SetRules(ruleSet(t))
}
