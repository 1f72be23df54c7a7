package notify

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

// The model is asked once about an alert, whoever gets it; everybody gets what it says
// with the alert, and it is on record. Those who don't want to wait get it without.
func TestASecondOpinionComesWithTheAlert(t *testing.T) {
	b, h, other, hasty, e := startBroker(t, 1), startHook(t), startHook(t), startHook(t), startEyes(t)
	e.answers(func(w http.ResponseWriter, r *http.Request, _ string) {
		if r.Header.Get("Authorization") != "Bearer s3cret" || r.Header.Get("X-Team") != "night" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		says(w, "```json\n{\"verdict\": \"no\", \"reason\": \"a person kneels\"}\n```")
	})
	r := b.seeing(t, plan(t, fmt.Sprintf(`
- {name: ops, webhook: {url: %q, private: true, template: '{{(index .Events 0).Verdict.Says}}|{{.Text}}'}}
- {name: desk, webhook: {url: %q, private: true}}
- {name: siren, verify: false, webhook: {url: %q, private: true}}
`, h.URL, other.URL, hasty.URL)), e, "key: s3cret, headers: {X-Team: night}, when: {cameras: ['ward-*']}")
	own := pictured("ward-1", 2, topics.AlertRaised)
	own.Verify, own.Rule = `Is a "person" on the floor?`, "lying"
	blind := alert("ward-1", 3, topics.AlertRaised) // without pictures
	b.send(t, pictured("ward-1", 1, topics.AlertRaised), pictured("ward-1", 1, topics.AlertCleared), own, blind, pictured("lobby", 4, topics.AlertRaised))
	await(t, "delivery", func() bool { return len(other.accepted()) == 5 && h.received() == 5 && len(hasty.accepted()) == 5 })
	const sentence = "ward-1: person falling down, since 12:00:00, contrast 0.93 (rule fall, warning)"
	if want := "no|" + sentence + "; second opinion: no, a person kneels"; h.bodies[0] != want {
		t.Errorf("ops got %q, want %q", h.bodies[0], want)
	}
	if want := "no|ward-1: person falling down is over, 12:00:00 to 12:00:04"; h.bodies[1] != want {
		t.Errorf("ops got %q, want %q", h.bodies[1], want)
	}
	for i, want := range []topics.Says{"no", "no", "no", "", ""} {
		if got := other.got[i].Events[0].Verdict; got.Says != want || got.Says != "" && (got.Reason != "a person kneels" || got.Model != "eyes-7b") {
			t.Errorf("desk got %+v with event %d, want %q", got, i, want)
		}
	}
	if strings.Contains(other.bodies[3], "verdict") || hasty.got[0].Events[0].Text != sentence || strings.Contains(hasty.bodies[0], "verdict") {
		t.Errorf("nobody was asked: %s\nsiren got %s", other.bodies[3], hasty.bodies[0])
	}
	if want := []string{`"Does the picture show this: person falling down?"`, `"Is a \"person\" on the floor?"`}; !slices.Equal(slices.Sorted(slices.Values(e.was(t))), want) {
		t.Errorf("asked %q, want %q, in any order", e.was(t), want)
	}
	rows, err := b.Table(names.Of(topics.Verdicts)).List(t.Context())
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d verdicts, %v", len(rows), err)
	}
	if v, err := topics.DecodeVerdict(rows[own.ID].Value); err != nil || v.Says != topics.SaysNo || v.Question != own.Verify || v.Rule != "lying" {
		t.Errorf("verdict %+v, %v", v, err)
	}
	if c := stagetest.Counts(t, r.reader); c["frostwatch.notify.questions"] != 2 || c["frostwatch.notify.verdicts"] != 2 || c["frostwatch.notify.withheld"] != 0 {
		t.Errorf("counted %v", c)
	}
}

