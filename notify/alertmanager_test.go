package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/topics"
)

// startAlertmanager starts a real one, without its cluster, and returns its URL.
func startAlertmanager(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(file, []byte("route: {receiver: none}\nreceivers: [{name: none}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", redistest.FreePort(t))
	startServer(t, "prometheus-alertmanager", "--config.file="+file, "--storage.path="+dir, "--web.listen-address="+address, "--cluster.listen-address=")
	url := "http://" + address
	await(t, "Alertmanager", func() bool {
		resp, err := http.Get(url + "/-/ready")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return url
}

// startServer runs a program until the test ends or kill is called.
func startServer(t *testing.T, name string, args ...string) (kill func()) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		name = filepath.Join("/usr/sbin", name) // which is not in everybody's PATH
	}
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, name, args...)
	said := &tail{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v: deploy/setup.sh test installs it", name, err)
	}
	kill = sync.OnceFunc(func() {
		stop()
		_ = cmd.Wait() // it is killed
		if t.Failed() {
			t.Logf("%s: %s", name, said)
		}
	})
	t.Cleanup(kill)
	return kill
}

// shown are the alerts that an Alertmanager has as active, by name, camera and severity.
func shown(t *testing.T, url string) (names string, all []posted) {
	t.Helper()
	resp, err := http.Get(url + "/api/v2/alerts?active=true")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(body, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		names += fmt.Sprint(" ", a.Labels["alertname"], "/", a.Labels["camera"], "/", a.Labels["severity"])
	}
	return strings.TrimSpace(names), all
}

// list puts an alert into the table of open alerts, or takes it out.
func (b broker) list(t *testing.T, a topics.Alert) {
	t.Helper()
	m := bus.Message{Topic: names.Of(topics.OpenAlerts), Key: []byte(a.OpenKey()), PartitionBy: []byte(a.Key())}
	if a.State != topics.AlertCleared {
		a.State = topics.AlertRaised
		var err error
		if m.Value, err = topics.EncodeAlert(a); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

// now are alerts whose times are about now, as Alertmanager's are.
func now(a topics.Alert) topics.Alert {
	a.Onset, a.At = time.Now().Add(-time.Minute).UTC(), time.Now().UTC()
	return a
}

func TestAlertmanagerHasWhatIsOpen(t *testing.T) {
	b, url := startBroker(t, 2), startAlertmanager(t)
	// Resent each 300 ms, an alert is over 1.2 s after the last.
	p := plan(t, fmt.Sprintf("- {name: ops, alertmanager: {url: %q, private: true, resend: 300ms, labels: {site: north}}, when: {severity: warning}}", url))
	r := b.run(t, p, 2)
	fall, info := now(alert("ward-1", 1, topics.AlertRaised)), now(alert("ward-2", 1, topics.AlertRaised))
	info.Severity = "info"
	for _, a := range []topics.Alert{fall, info} {
		b.send(t, a)
		b.list(t, a)
	}
	is := func(want string) func() bool {
		return func() bool { names, _ := shown(t, url); return names == want }
	}
	await(t, "the alert", is("fall/ward-1/warning"))
	_, all := shown(t, url)
	if got := all[0]; got.Labels["site"] != "north" || got.Annotations["label"] != "person falling down" || got.Annotations["value"] != "0.930" ||
		!strings.HasPrefix(got.Annotations["summary"], "ward-1: person falling down, since ") || got.StartsAt.Sub(fall.Onset).Abs() > time.Second {
		t.Errorf("shown %+v", got)
	}
	await(t, "resends", func() bool {
		names, later := shown(t, url)
		return names == "fall/ward-1/warning" && later[0].EndsAt.Sub(all[0].EndsAt) > 2*time.Second
	})

	fall.State, fall.Severity = topics.AlertEscalated, "critical"
	b.send(t, fall)
	b.list(t, fall)
	await(t, "the escalation", is("fall/ward-1/critical"))

	// A new worker goes on with it, and an end that comes before the table follows is an end.
	r.stop()
	await(t, "its end without resends", is(""))
	b.run(t, p, 2)
	await(t, "what is open", is("fall/ward-1/critical"))
	cleared := fall
	cleared.State, cleared.At, cleared.Label = topics.AlertCleared, time.Now().UTC(), "person lying"
	b.send(t, cleared)
	await(t, "the end", is(""))
	for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if names, _ := shown(t, url); names != "" {
			t.Fatalf("shown again: %s", names)
		}
	}
	b.list(t, cleared)
}

// An Alertmanager that is down is reported, and gets what happened once it is back.
func TestAlertmanagerThatIsDown(t *testing.T) {
	b, h := startBroker(t, 1), startHook(t)
	p := plan(t, fmt.Sprintf("- {name: down, alertmanager: {url: 'http://user:s3cret@127.0.0.1:1', private: true, resend: 100ms}}\n- {name: up, webhook: {url: %q, private: true}}", h.URL))
	r := b.run(t, p, 1)
	a := now(alert("ward-1", 1, topics.AlertRaised))
	b.list(t, a)
	b.send(t, a)
	await(t, "delivery to the other", func() bool { return len(h.accepted()) == 1 })
	r.reports.AwaitWarning(t, "receiver down", "connection refused")
	r.reports.AwaitWarning(t, "receiver down, what is open", "connection refused")
	if text := fmt.Sprint(r.reports.WarningOf("receiver down"), r.reports.WarningOf("receiver down, what is open")); strings.Contains(text, "s3cret") {
		t.Errorf("it shows the password: %s", text)
	}
}

func TestAlertmanagerIsTried(t *testing.T) {
	url := startAlertmanager(t)
	text := fmt.Sprintf("- {name: ops, alertmanager: {url: %q, private: true}}", url)
	if err := plan(t, text).Test(t.Context(), "ops", time.Now()); err != nil {
		t.Fatal(err)
	}
	if names, _ := shown(t, url); names != "test/test/info" {
		t.Errorf("shown %q", names)
	}
	if err := send(t, strings.Replace(text, "private: true", "private: false", 1)); err == nil || !strings.Contains(err.Error(), errPrivate.Error()) {
		t.Errorf("%v, want the private address refused", err)
	}
}
