package history

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/fleet"
	"github.com/frostwatch/frostwatch/topics"
)

var t0 = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// true cameras show the scenes of these letters, a clip each: e scores. The last one's alert
// stays open; the second connects anew after its tenth clip.
var scenes = []string{"cceeeccccccceecccccc", "ceeeeecccceeeccccccc", "ccccccceeecccccceeee"}

const noClips = time.Minute

func rules(t *testing.T) *alerts.RuleSet {
	t.Helper()
	levels := &alerts.Levels{Raise: 0.6, Clear: 0.4}
	set, err := alerts.NewRuleSet(
		alerts.Rule{Name: "once", Actions: []string{"event"}, Score: levels, Clips: alerts.ClipsRule{N: 1, M: 1}},
		alerts.Rule{Name: "twice", Actions: []string{"event"}, Score: levels, Clips: alerts.ClipsRule{N: 2, M: 3}},
	)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// truth is a history without a fault: what stages make of scenes.
func truth(t *testing.T) History {
	h := History{Rules: rules(t), NoClips: noClips, Open: map[string]topics.Alert{}, Skipped: map[string]string{}}
	engine := alerts.NewEngine(h.Rules, noClips)
	for camera, shown := range scenes {
		epoch, first := t0.Add(time.Duration(camera)*time.Second), 0
		for i, scene := range shown {
			if camera == 1 && i == 10 {
				epoch, first = epoch.Add(time.Minute), i
			}
			h.film(engine, camera, epoch, i-first, string(scene))
		}
	}
	return h
}

// film adds a clip and what follows from it.
func (h *History) film(engine *alerts.Engine, camera int, epoch time.Time, i int, shows string) {
	name, start := fmt.Sprintf("camera-%d", camera), time.Duration(i)*2*time.Second
	id := topics.ClipID(name, epoch, start)
	at := topics.RecordRef{Topic: "clips", Partition: camera % 2, Offset: int64(len(h.Clips))}
	h.Ledger = append(h.Ledger, fleet.Entry{
		Clip: id, Camera: name, Epoch: epoch, Sequence: uint64(i), Start: epoch.Add(start), End: epoch.Add(start + 4*time.Second), Shows: shows, At: &at,
	})
	h.Clips = append(h.Clips, Clip{id, Record{Partition: at.Partition, Offset: at.Offset}})
	score := map[string]float64{"c": 0.1, "e": 0.9}[shows]
	rec := topics.Recognition{
		ClipID: id, Camera: name, Epoch: epoch, Sequence: uint64(i), Start: epoch.Add(start), End: epoch.Add(start + 4*time.Second), Clip: at,
		Labels: []topics.LabelScore{{Label: "event", Score: score}}, Model: "m", Vocab: topics.VocabRef{Name: "default", Version: "v"},
	}
	h.Recognitions = append(h.Recognitions, RecognitionOf(h.record(camera%2, id), rec))
	for _, a := range engine.Evaluate(rec) {
		h.Alerts = append(h.Alerts, Alert{h.record(camera%2, a.EventID()), a})
		if a.State == topics.AlertRaised {
			h.Open[a.OpenKey()] = a
		} else {
			delete(h.Open, a.OpenKey())
		}
	}
}

// record is the next record of a partition, whose bytes are told apart by a text.
func (h *History) record(partition int, text string) Record {
	r := Record{Partition: partition, Offset: int64(len(h.Recognitions) + len(h.Alerts)), Generation: 7}
	copy(r.Hash[:], text[max(0, len(text)-len(r.Hash)):])
	return r
}

// later is a record as a worker of the next generation would write it.
func later(r Record) Record {
	r.Generation++
	r.Hash[0]++
	return r
}

func (h *History) recognition(id string) int {
	return slices.IndexFunc(h.Recognitions, func(r Recognition) bool { return r.ClipID == id })
}

// event is the index of the n-th event of a rule on a camera.
func (h *History) event(camera, rule string, n int) int {
	for i, a := range h.Alerts {
		if a.Camera == camera && a.Rule == rule {
			if n == 0 {
				return i
			}
			n--
		}
	}
	panic("no such event")
}

// A history without a fault has none, also with what may come again.
func TestNothingIsWrongWithATrueHistory(t *testing.T) {
	h := truth(t)
	h.Calm = true
	r := Check(h)
	if !r.OK() || r.Clips != 60 || r.Acked != 60 || r.Recognised != 60 || r.Repeats != 0 || r.Expected != r.Published || r.Expected < 12 || len(h.Open) != 2 {
		t.Fatalf("%+v, %d open", r, len(h.Open))
	}
	h.Calm = false
	again := h.Recognitions[5]
	h.Recognitions = append(h.Recognitions, again) // a send that was repeated
	again.Record = later(again.Record)             // a worker that died before its commit
	h.Recognitions = append(h.Recognitions, again)
	h.Alerts = slices.Insert(h.Alerts, 1, h.Alerts[0])
	e := h.Ledger[len(h.Ledger)-1] // the next window of the last camera: the broker may have it
	e.Clip, e.Sequence, e.At, e.Dropped = "unsure", e.Sequence+1, nil, fleet.Unanswered
	full := e // the one after was never sent
	full.Clip, full.Sequence, full.Dropped = "dropped", full.Sequence+1, fleet.QueueFull
	h.Ledger = append(h.Ledger, e, full)
	dead, skipped := h.recognition(h.Ledger[17].Clip), h.Ledger[18].Clip // at the end of the first camera, where nothing shows
	h.Dead = append(h.Dead, Dead{h.Recognitions[dead].ClipID, "unreadable"})
	h.Skipped[skipped] = "too old"
	h.Recognitions = slices.Delete(h.Recognitions, dead, dead+2)
	r = Check(h)
	if !r.OK() || r.Repeats != 3 || r.Dropped[fleet.Unanswered] != 1 || r.Dropped[fleet.QueueFull] != 1 || r.Accounted["too old"] != 1 || r.Accounted["dead letter: unreadable"] != 1 {
		t.Errorf("%+v", r)
	}
}

// Each class of fault is found, and taken for nothing else.
func TestEveryPlantedFaultIsFound(t *testing.T) {
	for _, p := range []struct {
		name  string
		want  Class
		plant func(h *History)
	}{
		{"the broker has lost a clip", LostClip, func(h *History) {
			h.Clips = slices.Delete(h.Clips, 3, 4)
		}},
		{"a recognition is lost", LostRecognition, func(h *History) {
			h.Recognitions = slices.Delete(h.Recognitions, 18, 19)
		}},
		{"the recognition of an event's clip is lost", LostRecognition, func(h *History) {
			i := h.recognition(h.Ledger[3].Clip)
			h.Recognitions = slices.Delete(h.Recognitions, i, i+1)
		}},
		{"one worker recognises a clip twice", Repeated, func(h *History) {
			again := h.Recognitions[4]
			again.Hash[0]++
			h.Recognitions = append(h.Recognitions, again)
		}},
		{"a record comes again though nothing was disturbed", Repeated, func(h *History) {
			h.Calm = true
			h.Recognitions = append(h.Recognitions, h.Recognitions[4])
		}},
		{"one worker publishes an alert twice", Repeated, func(h *History) {
			again := h.Alerts[0]
			again.Hash[0]++
			h.Alerts = slices.Insert(h.Alerts, 1, again)
		}},
		{"a clip is recognised as something else the second time", Contradiction, func(h *History) {
			again := h.Recognitions[0]
			again.Record = later(again.Record)
			again.Result[0]++
			h.Recognitions = append(h.Recognitions, again)
		}},
		{"an alert is decided by a later clip", Contradiction, func(h *History) {
			a := &h.Alerts[h.event("camera-0", "once", 1)]
			a.Clip = h.Ledger[6].Clip
		}},
		{"a clip is recognised that was dropped", Invented, func(h *History) {
			e := &h.Ledger[19]
			e.At, e.Dropped = nil, fleet.QueueFull
		}},
		{"two clips change places", Disorder, func(h *History) {
			h.Recognitions[14], h.Recognitions[15] = h.Recognitions[15], h.Recognitions[14]
		}},
		{"an alert is dated before the one that came before", Disorder, func(h *History) {
			a := &h.Alerts[h.event("camera-0", "twice", 1)]
			a.At = a.At.Add(-time.Hour)
		}},
		{"a clip is in no line of the ledger", Unaccounted, func(h *History) {
			id := h.Ledger[36].Clip
			h.Ledger = slices.Delete(h.Ledger, 36, 37)
			h.Clips = slices.DeleteFunc(h.Clips, func(c Clip) bool { return c.ID == id })
			h.Recognitions = slices.DeleteFunc(h.Recognitions, func(r Recognition) bool { return r.ClipID == id })
		}},
		{"a clip is dropped for no reason", Unaccounted, func(h *History) {
			e := &h.Ledger[19]
			e.At = nil
			h.Clips = slices.DeleteFunc(h.Clips, func(c Clip) bool { return c.ID == e.Clip })
			h.Recognitions = slices.DeleteFunc(h.Recognitions, func(r Recognition) bool { return r.ClipID == e.Clip })
		}},
		{"an alert is raised again after its clear", RaisedTwice, func(h *History) {
			again := h.Alerts[h.event("camera-0", "once", 0)]
			again.Record = later(again.Record)
			h.Alerts = append(h.Alerts, again)
		}},
		{"a clear comes before its raise", ClearedUnraised, func(h *History) {
			i, j := h.event("camera-0", "once", 0), h.event("camera-0", "once", 1)
			early := h.Alerts[j]
			early.Record, early.At = later(early.Record), h.Alerts[i].At
			h.Alerts = slices.Insert(h.Alerts, i, early)
		}},
		{"an alert is missing", AlertMissing, func(h *History) {
			id := h.Alerts[h.event("camera-0", "once", 2)].ID
			h.Alerts = slices.DeleteFunc(h.Alerts, func(a Alert) bool { return a.ID == id })
		}},
		{"an alert is there that should not be", AlertInvented, func(h *History) {
			for n := range 2 {
				a := h.Alerts[h.event("camera-0", "once", 2+n)]
				a.ID, a.At = a.ID+"-invented", a.At.Add(time.Minute)
				a.Record = later(a.Record)
				h.Alerts = append(h.Alerts, a)
			}
		}},
		{"the table has an alert that was cleared", OpenStale, func(h *History) {
			a := h.Alerts[h.event("camera-0", "once", 0)].Alert
			h.Open[a.OpenKey()] = a
		}},
		{"the table has an older alert than is open", OpenStale, func(h *History) {
			a := h.Alerts[h.event("camera-2", "once", 0)].Alert
			h.Open[a.OpenKey()] = a
		}},
		{"the table lacks an alert that is open", OpenMissing, func(h *History) {
			delete(h.Open, slices.Sorted(maps.Keys(h.Open))[0])
		}},
	} {
		t.Run(p.name, func(t *testing.T) {
			h := truth(t)
			p.plant(&h)
			r := Check(h)
			if r.OK() {
				t.Fatal("nothing is found")
			}
			for _, v := range r.Violations {
				if v.Class != p.want {
					t.Errorf("found %v, want only %q", v, p.want)
				}
			}
		})
	}
}
