package topics

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTableRecordsComeBackAsTheyWere(t *testing.T) {
	words := WatchedLabels{Camera: "lobby", Rule: "fall", Labels: []string{"falling down", "倒れる"}, Tags: []string{"t"}, Novel: true}
	raw, err := EncodeWatched(words)
	if got, err2 := DecodeWatched(raw); err != nil || err2 != nil || !reflect.DeepEqual(got, words) {
		t.Errorf("%+v, %v, %v", got, err, err2)
	}
	raw, err = EncodeThreshold(fullThreshold())
	if got, err2 := DecodeThreshold(raw); err != nil || err2 != nil || !reflect.DeepEqual(got, fullThreshold()) {
		t.Errorf("%+v, %v, %v", got, err, err2)
	}
	raw, err = EncodeSighting(fullSighting())
	if got, err2 := DecodeSighting(raw); err != nil || err2 != nil || !reflect.DeepEqual(got, fullSighting()) {
		t.Errorf("%+v, %v, %v", got, err, err2)
	}
	raw, err = EncodeWithheld(fullWithheld())
	if got, err2 := DecodeWithheld(raw); err != nil || err2 != nil || !reflect.DeepEqual(got, fullWithheld()) {
		t.Errorf("%+v, %v, %v", got, err, err2)
	}
	raw, err = EncodeVerdict(fullVerdict())
	if got, err2 := DecodeVerdict(raw); err != nil || err2 != nil || !reflect.DeepEqual(got, fullVerdict()) {
		t.Errorf("%+v, %v, %v", got, err, err2)
	}
	raw, err = EncodeMark(fullMark())
	if got, err2 := DecodeMark(raw); err != nil || err2 != nil || !reflect.DeepEqual(got, fullMark()) {
		t.Errorf("%+v, %v, %v", got, err, err2)
	}
}

// Anyone may write records: what no reader could use is refused by both sides.
func TestTableRecordsAreChecked(t *testing.T) {
	for name, c := range map[string]func(*WatchedLabels, *Threshold, *Mark){
		"a camera with a stroke":   func(w *WatchedLabels, h *Threshold, m *Mark) { w.Camera, h.Camera, m.Camera = "a/b", "a/b", "a/b" },
		"no rule":                  func(w *WatchedLabels, h *Threshold, m *Mark) { w.Rule, h.Rule, m.Rule = "", "", "" },
		"a text that is not shown": func(w *WatchedLabels, h *Threshold, m *Mark) { w.Labels[0], h.Budget, m.Note = "a\x1b", "\x1b", "\x1b" },
		"too much": func(w *WatchedLabels, h *Threshold, m *Mark) {
			w.Labels, h.Words, m.Note = make([]string, MaxLabels+1), strings.Repeat("a", 513), strings.Repeat("a", 501)
		},
		"a wrong number": func(w *WatchedLabels, h *Threshold, m *Mark) { w.Labels, h.Raise, m.Contrast = nil, math.NaN(), 1.1 },
		"what is missing": func(w *WatchedLabels, h *Threshold, m *Mark) {
			w.Labels, h.Clear, m.Onset = []string{""}, h.Raise+.1, time.Time{}
		},
	} {
		w, h, m := WatchedLabels{Camera: "lobby", Rule: "fall", Labels: []string{"a"}}, fullThreshold(), fullMark()
		c(&w, &h, &m)
		_, err1 := EncodeWatched(w)
		_, err2 := EncodeThreshold(h)
		_, err3 := EncodeMark(m)
		if err1 == nil || err2 == nil || err3 == nil {
			t.Errorf("%s: accepted: %v, %v, %v", name, err1, err2, err3)
		}
	}
}