// With on_no: hold, all that happens to an alert of which the model says no is kept from
// people, also after a restart.
func TestAnAlertIsHeldBackByASecondOpinion(t *testing.T) {
	b, h, siren, e := startBroker(t, 1), startHook(t), startHook(t), startEyes(t)
	e.answers(func(w http.ResponseWriter, _ *http.Request, question string) {
		verdict := map[bool]string{true: "no", false: "unsure"}[strings.Contains(question, "kneeling")]
		says(w, fmt.Sprintf(`{"verdict": %q, "reason": ""}`, verdict))
	})
	p := plan(t, fmt.Sprintf("- {name: ops, webhook: {url: %q, private: true}}\n- {name: siren, verify: false, webhook: {url: %q, private: true}}\n", h.URL, siren.URL))
	r := b.seeing(t, p, e, "on_no: hold")
	no := func(n int, s topics.AlertState) topics.Alert {
		a := pictured("ward-1", n, s)
		a.Label = "kneeling"
		return a
	}
	b.send(t, no(1, topics.AlertRaised), no(2, topics.AlertRaised), no(1, topics.AlertEscalated), no(1, topics.AlertCleared), pictured("ward-1", 3, topics.AlertRaised))
	await(t, "delivery", func() bool { return len(h.accepted()) == 1 && len(siren.accepted()) == 5 })
	if c := stagetest.Counts(t, r.reader); c["frostwatch.notify.withheld"] != 4 {
		t.Errorf("counted %v", c)
	}
	r.stop()
	b.seeing(t, p, e, "on_no: hold")
	b.send(t, no(2, topics.AlertCleared), pictured("ward-1", 3, topics.AlertCleared))
	await(t, "delivery", func() bool { return len(unique(h.accepted())) >= 2 && len(unique(siren.accepted())) == 7 })
	if got := unique(h.accepted()); !slices.Equal(got, []string{"fall/ward-1-3/raised", "fall/ward-1-3/cleared"}) {
		t.Errorf("delivered %q", got)
	}
}

// A model that hangs delays alerts, and the more there are, the fewer are asked about: all
// go out, in order, as unverified. Once it answers again, it is asked again.
func TestAModelThatHangsDelaysLittle(t *testing.T) {
	b, h, e := startBroker(t, 1), startHook(t), startEyes(t)
	e.answers(func(_ http.ResponseWriter, r *http.Request, _ string) { <-r.Context().Done() })
	r := b.seeing(t, plan(t, fmt.Sprintf("- {name: ops, webhook: {url: %q, private: true}}\n", h.URL)), e, "timeout: 500ms, parallel: 3, key: s3cret")
	var want []string
	send := func(from, to int) {
		var all []topics.Alert
		for n := from; n < to; n++ {
			for _, s := range []topics.AlertState{topics.AlertRaised, topics.AlertCleared} {
				a := pictured("ward-1", n, s)
				all, want = append(all, a), append(want, a.EventID())
			}
		}
		b.send(t, all...)
		await(t, "delivery", func() bool { return len(h.accepted()) >= len(want) })
	}
	send(0, 100)
	if n := len(e.was(t)); n < 3 || n > 10 {
		t.Errorf("asked %d times about 100 alerts, of which 3 may wait at a time", n)
	}
	r.reports.AwaitWarning(t, "second opinion", "ask for a second opinion: "+strings.TrimPrefix(e.URL, "http://")+": no answer in time")
	send(100, 110) // nothing waits for it any more
	for _, n := range h.got {
		if v := n.Events[0].Verdict; v.Says != topics.SaysUnverified {
			t.Fatalf("%s: %+v", n.Key(), v)
		}
	}
	e.answers(nil)
	n := 110
	await(t, "an answer", func() bool {
		send(n, n+1)
		n++
		return h.got[len(h.got)-1].Events[0].Verdict.Says == topics.SaysYes
	})
	await(t, "end of the warning", func() bool { return r.reports.WarningOf("second opinion") == nil })
	if got := h.accepted(); !slices.Equal(got, want) {
		t.Errorf("delivered in the order %q", got)
	}
}

// While the topic of verdicts can't be read, or nobody asks, alerts wait no longer than
// they should.
func TestNothingWaitsForEver(t *testing.T) {
	o := newOpinions(nil)
	if _, known, err := o.await(t.Context(), "a", 0); known || err != nil {
		t.Errorf("%v, %v", known, err)
	}
	go o.note(topics.Verdict{Alert: "a", Says: topics.SaysYes})
	if v, known, err := o.await(t.Context(), "a", 1<<60); !known || err != nil || v.Says != topics.SaysYes {
		t.Errorf("%+v, %v, %v", v, known, err)
	}
	o.note(topics.Verdict{Alert: "a", Says: topics.SaysNo})
	if v, _ := o.of("a"); v.Says != topics.SaysYes {
		t.Errorf("the second verdict on an alert counts: %+v", v)
	}
	go o.settled(fmt.Errorf("denied"))
	if _, known, err := o.await(t.Context(), "b", 1<<60); known || err != nil {
		t.Errorf("%v, %v", known, err)
	}
	for i := range maxOpinions {
		o.note(topics.Verdict{Alert: fmt.Sprint(i), Says: topics.SaysYes})
	}
	if _, known := o.of("a"); known || len(o.byAlert) != maxOpinions || len(o.inOrder) != maxOpinions {
		t.Errorf("%d verdicts are remembered", len(o.byAlert))
	}
}

