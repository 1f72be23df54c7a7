package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// seenClip is a recognition of a camera's n-th clip, one each 2 s.
func seenClip(camera string, epoch time.Time, n int, contrast float64) topics.Recognition {
	start := epoch.Add(time.Duration(n) * 2 * time.Second)
	return topics.Recognition{
		ClipID: topics.ClipID(camera, epoch, start.Sub(epoch)), Camera: camera, Epoch: epoch, Sequence: uint64(n), Start: start, End: start.Add(4 * time.Second),
		Labels: []topics.LabelScore{{Label: "falling", Contrast: contrast}}, Model: "m", Vocab: topics.VocabRef{Name: "default", Version: "v"}, References: &topics.References{Hash: "h"},
	}
}

func (r *reviewed) put(topic topics.Topic, key string, at time.Time, value []byte, err error) topics.RecordRef {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	sent, err := r.Bus.Send(r.t.Context(), bus.Message{Topic: r.Names.Of(topic), Key: []byte(key), Value: value, Time: at})
	if err != nil {
		r.t.Fatal(err)
	}
	return sent[0]
}

func (r *reviewed) past(camera string, from, to time.Time) (got Timeline) {
	r.t.Helper()
	query := url.Values{"from": {from.Format(time.RFC3339Nano)}, "to": {to.Format(time.RFC3339Nano)}}
	if status, text := r.call("GET", "/cameras/"+camera+"/timeline?"+query.Encode(), nil, &got); status != http.StatusOK {
		r.t.Fatalf("%d %s", status, text)
	}
	return got
}

// What the archive and Kafka have is one past, with the alerts of both, gaps with what
// statuses say of them, and pictures for as long as they are kept.
func TestTimeline(t *testing.T) {
	r := newReviewed(t)
	rules, err := alerts.NewRuleSet(alerts.Rule{Name: "fall", Actions: []string{"falling"}, Contrast: &alerts.Levels{Raise: 0.5}})
	if err != nil {
		t.Fatal(err)
	}
	r.SetRules(rules)
	now := time.Now().UTC().Truncate(time.Second)
	lobby, err := topics.EncodeCamera(topics.Camera{Name: "lobby", URL: "rtsp://127.0.0.1/lobby"})
	r.put(topics.Cameras, "lobby", now, lobby, err)

	// Two days ago by the archive, an hour ago and now by Kafka; away in between.
	old, away, back := now.Add(-50*time.Hour), now.Add(-30*time.Minute), now.Add(-10*time.Minute)
	var archived []archive.Record[topics.Recognition]
	for n := range 100 {
		rec := seenClip("lobby", old, n, 0.2)
		if n == 40 {
			rec = seenClip("lobby", old, n, 0.9)
		}
		archived = append(archived, archive.Record[topics.Recognition]{Value: rec, Time: rec.End})
	}
	if _, err := r.Alerts.Bucket.Import(t.Context(), 0, 0, archived); err != nil {
		t.Fatal(err)
	}
	first := away.Add(-20 * time.Minute)
	var last topics.Recognition
	for _, epoch := range []time.Time{first, back} {
		for n := 0; epoch.Add(time.Duration(n)*2*time.Second).Before(now.Add(-4*time.Second)) && (epoch != first || n < 600); n++ {
			last = seenClip("lobby", epoch, n, 0.1)
			if n == 100 {
				clip, err := topics.EncodeClip(clipOf(t, last))
				last.Clip = r.put(topics.Clips, "lobby", last.End, clip, err)
				last.Labels[0].Contrast = 0.8
			}
			value, err := topics.EncodeRecognition(last)
			r.put(topics.Actions, "lobby", last.End, value, err)
		}
	}
	for at, s := range map[time.Duration]topics.StreamStatus{
		time.Minute: {State: topics.StreamWaiting, Reason: "no route to host", OfflineSince: away}, 19 * time.Minute: {State: topics.StreamWaiting, Reason: "no route to host", OfflineSince: away},
	} {
		s.Camera, s.Since = "lobby", away
		value, err := topics.EncodeStatus(s)
		r.put(topics.Status, "lobby", away.Add(at), value, err)
	}
	raised := raisedAlert("fall", "lobby", now.Sub(first.Add(200*time.Second)))
	other := raisedAlert("fall", "yard", time.Hour)
	r.send(raised, clearedAlert(raised), other)
	r.await("the camera and its alert", func() bool { return r.queue.isWhole() && strings.Contains(r.text("/cameras"), "lobby") })

	hour := r.past("lobby", now.Add(-time.Hour), now)
	if len(hour.Labels) != 1 || hour.Labels[0].Label != "falling" || hour.Labels[0].Top != 0.8 || len(hour.Labels[0].Rules) != 1 || hour.Labels[0].Rules[0].Raise != 0.5 || hour.Fault != "" {
		t.Fatalf("labels: %+v, fault %q", hour.Labels, hour.Fault)
	}
	if len(hour.Alerts) != 1 || hour.Alerts[0].ID != raised.ID || hour.Alerts[0].Ended.IsZero() || !hour.Alerts[0].Raised.Equal(raised.At) {
		t.Errorf("alerts: %+v", hour.Alerts)
	}
	if len(hour.Gaps) != 2 || hour.Gaps[1].Kind != "offline" || !strings.Contains(hour.Gaps[1].Reason, "no route to host") || hour.Gaps[1].To != back {
		t.Errorf("gaps: %+v", hour.Gaps)
	}
	week := r.past("lobby", now.Add(-7*day), now)
	if n := len(week.Clips); n > 600 || week.Labels[0].Top != 0.9 || len(week.Gaps) < 3 {
		t.Errorf("a week: %d steps, top %v, %d gaps", n, week.Labels[0].Top, len(week.Gaps))
	}

	best := hour.Best[hour.Labels[0].Clips[highest(hour.Labels[0].Values)]].Clip
	if status, text := r.call("GET", "/cameras/lobby/clips/"+best+"/strip", nil, nil); status != http.StatusOK || !strings.HasPrefix(text, "\xff\xd8") {
		t.Errorf("the pictures of %s: %d %.200s", best, status, text)
	}
	for _, path := range []string{"/cameras/lobby/clips/" + archived[40].Value.ClipID + "/strip", "/cameras/yard/clips/" + best + "/strip", "/cameras/lobby/clips/" + last.ClipID + "/loop", "/cameras/lobby/clips/x/loop"} {
		if status, text := r.call("GET", path, nil, nil); status != http.StatusNotFound {
			t.Errorf("%s: %d %.200s", path, status, text)
		}
	}
	for _, query := range []string{"from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z", "from=x&to=y", "", "from=2027-01-01T00:00:00Z&to=2026-12-31T00:00:00Z"} {
		if status, text := r.call("GET", "/cameras/lobby/timeline?"+query, nil, nil); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %.200s", query, status, text)
		}
	}
}

func (r *reviewed) text(path string) string {
	_, text := r.call("GET", path, nil, nil)
	return text
}

func highest(values []float64) (at int) {
	for i, v := range values {
		if v > values[at] {
			at = i
		}
	}
	return at
}

// clipOf is the clip of a recognition.
func clipOf(t *testing.T, r topics.Recognition) topics.Clip {
	c := pictured(t, r.Camera, r.ClipID)
	c.Epoch, c.Sequence, c.Start, c.Window = r.Epoch, r.Sequence, r.Start.Sub(r.Epoch), r.End.Sub(r.Start)
	return c
}