// What a model said is from outside: what is shown of it is refused unless it can be.
func TestVerdictsAreChecked(t *testing.T) {
	for name, c := range map[string]func(*Verdict){
		"no alert":                 func(v *Verdict) { v.Alert = "" },
		"a camera with a stroke":   func(v *Verdict) { v.Camera = "a/b" },
		"another word":             func(v *Verdict) { v.Says = "maybe" },
		"none":                     func(v *Verdict) { v.Says = "" },
		"a text that is not shown": func(v *Verdict) { v.Reason = "\x1b[2J" },
		"too much":                 func(v *Verdict) { v.Reason = strings.Repeat("a", 501) },
		"a long question":          func(v *Verdict) { v.Question = strings.Repeat("a", MaxQuestion+1) },
		"a wrong number":           func(v *Verdict) { v.Seconds = math.NaN() },
		"no time":                  func(v *Verdict) { v.At = time.Time{} },
	} {
		v := fullVerdict()
		c(&v)
		if _, err := EncodeVerdict(v); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	a := fullAlert(AlertRaised)
	for name, c := range map[string]func(*Alert){
		"a receiver that none can be": func(a *Alert) { a.Notify = []string{"a b"} },
		"many receivers":              func(a *Alert) { a.Notify = slices.Repeat([]string{"a"}, MaxNotified+1) },
		"a question of two lines":     func(a *Alert) { a.Verify = "a\nb" },
		"evidence on no topic":        func(a *Alert) { a.Evidence = &RecordRef{Topic: "\u202e"} },
	} {
		b := a
		c(&b)
		if b.Validate() == nil {
			t.Errorf("an alert with %s is accepted", name)
		}
	}
}

func TestSightingsAreChecked(t *testing.T) {
	for name, c := range map[string]func(*Sighting){
		"no rule":               func(s *Sighting) { s.Rule = "" },
		"an impossible place":   func(s *Sighting) { s.Partition = -1 },
		"an unprintable hash":   func(s *Sighting) { s.RuleHash = "\x1b" },
		"no camera":             func(s *Sighting) { s.Seen.Camera = "" },
		"no clip":               func(s *Sighting) { s.Seen.ClipID = "" },
		"a window without time": func(s *Sighting) { s.Seen.End = s.Seen.Start },
		"a threshold":           func(s *Sighting) { s.Seen.Threshold = math.NaN() },
		"a label":               func(s *Sighting) { s.Seen.Label.Contrast = 2 },
		"an empty tag":          func(s *Sighting) { s.Seen.Tags = []string{""} },
		"a topic that acts":     func(s *Sighting) { s.Seen.Clip.Topic = "\u009b31m" },
	} {
		s := fullSighting()
		c(&s)
		if _, err := EncodeSighting(s); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	a := fullAlert(AlertRaised)
	for _, cameras := range [][]string{{"a/b"}, make([]string, MaxAlertCameras+1)} {
		if a.Cameras = cameras; a.Validate() == nil {
			t.Errorf("an alert of %d cameras such as %q is accepted", len(cameras), cameras[0])
		}
	}
}

// Anybody may write to the table of what is withheld.
func TestWhatIsWithheldIsChecked(t *testing.T) {
	for name, change := range map[string]func(*WithheldAlert){
		"no receiver":             func(w *WithheldAlert) { w.Receiver = "" },
		"no alert":                func(w *WithheldAlert) { w.Alert = "" },
		"an alert of much":        func(w *WithheldAlert) { w.Alert = strings.Repeat("a", maxAlertID+1) },
		"a text that is not seen": func(w *WithheldAlert) { w.Key = "a\u202eb" },
		"a rule that breaks":      func(w *WithheldAlert) { w.Rule = "a\nb" },
		"no camera":               func(w *WithheldAlert) { w.Camera = "a/b" },
		"an empty tag":            func(w *WithheldAlert) { w.Tags = []string{""} },
		"no time":                 func(w *WithheldAlert) { w.At = time.Time{} },
		"nothing":                 func(w *WithheldAlert) { w.Offsets = nil },
		"another state":           func(w *WithheldAlert) { w.Offsets = map[AlertState]int64{"gone": 1} },
		"no offset":               func(w *WithheldAlert) { w.Offsets = map[AlertState]int64{AlertRaised: -1} },
	} {
		w := fullWithheld()
		if change(&w); w.Validate() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestRuleKeys(t *testing.T) {
	camera, rule, ok := SplitRuleKey(RuleKey("lobby", "a/b"))
	if camera != "lobby" || rule != "a/b" || !ok {
		t.Errorf("%q, %q, %v", camera, rule, ok)
	}
	for _, key := range []string{"", "lobby", "/fall", "lobby/", "a b/fall"} {
		if _, _, ok := SplitRuleKey(key); ok {
			t.Errorf("%q is taken for a key", key)
		}
	}
}
