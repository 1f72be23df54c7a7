package notify

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

func TestAReceiverIsToldWhatHappensFromNowOn(t *testing.T) {
	b, h := startBroker(t, 2), startHook(t)
	b.send(t, alert("ward-1", 0, topics.AlertRaised))
	r := b.run(t, plan(t, fmt.Sprintf(`
- name: ops
  webhook: {url: %q, secret: s3cret, headers: {Authorization: "Bearer t0ken"}, private: true}
  when: {cameras: ["ward-*"], severity: warning}
  timezone: Europe/Berlin
`, h.URL)), 2)
	info := alert("ward-1", 9, topics.AlertRaised)
	info.Severity = "info"
	b.send(t, alert("ward-1", 1, topics.AlertRaised), info, alert("lobby", 2, topics.AlertRaised), alert("ward-1", 1, topics.AlertCleared))
	await(t, "delivery", func() bool { return len(h.accepted()) == 2 })
	if got := h.accepted(); !slices.Equal(got, []string{"fall/ward-1-1/raised", "fall/ward-1-1/cleared"}) {
		t.Errorf("delivered %q", got)
	}
	first, head := h.got[0], h.heads[0]
	if text := first.Events[0].Text; text != "ward-1: person falling down, since 13:00:00, contrast 0.93 (rule fall, warning)" {
		t.Errorf("text %q", text)
	}
	if head.Get(HeaderKey) != first.Key() || head.Get("Authorization") != "Bearer t0ken" ||
		head.Get(HeaderSignature) != Sign("s3cret", head.Get(HeaderTime), []byte(h.bodies[0])) {
		t.Errorf("headers %v", head)
	}
	await(t, "both being counted", func() bool { return stagetest.Counts(t, r.reader)["frostwatch.notify.sent"] == 2 })
}

// A receiver that is down half of the time, and a stage that is stopped again and again,
// at any moment: everything is delivered, and in the order of each camera. What is
// delivered again has the same key.
func TestNothingIsLostOrOutOfOrder(t *testing.T) {
	const cameras, each, partitions = 10, 100, 3
	b, h, other := startBroker(t, partitions), startHook(t), startHook(t)
	// Decided under the hook's lock.
	random := rand.New(rand.NewPCG(1, 2))
	h.answer = func(Notification) int {
		if random.IntN(2) == 0 {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	}
	p := plan(t, fmt.Sprintf("- {name: flaky, webhook: {url: %q, private: true}}\n- {name: sound, webhook: {url: %q, private: true}}\n", h.URL, other.URL))
	r := b.run(t, p, partitions)
	var want []string
	var all []topics.Alert
	for n := range each {
		for c := range cameras {
			a := alert(fmt.Sprintf("cam-%d", c), n/2, []topics.AlertState{topics.AlertRaised, topics.AlertCleared}[n%2])
			all, want = append(all, a), append(want, a.EventID())
		}
	}
	b.send(t, all...)
	for range 5 {
		at := len(h.accepted())
		await(t, "progress", func() bool { return len(h.accepted()) >= min(at+20, len(want)) })
		r.stop()
		r = b.run(t, p, partitions)
	}
	for name, h := range map[string]*hook{"flaky": h, "sound": other} {
		await(t, "delivery to "+name, func() bool { return len(unique(h.accepted())) >= len(want) })
		got := unique(h.accepted())
		if len(got) != len(want) {
			t.Errorf("%s: %d events, want %d", name, len(got), len(want))
		}
		for c := range cameras {
			of := func(keys []string) []string {
				return slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return !strings.HasPrefix(k, fmt.Sprintf("fall/cam-%d-", c)) })
			}
			if !slices.Equal(of(got), of(want)) {
				t.Errorf("%s: camera %d in the order %v", name, c, of(got))
			}
		}
		t.Logf("%s: %d deliveries of %d events", name, len(h.accepted()), len(want))
	}
}

