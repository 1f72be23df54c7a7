package notify

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// Anybody who may write to Kafka may forge records. Whatever is on the topics that the stage
// reads, the alerts after it are delivered, with what is true of them, and nothing else is.
func TestForgedRecords(t *testing.T) {
	b, h, am := startBroker(t, 1), startHook(t), startFaulty(t)
	shelf := &filmShelf{films: map[string][]byte{"far/x-1": []byte("x"), "fall/other-1": []byte("x")}}
	b.films, b.verifier = shelf, nil
	p := plan(t, fmt.Sprintf("- {name: ops, film: true, webhook: {url: %q, private: true}, when: {cameras: ['ward-*']}}\n- {name: am, alertmanager: {url: %q, private: true}}", h.URL, am.URL))
	r := b.run(t, p, 1)
	r.stop() // so that it reads the tables anew
	other := alert("other", 1, topics.AlertRaised)
	b.send(t, other) // which the receiver does not get
	forge := func(topic topics.Topic, key string, values ...string) {
		t.Helper()
		for _, value := range values {
			if _, err := b.Send(t.Context(), bus.Message{Topic: names.Of(topic), Key: []byte(key), Value: []byte(value)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	text := func(a topics.Alert) string {
		value, err := topics.EncodeAlert(a)
		if err != nil {
			t.Fatal(err)
		}
		return string(value)
	}
	garbage := []string{"\x00", "{", "[]", "null", `{"specversion":"1.0"}`, strings.Repeat("[", 100_000), strings.Repeat("a", 900_000), `{"data":{"alert_id":"\u001b[2J"}}`}
	for _, topic := range []topics.Topic{topics.Alerts, topics.OpenAlerts, topics.Verdicts, topics.Silences, topics.Withheld} {
		forge(topic, "a/b", garbage...)
		forge(topic, topics.ProfileKey, garbage...)
	}
	foreign := alert("ward-1", 77, topics.AlertRaised)
	forge(topics.OpenAlerts, "another/key", text(foreign))
	forge(topics.Silences, "other-key", `{"silence_id":"s","cameras":["*"],"at":"2026-01-01T00:00:00Z","until":"2026-12-31T00:00:00Z"}`)
	forge(topics.Silences, "s", `{"silence_id":"s","cameras":["*"],"at":"0001-01-02T00:00:00Z","until":"9998-01-01T00:00:00Z"}`, `{"silence_id":"s","at":"2026-01-01T00:00:00Z","until":"2026-12-31T00:00:00Z"}`)
	row := `{"receiver":%q,"alert_id":%q,"key":"x","rule":"far","camera":"x","at":"2026-01-01T00:00:00Z","offsets":{"raised":%d}}`
	for _, receiver := range []string{"notify-ops", "notify-ops/film", "notify-am"} {
		for i, offset := range []int64{1 << 60, 0, 3} {
			id := []string{"far/x-1", "fall/other-1", "near/x-2"}[i]
			forge(topics.Withheld, receiver+"/"+id, fmt.Sprintf(row, receiver, id, offset))
			forge(topics.Withheld, receiver+"/"+id+"/not", fmt.Sprintf(row, receiver, id, offset))
		}
	}
	b.run(t, p, 1)
	good := now(alert("ward-1", 1, topics.AlertRaised))
	good.Label = `{{.}} "},{" %s <b> ${HOME} *_` + "`@everyone`"
	b.send(t, good)
	await(t, "the alert", func() bool { return slices.Contains(h.accepted(), good.EventID()) && len(am.of(good.ID)) > 0 })
	shelf.put(good.ID, []byte("the film"))
	await(t, "its film", func() bool { return slices.Contains(h.accepted(), good.ID+filmSuffix) })
	if got := h.accepted(); len(got) != 2 {
		t.Errorf("delivered %q", got)
	}
	if got := am.of(foreign.ID); len(got) > 0 {
		t.Errorf("Alertmanager shows what is open under another key: %+v", got)
	}
}

// Fifty receivers, of which some refuse, hang, answer byte by byte or can't be reached: each
// of the others gets everything, in order.
func TestFiftyReceivers(t *testing.T) {
	const receivers, alerts = 50, 20
	b, h := startBroker(t, 2), startHook(t)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for {
			select {
			case <-r.Context().Done():
				return
			case <-time.After(20 * time.Millisecond):
				_, _ = w.Write([]byte("x"))
				_ = http.NewResponseController(w).Flush()
			}
		}
	}))
	t.Cleanup(slow.Close)
	var text strings.Builder
	for i := range receivers {
		url := h.URL
		switch i % 10 {
		case 7:
			url = slow.URL
		case 8:
			url = "http://127.0.0.1:1"
		case 9:
			url = echo(t, http.StatusServiceUnavailable)
		}
		fmt.Fprintf(&text, "- {name: r%d, webhook: {url: %q, private: true}}\n", i, url)
	}
	b.run(t, plan(t, text.String()), 2)
	var all []topics.Alert
	var want []string
	for n := range alerts {
		a := alert("ward-1", n, topics.AlertRaised)
		all, want = append(all, a), append(want, a.EventID())
	}
	b.send(t, all...)
	await(t, "delivery to all that answer", func() bool { return len(h.accepted()) >= receivers/10*7*alerts })
	byReceiver := map[string][]string{}
	for _, n := range h.got {
		for _, e := range n.Events {
			byReceiver[n.Receiver] = append(byReceiver[n.Receiver], e.Key)
		}
	}
	for name, got := range byReceiver {
		if !slices.Equal(got, want) {
			t.Errorf("%s got %q", name, got)
		}
	}
}
