package words

import (
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// A word that is tried has all that the vocabulary has of it, and stays what was typed.
func TestAWordIsWhatTheVocabularyHas(t *testing.T) {
	labels := []vocab.Label{{Name: "falling", Description: "a person falls", Aliases: []string{"dropping"}}}
	for name, want := range map[string][]string{
		"falling":  {"falling", "dropping"},
		"FALLING":  {"FALLING", "falling", "dropping"},
		"climbing": {"climbing"},
	} {
		got := Label(labels, name)
		if all := append([]string{got.Name}, got.Aliases...); strings.Join(all, "|") != strings.Join(want, "|") {
			t.Errorf("%q is %q, want %q", name, all, want)
		}
		if (got.Description != "") != (name != "climbing") {
			t.Errorf("%q: description %q", name, got.Description)
		}
	}
	if len(labels[0].Aliases) != 1 {
		t.Errorf("the vocabulary was changed: %v", labels[0].Aliases)
	}
}

// A label that the model would skip is refused before anything of the past is read.
func TestAWordThatIsTooLongForTheModel(t *testing.T) {
	reader, err := NewReader("zyzzyva")
	if err != nil {
		t.Fatal(err)
	}
	if reader.Words["zyzzyva"] == 0 {
		t.Error("words of the vocabulary are not known")
	}
	if err := Fits(reader, vocab.Label{Name: "falling down", Aliases: []string{"a person falls"}}); err != nil {
		t.Error(err)
	}
	long := strings.Repeat("stumble ", 76)
	for _, l := range []vocab.Label{{Name: long}, {Name: "x", Description: long}, {Name: "x", Aliases: []string{long}}} {
		if err := Fits(reader, l); err == nil || !strings.Contains(err.Error(), "shorten it") {
			t.Errorf("%.20q: %v", l.Name, err)
		}
	}
	_, err = Asker{}.Check(t.Context(), CheckOptions{Label: vocab.Label{Name: long}, Reader: reader})
	if err == nil || !strings.Contains(err.Error(), "shorten it") {
		t.Errorf("checked: %v", err)
	}
}

// Of two trials, those alerts are the same that overlap on one camera.
func TestAlertsThatOnlyOneTrialHas(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(1000+s), 0).UTC() }
	raise := func(id, camera string, onset int) topics.Alert {
		return topics.Alert{ID: id, Camera: camera, State: topics.AlertRaised, Onset: at(onset), At: at(onset + 1)}
	}
	end := func(id, camera string, s int) topics.Alert {
		return topics.Alert{ID: id, Camera: camera, State: topics.AlertCleared, At: at(s)}
	}
	trial := func(all ...topics.Alert) []Alert {
		return Alerts(&calibrate.Tried{Alerts: all})
	}
	before := trial(raise("1", "a", 0), end("1", "a", 10), raise("2", "a", 20), end("2", "a", 30), raise("3", "b", 0))
	if len(before) != 3 || before[0].Cleared == nil || !before[0].Cleared.Equal(at(10)) || before[2].Cleared != nil {
		t.Fatalf("alerts: %+v", before)
	}
	// The first overlaps, the second is elsewhere in time, that of b never ended.
	after := trial(raise("4", "a", 9), end("4", "a", 12), raise("5", "a", 40), end("5", "a", 50), raise("6", "b", 100), end("6", "b", 110))
	lost, added := Differences(before, after)
	if len(lost) != 1 || !lost[0].Onset.Equal(at(20)) {
		t.Errorf("lost %+v", lost)
	}
	if len(added) != 1 || !added[0].Onset.Equal(at(40)) {
		t.Errorf("added %+v", added)
	}
}
