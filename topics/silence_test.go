package topics

import (
	"strings"
	"testing"
	"time"
)

// A silence covers what it chooses, from its begin on and before its end.
func TestWhatASilenceCovers(t *testing.T) {
	alert := Alert{Rule: "fall", Camera: "ward-2", Tags: []string{"indoor"}}
	silence := func(c Choice) Silence { return Silence{ID: "a", Choice: c, At: at, Until: at.Add(time.Hour)} }
	for _, c := range []struct {
		choice Choice
		want   bool
	}{
		{Choice{Rules: []string{"fall"}}, true},
		{Choice{Rules: []string{"fight", "f*l"}}, true},
		{Choice{Rules: []string{"fight"}}, false},
		{Choice{Cameras: []string{"ward-*"}, CameraTags: []string{"night", "indoor"}}, true},
		{Choice{Cameras: []string{"ward-*"}, CameraTags: []string{"night"}}, false},
		{Choice{Rules: []string{"fall"}, Cameras: []string{"lobby"}}, false},
	} {
		if got := silence(c.choice).Covers(alert, at.Add(time.Minute)); got != c.want {
			t.Errorf("%+v: %v", c.choice, got)
		}
	}
	all := silence(Choice{Cameras: []string{"*"}})
	for after, want := range map[time.Duration]bool{-time.Nanosecond: false, 0: true, time.Hour - 1: true, time.Hour: false} {
		if all.Covers(alert, at.Add(after)) != want {
			t.Errorf("%v after its begin: %v", after, !want)
		}
	}
}

// Silencing what an alert is about silences nothing else, whatever its rule is called.
func TestASilenceOfAnAlertsRuleCoversNoOther(t *testing.T) {
	for _, rule := range []string{"fall", "*", "f?ll", "[a-z]all", `f\all`} {
		a := Alert{Rule: rule, Camera: "ward-2"}
		c := ChoiceOf(a)
		if err := c.Check(); err != nil || !c.Chooses(a) {
			t.Errorf("%q: %v, %+v", rule, err, c)
		}
		if c.Chooses(Alert{Rule: "fell", Camera: "ward-2"}) || c.Chooses(Alert{Rule: rule, Camera: "lobby"}) {
			t.Errorf("%q silences others too", rule)
		}
	}
	if c := ChoiceOf(Alert{Rule: "crowd", Camera: "hall", Cameras: []string{"hall", "yard"}}); len(c.Cameras) != 0 {
		t.Errorf("a rule that counts cameras is silenced on %v alone", c.Cameras)
	}
}

// What nobody can have meant is refused by both sides; a silence of nothing in particular
// would silence all.
func TestSilencesAreChecked(t *testing.T) {
	for name, change := range map[string]func(*Silence){
		"an id with a stroke": func(s *Silence) { s.ID = "profile/" },
		"nothing at all":      func(s *Silence) { s.Choice = Choice{} },
		"a broken glob":       func(s *Silence) { s.Cameras = []string{"["} },
		"an empty rule":       func(s *Silence) { s.Rules = []string{""} },
		"an escape sequence":  func(s *Silence) { s.CameraTags = []string{"\x1b[2J"} },
		"too much":            func(s *Silence) { s.Rules = strings.Split(strings.Repeat("a,", maxChoice), ",") },
		"an end before":       func(s *Silence) { s.Until = s.At.Add(-1) },
		"for ever":            func(s *Silence) { s.Until = s.At.Add(MaxSilence + 1) },
		"no begin":            func(s *Silence) { s.At = time.Time{} },
		"an unprintable note": func(s *Silence) { s.Note = "\x1b" },
		"an unprintable name": func(s *Silence) { s.By = "\x1b" },
	} {
		s := fullSilence()
		change(&s)
		if _, err := EncodeSilence(s); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for _, p := range []Profile{{Name: "away"}, {Name: "a/b", At: at}, {Name: "away", At: at, By: "\x1b"}, {At: at}} {
		if _, err := EncodeProfile(p); err == nil {
			t.Errorf("%+v is accepted", p)
		}
	}
	if got := ActiveSilences([]Silence{{ID: "late", Until: at.Add(3)}, {ID: "over", Until: at}, {ID: "soon", Until: at.Add(2)}}, at); len(got) != 2 || got[0].ID != "soon" {
		t.Errorf("%+v", got)
	}
}
