package process

import (
	"errors"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

func TestIncidentsAreListedForAWhile(t *testing.T) {
	r := newReporter()
	now := time.Date(2026, 3, 1, 22, 15, 3, 0, time.UTC)
	r.now = func() time.Time { return now }
	changed := r.changes()
	expect := func(want string, tokens int) {
		t.Helper()
		if got := r.look().Warnings["dead letters"]; got != want {
			t.Errorf("listed is %q, want %q", got, want)
		}
		if len(changed) != tokens {
			t.Errorf("%d changes, want %d", len(changed), tokens)
		}
		for range len(changed) {
			<-changed
		}
	}
	expect("", 0)
	r.Incident("dead letters", errors.New("a"))
	expect("a", 1)
	now = now.Add(telemetry.IncidentTime)
	r.Incident("dead letters", errors.New("b"))
	r.Incident("dead letters", errors.New("c"))
	expect("c (the newest of 3 since 22:15:03 UTC)", 0)
	now = now.Add(telemetry.IncidentTime + 1)
	expect("", 0)
	r.Incident("dead letters", errors.New("d"))
	expect("d", 1)
}
