package up

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// A camera's new state is shown once. Further attempts to connect are not shown,
// nor that it stops because `up` does. No control character of a record reaches the
// terminal.
func TestStatusLines(t *testing.T) {
	var out strings.Builder
	u := &up{Options: Options{Out: &out}, shown: map[string]shownStatus{}}
	ending, end := context.WithCancel(t.Context())
	show := func(camera string, state topics.StreamState, reason string) {
		t.Helper()
		value, err := topics.EncodeStatus(topics.StreamStatus{Camera: camera, State: state, Reason: reason, Since: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if err := u.printStatus(ending, value); err != nil {
			t.Fatal(err)
		}
	}
	show("a", topics.StreamConnecting, "")
	show("a", topics.StreamStreaming, "")
	show("a", topics.StreamStreaming, "")
	for range 3 {
		show("b", topics.StreamConnecting, "")
		show("b", topics.StreamWaiting, "connection refused")
	}
	show("b", topics.StreamWaiting, "wrong\x1b[2J password")
	show("b", topics.StreamStreaming, "")
	show("b", topics.StreamWaiting, "connection refused")
	if err := u.printStatus(ending, []byte("no status")); err != nil {
		t.Fatal(err)
	}
	end()
	show("a", topics.StreamStopped, "its worker has given it up")
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(line)[2:], " "))
	}
	want := "a streaming|b waiting connection refused|b waiting wrong [2J password|b streaming|b waiting connection refused"
	if strings.Join(got, "|") != want || strings.Contains(out.String(), "\x1b") {
		t.Errorf("got\n%s", out.String())
	}
}

// A clear without a score invents none.
func TestAlertLines(t *testing.T) {
	a := topics.Alert{State: topics.AlertRaised, Rule: "fall", Severity: "critical", Camera: "lobby", Label: "falling down", Score: .913, Novel: true, NearestBase: "lying"}
	cleared := a
	cleared.State, cleared.Score, cleared.Reason = topics.AlertCleared, 0, "the rule was\x1b[2J removed"
	absent := a
	absent.Label, absent.Absent, absent.Score, absent.Novel, absent.Reason = "nurse visiting", true, .1, false, "not seen for 2h"
	escalated := a
	escalated.State, escalated.Severity, escalated.Score, escalated.Reason = topics.AlertEscalated, "critical", .5, "open for 6s"
	for want, a := range map[string]topics.Alert{
		`higher lobby fall critical "falling down" 0.50 novel, nearest "lying" (open for 6s)`:          escalated,
		`ALERT lobby fall critical no "nurse visiting" - known (not seen for 2h)`:                      absent,
		`ALERT lobby fall critical "falling down" 0.91 novel, nearest "lying"`:                         a,
		`clear lobby fall critical "falling down" - novel, nearest "lying" (the rule was [2J removed)`: cleared,
	} {
		if got := strings.Join(strings.Fields(alertLine(a))[1:], " "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestTheBannerSaysWhoseCamerasAreWatched(t *testing.T) {
	two := []topics.Camera{{Name: "a"}, {Name: "b"}}
	one := config.Config{Cameras: []config.Camera{{Name: "c"}}}
	for want, c := range map[string]struct {
		up     *up
		people edited
	}{
		"2 cameras of the demo and 4 cameras added by people":                           {&up{cameras: two}, edited{added: 4}},
		"1 camera of the demo (1 removed by people)":                                    {&up{cameras: two}, edited{ownRemoved: 1}},
		"1 camera of p.yaml in place of the demo's and 1 camera added by people":        {&up{cfg: one, cfgPath: "p.yaml"}, edited{added: 1}},
		"0 cameras of p.yaml in place of the demo's (1 removed by people)":              {&up{cfg: one, cfgPath: "p.yaml"}, edited{fileRemoved: 1}},
		"2 cameras named by flags and 1 camera of p.yaml and 4 cameras added by people": {&up{Options: Options{Cameras: []string{"a=x", "b=y"}}, cameras: two, cfg: one, cfgPath: "p.yaml"}, edited{added: 4}},
	} {
		if got := c.up.watched(c.people); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestOneCameraIsNoPlural(t *testing.T) {
	if got := countedCameras(1) + ", " + countedCameras(0) + ", " + countedCameras(2); got != "1 camera, 0 cameras, 2 cameras" {
		t.Error(got)
	}
}
