package commands

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/topics"
)

// What a second opinion said of an alert is shown with it.
func TestAlertsShowVerdicts(t *testing.T) {
	s := onBroker(t)
	a, other := raised("ward", time.Hour, .8), raised("hall", 2*time.Hour, .3)
	s.alert(t, a)
	s.alert(t, other)
	if out, _ := s.run(t, "alerts", "ls"); strings.Contains(out, "VERDICT") {
		t.Errorf("nobody was asked: %s", out)
	}
	v := topics.Verdict{Alert: a.ID, Camera: a.Camera, Rule: a.Rule, Says: topics.SaysNo, Reason: "a person kneels", Question: "Is a person on the floor?", Model: "eyes-7b", Seconds: 1.52, At: a.At}
	value, err := topics.EncodeVerdict(v)
	if err != nil {
		t.Fatal(err)
	}
	s.send(t, topics.Verdicts, a.ID, value, a.At)
	s.send(t, topics.Verdicts, other.ID, []byte(`{"verdict": "\u001b"}`), a.At) // not by us
	listed, _ := s.run(t, "alerts", "ls")
	for id, want := range map[string]string{a.ID: "0.80 no - ", other.ID: "0.30 - - "} {
		if line := row(listed, id); !strings.HasSuffix(line, want+id) {
			t.Errorf("ls: %s, want %s", line, want)
		}
	}
	shown, _ := s.run(t, "alerts", "show", a.ID)
	for _, want := range []string{"opinion no, a person kneels (eyes-7b, 1.5 s)", "asked Is a person on the floor?"} {
		if line := row(shown, want[:5]); line != want {
			t.Errorf("show: %s, want %s", line, want)
		}
	}
	var view alertlog.View
	asJSON, _ := s.run(t, "alerts", "ls", "--json", "--camera", "ward")
	if err := json.Unmarshal([]byte(asJSON), &view); err != nil || view.ID != a.ID || view.Verdict == nil || *view.Verdict != v {
		t.Errorf("ls --json: %v, %s", err, asJSON)
	}
}

// Whoever configures a model can try it, and sees what is wrong with it.
func TestNotifyTestVerify(t *testing.T) {
	answer := `{\"verdict\": \"yes\", \"reason\": \"a red square on grey\"}`
	eyes := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"choices": [{"message": {"content": "%s"}}]}`, answer)
	}))
	defer eyes.Close()
	s := onBroker(t)
	before := readFile(t, s.file)
	for _, c := range []struct{ keys, answer, want string }{
		{"private: true", answer, "eyes-7b has answered as it should after 0."},
		{"private: true", `{\"verdict\": \"no\", \"reason\": \"nothing\"}`, "it says no (nothing): does it take pictures?"},
		{"private: true", "Sure!", "it has not answered as it was asked to: Sure!"},
		{"", answer, "a private or local address: set private: true if that is meant"},
		{"on_no: drop", answer, `on_no: "drop": want tell or hold`},
	} {
		answer = c.answer
		write(t, s.file, before+fmt.Sprintf("notify: {verify: {url: %q, model: eyes-7b, %s}}\n", eyes.URL, c.keys))
		if out, ok := s.run(t, "notify", "test", "--verify"); !strings.Contains(out, c.want) || ok != strings.Contains(c.want, "as it should") {
			t.Errorf("%q, %s: %v, %s", c.keys, c.answer, ok, out)
		}
	}
	write(t, s.file, before)
	if out, ok := s.run(t, "notify", "test", "--verify"); ok || !strings.Contains(out, "notify.verify of the configuration is empty") {
		t.Errorf("without a model: %s", out)
	}
}
