package console

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// Anybody may write to Kafka: what no alert is, is passed over, and what is shown is clean.
func TestForgedAlertsAreShownAsText(t *testing.T) {
	r := newReviewed(t)
	hostile := `"><script>alert(1)</script>`
	forged := raisedAlert("fall", "ward", time.Hour)
	forged.Rule, forged.Label, forged.Severity, forged.Measure, forged.Tags, forged.Model = hostile, hostile, hostile, hostile, []string{hostile}, hostile
	forged.ID = hostile + "/../" + strings.Repeat("%2F", 100)
	forged.Evidence = &topics.RecordRef{Topic: "frostwatch.clips", Partition: 1 << 30, Offset: -5}
	future := raisedAlert("future", "ward", time.Hour)
	future.At = time.Now().AddDate(50, 0, 0)
	r.send(forged, future)
	for _, value := range [][]byte{[]byte("{"), bytes.Repeat([]byte("x"), 900<<10), []byte(`{"data":{"alert_id":"` + strings.Repeat("y", 200<<10) + `"}}`)} {
		if _, err := r.Bus.Send(t.Context(), bus.Message{Topic: r.Names.Of(topics.Alerts), Key: []byte("ward"), Value: value}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Bus.Table(r.Names.Of(topics.Marks)).Put(t.Context(), forged.ID, value, "ward"); err != nil {
			t.Fatal(err)
		}
	}
	genuine := raisedAlert("fence", "ward", time.Minute)
	r.send(genuine)
	r.await("the real one", func() bool { return strings.HasPrefix(r.list("").rules(), "fence ") })
	l := r.list("")
	if len(l.Alerts) != 2 || l.Alerts[1].ID != forged.ID || l.Alerts[1].Mark != nil {
		t.Fatalf("%+v", l.Alerts)
	}
	at := "/alerts/" + url.PathEscape(forged.ID)
	for path, want := range map[string]int{at: 200, at + "/lead": 200, at + "/strip": 404, at + "/loop": 404, at + "/film": 404, at + "/export": 200} {
		if status, text := r.call("GET", path, nil, nil); status != want {
			t.Errorf("%s: %d %.200s", path[len(at):], status, text)
		}
	}
	if d := r.mark(forged, sayTrue); d.Alerts != 1 {
		t.Errorf("%+v", d)
	}
	big := strings.Repeat("z", 10<<20)
	for path, body := range map[string]any{
		"/alerts/marks": map[string]any{"mark": "true", "alerts": []string{big}},
		at + "/mark":    map[string]any{"mark": "true", "note": big},
	} {
		if status, text := r.call("POST", path, body, nil); status < 400 || status > 499 || len(text) > 2000 {
			t.Errorf("10 MB: %d %.100s", status, text)
		}
	}
	for _, body := range []string{`{"mark":"true","note":"a\u001b[2Jb"}`, `{"mark":"maybe"}`, `{}`, `[]`, `{"mark":"true","by":"somebody else"}`} {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/api/v1"+at+"/mark", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", "application/json")
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(a.Body)
		_ = a.Body.Close()
		if a.StatusCode == http.StatusOK && !bytes.Contains(text, []byte(`"alerts":0`)) || bytes.Contains(text, []byte("\x1b")) {
			t.Errorf("%s: %d %s", body, a.StatusCode, text)
		}
	}
}

