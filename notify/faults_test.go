package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// The disk under the broker fills while a receiver catches up, and has space again: what was
// on the topic is delivered, in order and once by key, and committed, and so is what could
// not be written meanwhile.
func TestTheBrokersDiskFills(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=16m"); err != nil {
		if errors.Is(err, syscall.EPERM) {
			shared.Missing(t, "the right to mount a tmpfs")
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	b, h := startBrokerIn(t, filepath.Join(disk, "kafka"), 1), startHook(t)
	var down atomic.Bool
	h.answer = func(Notification) int {
		if down.Load() {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	}
	down.Store(true)
	r := b.run(t, plan(t, fmt.Sprintf("- {name: ops, webhook: {url: %q, private: true}}\n", h.URL)), 1)
	var all []topics.Alert
	var want []string
	for n := range 20 {
		a := alert("ward-1", n, topics.AlertRaised)
		all, want = append(all, a), append(want, a.EventID())
	}
	b.send(t, all...)
	r.reports.AwaitWarning(t, "receiver ops", "503")

	filler := fillDisk(t, disk)
	down.Store(false)
	await(t, "delivery on a full disk", func() bool { return len(h.accepted()) >= 1 })
	late := alert("ward-1", 20, topics.AlertRaised)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		b.send(t, late)
	}()
	select {
	case <-sent:
		t.Error("a full disk has taken an alert")
	case <-time.After(time.Second):
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	<-sent
	want = append(want, late.EventID())
	await(t, "delivery of all", func() bool { return len(unique(h.accepted())) == len(want) })
	await(t, "its being committed", func() bool {
		at, err := b.CommittedOffsets(t.Context(), GroupOf("notify", "ops"), names.Of(topics.Alerts))
		return err == nil && at[0] == int64(len(want))
	})
	if got := unique(h.accepted()); !slices.Equal(got, want) {
		t.Errorf("delivered %q", got)
	}
	t.Logf("%d deliveries of %d events", len(h.accepted()), len(want))
}

// fillDisk leaves nothing of a disk.
func fillDisk(t *testing.T, disk string) (file string) {
	t.Helper()
	file = filepath.Join(disk, "filler")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// faulty is an Alertmanager that answers as it is told, and records what it accepts.
type faulty struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc // nil: 200
	got    []posted
	asked  int
}

func startFaulty(t *testing.T) *faulty {
	f := &faulty{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var all []posted
		err := json.NewDecoder(r.Body).Decode(&all)
		f.mu.Lock()
		f.asked++
		answer := f.answer
		if answer == nil && err == nil {
			f.got = append(f.got, all...)
		}
		f.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *faulty) answers(how http.HandlerFunc) (asked int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = how
	return f.asked
}

// of are the posts on an alert that were accepted.
func (f *faulty) of(alert string) (all []posted) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.got {
		if p.Annotations["alert_id"] == alert {
			all = append(all, p)
		}
	}
	return all
}

// Whatever an Alertmanager answers but a refusal is tried again, with the reason in the
// status, until it has the alert, which then ends there; what it refuses is given up, to the
// dead letters, and what comes after it is not.
func TestAlertmanagerAnswers(t *testing.T) {
	b, am := startBroker(t, 1), startFaulty(t)
	r := b.run(t, plan(t, fmt.Sprintf("- {name: am, alertmanager: {url: %q, private: true, timeout: 300ms, resend: 1h}}", am.URL)), 1)
	over := make(chan struct{})
	defer close(over)
	code := func(n int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not \x1b[31mnow", n) }
	}
	for i, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"401", code(401), "answered 401: not"},
		{"404", code(404), "answered 404: not"},
		{"429", code(429), "answered 429: not"},
		{"500", code(500), "answered 500: not"},
		{"503", code(503), "answered 503: not"},
		{"it hangs", func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-over:
			case <-r.Context().Done():
			}
		}, "no answer in time"},
		{"it hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		{"a refusal of gigabytes", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			for block := make([]byte, 1<<20); ; {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}, "answered 502"},
		{"byte by byte", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			for {
				select {
				case <-r.Context().Done():
					return
				case <-time.After(50 * time.Millisecond):
					_, _ = io.WriteString(w, "x")
					_ = http.NewResponseController(w).Flush()
				}
			}
		}, "answered 503"},
	} {
		a := now(alert("ward-1", i, topics.AlertRaised))
		am.answers(c.answer)
		b.send(t, a)
		r.reports.AwaitWarning(t, "receiver am", c.want)
		if text := r.reports.WarningOf("receiver am").Error(); strings.Contains(text, "\x1b") || len(text) > 1000 {
			t.Errorf("%s: the warning is %.200q", c.name, text)
		}
		am.answers(nil)
		cleared := a
		cleared.State, cleared.At = topics.AlertCleared, time.Now().UTC()
		b.send(t, cleared)
		await(t, c.name+": the alert and its end", func() bool { return len(am.of(a.ID)) >= 2 })
		all := am.of(a.ID)
		if first, last := all[0], all[len(all)-1]; !first.EndsAt.After(time.Now().Add(time.Hour)) || last.EndsAt.After(time.Now()) {
			t.Errorf("%s: it was open until %v and then until %v", c.name, first.EndsAt, last.EndsAt)
		}
	}

	for _, refusal := range []int{400, 413, 422} {
		bad, good := now(alert("ward-1", refusal, topics.AlertRaised)), now(alert("ward-2", refusal, topics.AlertRaised))
		begun := am.answers(code(refusal))
		b.send(t, bad)
		await(t, fmt.Sprint(refusal, " three times"), func() bool { return am.answers(code(refusal)) >= begun+maxRefused })
		am.answers(nil)
		b.send(t, good)
		await(t, "the next alert", func() bool { return len(am.of(good.ID)) == 1 })
		if got := am.of(bad.ID); len(got) > 1 { // the third refusal may have been on its way
			t.Errorf("%d: what was refused was accepted %d times", refusal, len(got))
		}
	}
}