// What a receiver accepts while its worker stops is not delivered again by the next.
func TestAnOrderlyStopDeliversNothingTwice(t *testing.T) {
	b, h := startBroker(t, 1), startHook(t)
	asked, answer := make(chan string), make(chan struct{})
	seen := map[string]bool{}
	h.answer = func(n Notification) int {
		if id := n.Events[0].Alert.ID; !seen[id] { // not what an earlier round delivers again
			seen[id] = true
			asked <- id
			<-answer
		}
		return http.StatusOK
	}
	p := plan(t, fmt.Sprintf("- {name: ops, webhook: {url: %q, private: true}}\n", h.URL))
	for n := range 5 { // a machine that is very busy may not commit in time
		r := b.run(t, p, 1)
		b.send(t, alert("ward-1", n, topics.AlertRaised))
		<-asked
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			r.stop()
		}()
		<-r.stopping
		answer <- struct{}{}
		<-stopped
		at, err := b.CommittedOffsets(t.Context(), GroupOf("notify", "ops"), names.Of(topics.Alerts))
		if err != nil {
			t.Fatal(err)
		}
		if at[0] == int64(n+1) {
			return
		}
	}
	t.Error("of five alerts that were accepted while the worker stopped none was committed")
}

// unique are the keys that a receiver which ignores duplicates sees.
func unique(keys []string) (out []string) {
	seen := map[string]bool{}
	for _, k := range keys {
		if !seen[k] {
			out = append(out, k)
		}
		seen[k] = true
	}
	return out
}

func TestAReceiverThatIsDownDelaysNoOther(t *testing.T) {
	b, down, up := startBroker(t, 1), startHook(t), startHook(t)
	down.answer = func(Notification) int { return http.StatusBadGateway }
	r := b.run(t, plan(t, fmt.Sprintf("- {name: down, webhook: {url: %q, private: true}}\n- {name: up, webhook: {url: %q, private: true}}\n", down.URL, up.URL)), 1)
	b.send(t, alert("a", 1, topics.AlertRaised), alert("a", 1, topics.AlertCleared))
	await(t, "delivery", func() bool { return len(up.accepted()) == 2 })
	r.reports.AwaitWarning(t, "receiver down", "502")
}

func TestWhatAReceiverRefusesGoesToTheDeadLetters(t *testing.T) {
	b, h := startBroker(t, 1), startHook(t)
	var asked atomic.Int32
	h.answer = func(n Notification) int {
		if n.Events[0].Alert.Camera == "bad" {
			asked.Add(1)
			return http.StatusUnprocessableEntity
		}
		return http.StatusOK
	}
	b.run(t, plan(t, fmt.Sprintf("- {name: ops, webhook: {url: %q, private: true}}\n", h.URL)), 1)
	b.send(t, alert("bad", 1, topics.AlertRaised), alert("good", 1, topics.AlertRaised))
	await(t, "the next alert", func() bool { return len(h.accepted()) == 1 })
	if n := asked.Load(); n != maxRefused {
		t.Errorf("%d attempts, want %d", n, maxRefused)
	}
}

func TestReceiversAreReplacedWhileRunning(t *testing.T) {
	b, first, second := startBroker(t, 1), startHook(t), startHook(t)
	text := func(h *hook) string { return fmt.Sprintf("- {name: ops, webhook: {url: %q, private: true}}\n", h.URL) }
	r := b.run(t, plan(t, text(first)), 1)
	b.send(t, alert("a", 1, topics.AlertRaised))
	await(t, "delivery", func() bool { return len(first.accepted()) == 1 })
	await(t, "its being committed", func() bool {
		at, err := b.CommittedOffsets(t.Context(), GroupOf("notify", "ops"), names.Of(topics.Alerts))
		return err == nil && at[0] == 1
	})
	r.SetPlan(plan(t, text(second)))
	b.send(t, alert("a", 1, topics.AlertCleared))
	await(t, "delivery to the new address", func() bool { return len(second.accepted()) == 1 })
	if got := second.accepted(); got[0] != "fall/a-1/cleared" {
		t.Errorf("delivered %q", got)
	}
}