func TestMistakesInVerify(t *testing.T) {
	for text, want := range map[string]string{
		"{model: m, url: 'ftp://s3cret'}":                  "verify:1: url: want http://host/path or https://host/path",
		"{url: 'https://h/v1/chat/completions', model: m}": "verify:1: url: want it without /chat/completions",
		"{model: m}":                                                      "verify:1: url: want",
		"{url: 'https://h/s3cret'}":                                       "model: want the name of a model",
		"{url: 'https://h/', model: m, on_no: drop}":                      `on_no: "drop": want tell or hold`,
		"{url: 'https://h/', model: m, timeout: 2m}":                      "timeout: 2m0s: want 100ms to 1m0s",
		"{url: 'https://h/', model: m, parallel: 1000}":                   "parallel: 1000: want 1 to 100",
		"{url: 'https://h/', model: m, when: {severity: high}}":           `when.severity: "high"`,
		"{url: 'https://h/', model: m, question: \"is it {labl}?\"}":      "question: there is no placeholder {labl}: the only one is {label}",
		"{url: 'https://h/', model: m, question: \"a\\nb\"}":              "question: want at most 300 bytes",
		"{url: 'https://h/', model: m, key: s3cret, temperature: s3cret}": "unknown key: want one of url, key",
	} {
		raw, err := config.RawOf("verify", []byte(text))
		if err == nil {
			_, err = CompileVerify(raw)
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if v, err := CompileVerify(config.Raw{}); v != nil || err != nil {
		t.Errorf("nothing is configured: %v, %v", v, err)
	}
}

// What is open is shown once it is known what a second opinion says, and not if that keeps
// it from people.
func TestWhatIsHeldBackIsNotShownAsOpen(t *testing.T) {
	b, e := startBroker(t, 1), startEyes(t)
	b.evidence, b.verifier = clips(t), e.verifier(t, "on_no: hold, when: {cameras: ['ward-*']}, timeout: 1m")
	p := plan(t, "- {name: ops, webhook: {url: 'http://127.0.0.1:1', private: true}}\n- {name: siren, verify: false, webhook: {url: 'http://127.0.0.1:1', private: true}}\n")
	s, err := New(Options{Bus: b, Names: names, Group: "notify", Plan: p, Verifier: b.verifier, Logger: slog.New(slog.DiscardHandler), Meter: noop.NewMeterProvider().Meter("test")})
	if err != nil {
		t.Fatal(err)
	}
	now := thisMoment()
	for camera, at := range map[string]time.Time{"ward-1": now, "ward-2": now, "ward-3": now, "ward-4": now.Add(-time.Hour), "lobby": now} {
		a := pictured(camera, 1, topics.AlertRaised)
		value, err := topics.EncodeAlert(a)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.open.take(bus.Message{Key: []byte(a.OpenKey()), Value: value, Time: at}); err != nil {
			t.Fatal(err)
		}
	}
	s.open.read(nil)
	s.opinions.note(topics.Verdict{Alert: alert("ward-1", 1, "").ID, Says: topics.SaysNo})
	s.opinions.note(topics.Verdict{Alert: alert("ward-2", 1, "").ID, Says: topics.SaysYes, Reason: "on the floor"})
	for i, want := range [][]string{{"lobby", "ward-2 yes", "ward-4"}, {"lobby", "ward-1", "ward-2", "ward-3", "ward-4"}} {
		d, err := s.delivery(p.all()[i], func() {})
		if err != nil {
			t.Fatal(err)
		}
		d.hold(0, true)
		var shown []string
		open, _, _ := d.openNow()
		for _, e := range open {
			shown = append(shown, strings.TrimSpace(e.Alert.Camera+" "+string(sensorOn(e).Verdict)))
			if a := (&alertmanager{now: time.Now}).posted(e, "warning", now); e.Verdict.Says != "" && a.Annotations["second_opinion"] != "yes, on the floor" {
				t.Errorf("annotations %q", a.Annotations)
			}
		}
		if !slices.Equal(shown, want) {
			t.Errorf("%s shows %q, want %q", d.Name, shown, want)
		}
	}
}
