package topics

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// everyBounds are the bounds of all JSON records.
func everyBounds() map[string]bounds {
	return map[string]bounds{
		"recognition": recognitionBounds, "alert": alertBounds, "camera": cameraBounds,
		"camera set": cameraSetBounds, "status": statusBounds, "watched": watchedBounds, "threshold": thresholdBounds, "mark": markBounds, "verdict": verdictBounds, "silence": silenceBounds, "worker": workerBounds,
	}
}

// elements are n times the same JSON.
func elements(n int, json string) string { return strings.TrimSuffix(strings.Repeat(json+",", n), ",") }

// Lists are accepted up to their bounds, and what is wrong with a longer one is
// said in words. Several of one name, and objects, count too.
func TestBoundsOfLists(t *testing.T) {
	for record, of := range everyBounds() {
		for _, l := range of.lists {
			want := fmt.Sprintf("%s: %d elements, want at most %d", l.field, l.most+1, l.most)
			for name, text := range map[string]func(n int) string{
				"list":   func(n int) string { return fmt.Sprintf(`{"%s":[%s]}`, l.field, elements(n, `"],\\\""`)) },
				"object": func(n int) string { return fmt.Sprintf(`{ "%s" : {%s} }`, l.field, elements(n, `"a":0`)) },
				"twice":  func(n int) string { return fmt.Sprintf(`{"%s":[0],"%[1]s":[%s]}`, l.field, elements(n-1, "0")) },
				"nested": func(n int) string { return fmt.Sprintf(`{"data":{"%s":[%s]}}`, l.field, elements(n, `null`)) },
			} {
				if err := of.check([]byte(text(l.most))); err != nil {
					t.Errorf("%s, %s of %s at its bound: %v", record, name, l.field, err)
				}
				if err := of.check([]byte(text(l.most + 1))); err == nil || err.Error() != want {
					t.Errorf("%s, %s of %s above its bound: got %v, want %s", record, name, l.field, err, want)
				}
			}
		}
	}
}

