package topics

import (
	"encoding/json"
	"strings"
	"testing"
)

// Whatever recognition is read, an alert can be made of it, and a record that is
// published is read again: labels in any script, ids as long as they may be.
func TestWhatIsReadCanBePublished(t *testing.T) {
	rec := fullRecognition()
	rec.ClipID = strings.Repeat("c", maxID)
	rec.Labels[0].Label = "يسقط \u200fشخص\u200e"
	rec.Labels[0].NearestBase = strings.Repeat("é", maxID/2)
	b, err := EncodeRecognition(rec)
	if err != nil {
		t.Fatal(err)
	}
	read, err := DecodeRecognition(b)
	if err != nil {
		t.Fatal(err)
	}
	a := fullAlert(AlertRaised)
	a.Rule = strings.Repeat("r", maxID)
	a.ID, a.Clip, a.OnsetClip = AlertID(a.Rule, read.ClipID), read.ClipID, read.ClipID
	a.Label, a.NearestBase = read.Labels[0].Label, read.Labels[0].NearestBase
	if b, err = EncodeAlert(a); err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeAlert(b); err != nil {
		t.Error(err)
	}
}

// What no alert may carry is refused where it is read, and where it is written.
func TestBadRecognitionsAreRefused(t *testing.T) {
	long := strings.Repeat("x", maxID+1)
	for name, bend := range map[string]func(*Recognition){
		"clip_id":                func(r *Recognition) { r.ClipID = long },
		"model_id":               func(r *Recognition) { r.Model = "a\u202eb" },
		"vocabulary name":        func(r *Recognition) { r.Vocab.Name = "\x1b[2J" },
		"vocabulary version":     func(r *Recognition) { r.Vocab.Version = long },
		"nearest_base":           func(r *Recognition) { r.Labels[0].NearestBase = "a\nb" },
		"score 1.5: want 0 to":   func(r *Recognition) { r.Labels[0].Score = 1.5 },
		"label \"a\\u202eb\": w": func(r *Recognition) { r.Labels[0].Label = "a\u202eb" },
	} {
		rec := fullRecognition()
		bend(&rec)
		if _, err := EncodeRecognition(rec); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("written: %v, want %q in it", err, name)
		}
		b, err := encodeEvent(TypeRecognition, rec.ID(), rec.Camera, rec.End, rec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeRecognition(b); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("read: %v, want %q in it", err, name)
		}
	}
}

// An error never quotes a whole record, which may be megabytes.
func TestErrorsOfRecordsAreShort(t *testing.T) {
	event := map[string]any{"specversion": "1.0", "id": "i", "source": "s", "type": TypeRecognition, "datacontenttype": "application/json",
		"data": map[string]any{"labels": "x", "clip_id": strings.Repeat("\u202ey", 1<<20)}}
	for name, bend := range map[string]func(){
		"wrong type of a field": func() {},
		"wrong type of event":   func() { event["type"] = strings.Repeat("z", 1<<20) },
		"no JSON":               func() { event["data"] = json.RawMessage(`"` + strings.Repeat("w", 1<<20) + `"`) },
	} {
		bend()
		b, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		_, err = DecodeRecognition(b)
		if err == nil || len(err.Error()) > 1000 || !Printable(err.Error()) {
			t.Errorf("%s: %.2000v", name, err)
		}
	}
}