// What people and second opinions say comes from Kafka too: it is text, and what has
// anything that a terminal would act on is not taken for an opinion.
func TestForgedOpinionsAreShownAsText(t *testing.T) {
	r := newReviewed(t)
	text, control := raisedAlert("text", "ward", 2*time.Minute), raisedAlert("control", "ward", time.Minute)
	r.send(text, control)
	const hostile = `"><script>alert(1)</script>`
	for _, a := range []topics.Alert{control, text} { // in this order they come
		said := hostile
		if a.ID == control.ID {
			said = "\x1b[2J\u202e\nALERT vault"
		}
		// The records' own form, since what writes them here would refuse such texts.
		for topic, record := range map[topics.Topic]map[string]any{
			topics.Marks:    {"label": a.Label, "true": true, "onset": a.Onset, "note": said, "by": hostile},
			topics.Verdicts: {"verdict": topics.SaysNo, "reason": said, "model": hostile},
		} {
			record["alert_id"], record["camera"], record["rule"], record["at"] = a.ID, a.Camera, a.Rule, time.Now()
			value, err := json.Marshal(record)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Bus.Table(r.Names.Of(topic)).Put(t.Context(), a.ID, value, a.Camera); err != nil {
				t.Fatal(err)
			}
		}
	}
	of := func(rule string) Item {
		for _, one := range r.list("").Alerts {
			if one.Rule == rule {
				return one
			}
		}
		return Item{}
	}
	r.await("what was said of them", func() bool { return of("text").Verdict != "" && of("text").Mark != nil && of("control").ID != "" })
	if one := of("text"); one.Mark.Note != hostile || one.Mark.By != hostile || one.Verdict != "no, "+hostile {
		t.Errorf("%+v, marked %+v", one, one.Mark)
	}
	if one := of("control"); one.Mark != nil || one.Verdict != "" {
		t.Errorf("%+v, marked %+v", one, one.Mark)
	}
}

// A film is sent in ranges, as browsers ask for them, and with all there is of an alert.
func TestAnAlertsFilmIsSent(t *testing.T) {
	r := newReviewed(t)
	a := raisedAlert("fall", "ward", time.Hour)
	path := filepath.Join(t.TempDir(), "film.mp4")
	if err := os.WriteFile(path, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Alerts.Bucket.PutFilm(t.Context(), a.ID, path); err != nil {
		t.Fatal(err)
	}
	clip, err := topics.EncodeClip(evidenceOf(t, a))
	if err != nil {
		t.Fatal(err)
	}
	at, err := r.Bus.Send(t.Context(), bus.Message{Topic: r.Names.Of(topics.Evidence), Key: []byte(a.ID), PartitionBy: []byte(a.Camera), Value: clip})
	if err != nil {
		t.Fatal(err)
	}
	a.Evidence = &at[0]
	r.send(a)
	r.await("the alert", func() bool { return r.list("").Left == 1 })
	address := r.url + "/api/v1/alerts/" + url.PathEscape(a.ID)
	for _, c := range []struct {
		of   string
		want int
		body string
	}{{"", 200, "0123456789"}, {"bytes=3-5", 206, "345"}, {"bytes=-2", 206, "89"}, {"bytes=20-", 416, ""}} {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/film", nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.of != "" {
			q.Header.Set("Range", c.of)
		}
		answer, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != c.want || c.body != "" && (string(body) != c.body || answer.Header.Get("Content-Type") != "video/mp4") {
			t.Errorf("%q: %d %q", c.of, answer.StatusCode, body)
		}
	}
	_, text := r.call("GET", "/alerts/"+url.PathEscape(a.ID)+"/export", nil, nil)
	z, err := zip.NewReader(strings.NewReader(text), int64(len(text)))
	if err != nil || len(z.File) != 3 || z.File[0].Name != "alert.json" || z.File[1].UncompressedSize64 < 100 || z.File[2].UncompressedSize64 != 10 {
		t.Errorf("export: %v, %d bytes", err, len(text))
	}
	for _, kind := range []string{"/strip", "/loop"} {
		if status, text := r.call("GET", "/alerts/"+url.PathEscape(a.ID)+kind, nil, nil); status != http.StatusOK || !strings.HasPrefix(text, "\xff\xd8") {
			t.Errorf("%s: %d", kind, status)
		}
	}
	for range filmsAtOnce {
		r.films <- struct{}{}
	}
	if status, _ := r.call("GET", "/alerts/"+url.PathEscape(a.ID)+"/film", nil, nil); status != http.StatusServiceUnavailable {
		t.Errorf("one film too many: %d", status)
	}
	var d Detail
	if r.call("GET", "/alerts/"+url.PathEscape(a.ID), nil, &d); d.Film != "kept" {
		t.Errorf("%+v", d)
	}
}

func evidenceOf(t *testing.T, a topics.Alert) topics.Clip {
	t.Helper()
	c := pictured(t, a.Camera, a.Clip)
	c.Epoch, c.Window = a.Onset, 4*time.Second
	for i := range c.Frames {
		c.Frames[i].Captured = a.Onset
	}
	return c
}