// A receiver that is removed while it is owed something is reported at once; put back, it gets
// what it was owed. Its kind may change meanwhile: what was delivered stays so.
func TestReceiversInAStorm(t *testing.T) {
	b, first, second, other := startBroker(t, 2), startHook(t), startHook(t), startHook(t)
	first.answer = func(Notification) int {
		if len(first.got) >= 10 {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	}
	list := filepath.Join(t.TempDir(), "list")
	webhook := func(name string, h *hook) string {
		return fmt.Sprintf("- {name: %s, webhook: {url: %q, private: true}}\n", name, h.URL)
	}
	command := fmt.Sprintf("- {name: ops, command: {run: [sh, -c, 'body=$(cat); echo \"$body\" >> %s']}}\n", list)
	r := b.run(t, plan(t, webhook("ops", first)+webhook("other", other)), 2)
	var all []topics.Alert
	var want []string
	for n := range 40 {
		a := alert(fmt.Sprint("ward-", n%4), n, topics.AlertRaised)
		all, want = append(all, a), append(want, a.EventID())
	}
	b.send(t, all[:30]...)
	await(t, "ten deliveries", func() bool { return len(first.accepted()) == 10 })
	r.reports.AwaitWarning(t, "receiver ops", "503")

	r.SetPlan(plan(t, webhook("renamed", second)+webhook("other", other)))
	r.reports.AwaitWarning(t, "receiver ops", "records of alerts had been dealt with: what it should have got of them is delivered only if a receiver of the same name is back within its keep, 24h")
	r.awaitHeld(t, plan(t, webhook("renamed", second)), 2)
	b.send(t, all[30:35]...)
	await(t, "delivery to the new name", func() bool { return len(second.accepted()) == 5 })

	r.SetPlan(plan(t, command+webhook("other", other))) // the old name, of another kind
	b.send(t, all[35:]...)
	owed := func() (keys []string) {
		text, _ := os.ReadFile(list)
		for line := range strings.Lines(string(text)) {
			var n Notification
			if json.Unmarshal([]byte(line), &n) == nil && n.Receiver != "" {
				for _, e := range n.Events {
					keys = append(keys, e.Key)
				}
			}
		}
		return keys
	}
	await(t, "what the old name was owed", func() bool { return len(unique(append(first.accepted(), owed()...))) == len(want) })
	await(t, "the other's", func() bool { return len(unique(other.accepted())) == len(want) })
	got := unique(append(first.accepted(), owed()...))
	for camera := range 4 {
		of := func(keys []string) []string {
			return slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return !strings.HasPrefix(k, fmt.Sprintf("fall/ward-%d-", camera)) })
		}
		if !slices.Equal(of(got), of(want)) {
			t.Errorf("camera %d: %q", camera, of(got))
		}
	}
	t.Logf("%d deliveries of %d events", len(first.accepted())+len(owed()), len(want))
}