func TestOtherBounds(t *testing.T) {
	for name, c := range map[string]struct{ good, bad, want string }{
		"other list":    {`{"a":[` + elements(1000, "0") + `]}`, `{"a":[` + elements(1001, "0") + `]}`, "lists and objects in other fields: 1001 elements, want at most 1000"},
		"capitals":      {`{"TAGS":[` + elements(1000, "0") + `]}`, `{"TAGS":[` + elements(1001, "0") + `]}`, "lists and objects in other fields: 1001 elements"},
		"fields":        {`{` + elements(1000, `"a":0`) + `}`, `{` + elements(1001, `"a":0`) + `}`, "fields: 1001, want at most 1000"},
		"nested":        {strings.Repeat("[", 32), strings.Repeat("[", 33), "lists and objects are more than 32 deep"},
		"text":          {`{"url":"` + strings.Repeat("x", 60_000), `{"url":"` + strings.Repeat("x", 65_500) + `"`, `the record has 65509 bytes`},
		"not UTF-8":     {`{"url":"é"}`, "{\"url\":\"\xe9\"}", "not valid UTF-8"},
		"not even JSON": {`}]}],:,:"`, `}]}]` + strings.Repeat("[", 33), "more than 32 deep"},
	} {
		of := cameraBounds
		of.bytes = 65_508
		if err := of.check([]byte(c.good)); err != nil {
			t.Errorf("%s within its bound: %v", name, err)
		}
		if err := of.check([]byte(c.bad)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
	}
}

// What is within the bounds of lists takes at most 8 MB to decode, however small
// the record is.
func TestSmallRecordsTakeLittleMemory(t *testing.T) {
	decoders := decoders()
	for record, of := range everyBounds() {
		lists := append(slices.Clone(of.lists), bound{"unknown", maxFields})
		for _, l := range lists {
			for _, e := range []string{"0", "{}", "[]", "null", `""`, `"ab"`} {
				for _, text := range []string{
					fmt.Sprintf(`{"%s":[%s]}`, l.field, elements(l.most, e)),
					fmt.Sprintf(`{"%s":{%s}}`, l.field, elements(l.most, `"a":`+e)),
					fmt.Sprintf(`{"labels":[{"%s":[%s]}]}`, l.field, elements(l.most, e)),
					fmt.Sprintf(`{"stages":{"infer":{"%s":[%s]}}}`, l.field, elements(l.most, e)),
				} {
					b := []byte(text)
					if kind, ok := eventKinds()[record]; ok {
						b = event(kind, b)
					}
					if took := allocated(func() { _ = decoders[record](b) }); took > 8<<20 {
						t.Errorf("%s, %.60s: %d bytes allocated for %d", record, text, took, len(b))
					}
				}
			}
		}
	}
}

// The largest records that we write are within the bounds.
func TestLargestRecordsAreWithinBounds(t *testing.T) {
	escaped := func(n int) string { return strings.Repeat("<", n) } // six bytes each in JSON
	tags := slices.Repeat([]string{escaped(maxTag)}, maxTags)
	rec := fullRecognition()
	rec.Tags, rec.Embedding = tags, make(Float16Vector, 16<<10)
	rec.Labels = slices.Repeat(rec.Labels, MaxLabels)[:MaxLabels]
	for i := range rec.Labels {
		rec.Labels[i].Tags = slices.Repeat([]string{"outdoor"}, maxTags)
	}
	alert := fullAlert(AlertCleared)
	alert.ID, alert.Tags, alert.Reason = escaped(maxAlertID), tags, escaped(maxText)
	for _, text := range []*string{&alert.Rule, &alert.Severity, &alert.Label, &alert.NearestBase, &alert.OnsetClip, &alert.Clip, &alert.Model} {
		*text = escaped(maxID)
	}
	for i := range MaxAlertCameras {
		alert.Cameras = append(alert.Cameras, fmt.Sprintf("%064d", i))
	}
	sighting := fullSighting()
	sighting.Seen.Tags, sighting.Seen.Label.Tags = tags, tags
	for _, text := range []*string{&sighting.Rule, &sighting.RuleHash, &sighting.Seen.ClipID, &sighting.Seen.Label.Label, &sighting.Seen.Label.NearestBase, &sighting.Seen.Model} {
		*text = escaped(maxID)
	}
	camera := Camera{Name: "lobby", URL: "rtsp://h/" + escaped(maxURL-9), Tags: tags}
	set := CameraSet{Source: SourceFile, ID: escaped(maxID), Cameras: map[string]string{}}
	for i := range maxSet {
		set.Cameras[fmt.Sprintf("%064d", i)] = strings.Repeat("f", 64)
	}
	worker := Worker{Name: "w", At: at, Started: at, Stages: map[string]WorkerStage{}, Warnings: map[string]string{}}
	for _, stage := range []string{"ingest", "infer", "alerts", "archive", "calibrate", "notify"} {
		worker.Stages[stage] = WorkerStage{Partitions: make([]int, maxPartitions)}
	}
	for i := range maxReports {
		worker.Warnings[fmt.Sprintf("camera %064d", i)] = "no frame for 15s"
	}
	status := StreamStatus{Camera: "lobby", State: StreamWaiting, Since: time.Now(), Reason: escaped(maxText)}
	for name, trip := range map[string]func() error{
		"recognition": roundTrip(EncodeRecognition, DecodeRecognition, rec),
		"alert":       roundTrip(EncodeAlert, DecodeAlert, alert),
		"sighting":    roundTrip(EncodeSighting, DecodeSighting, sighting),
		"camera":      roundTrip(EncodeCamera, DecodeCamera, camera),
		"camera set":  roundTrip(EncodeCameraSet, DecodeCameraSet, set),
		"worker":      roundTrip(EncodeWorker, DecodeWorker, worker),
		"status":      roundTrip(EncodeStatus, DecodeStatus, status),
	} {
		if err := trip(); err != nil {
			t.Errorf("%s: %.300v", name, err)
		}
	}
	for name, refused := range map[string]func() error{
		"labels": func() error {
			r := rec
			r.Labels = append(slices.Clone(rec.Labels), rec.Labels[0])
			return r.Validate()
		},
		"tags": func() error {
			r := rec
			r.Labels = slices.Clone(rec.Labels)
			r.Labels[0].Tags = make([]string, maxTags+1)
			return r.Validate()
		},
		"url": func() error { c := camera; c.URL += "x"; return c.Validate() },
		"cameras": func() error {
			set.Cameras["one-more"] = ""
			return set.validate()
		},
	} {
		if err := refused(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("one too many %s is encoded: %v", name, err)
		}
	}
}

func roundTrip[T any](encode func(T) ([]byte, error), decode func([]byte) (T, error), v T) func() error {
	return func() error {
		b, err := encode(v)
		if err != nil {
			return err
		}
		got, err := decode(b)
		if err != nil {
			return err
		}
		want, _ := json.Marshal(v)
		if again, _ := json.Marshal(got); string(again) != string(want) {
			return fmt.Errorf("came back as %s", again)
		}
		return nil
	}
}
