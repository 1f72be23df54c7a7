//go:build !race

package alerts

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Whatever the rules and the stream, and wherever workers stop and the next ones
// begin, within the alerts of one clip too, the same alerts are published, each once.
func TestAnySplitOfAStreamGivesTheSameAlerts(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 16))
		// A minute of clips, which is looked at in any case, has those that are sent again.
		again := seed%2 == 1
		look := map[bool]int{false: 1, true: 60}[again]
		rules, stream := anyRules(t, r), anyStream(r, again)
		var want, got []string
		whole := NewEngine(rules, time.Minute)
		for _, rec := range stream {
			for _, a := range whole.Evaluate(rec) {
				want = append(want, told(a))
			}
		}
		var published []topics.Alert
		for committed, ended := 0, false; !ended; {
			e := takeOver(t, rules, published, stream[:committed], look)
			until := min(committed+1+r.IntN(30), len(stream))
			for i, rec := range stream[committed:until] {
				alerts := e.Evaluate(rec)
				last := i == until-committed-1
				if last && until < len(stream) {
					alerts = alerts[:r.IntN(len(alerts)+1)] // it dies before it has sent all
				}
				for _, a := range alerts {
					published, got = append(published, a), append(got, told(a))
				}
			}
			if ended = until == len(stream); until > committed+1 {
				committed = until - 1 - r.IntN(min(5, until-committed-1))
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: %s", seed, firstDifference(got, want))
		}
	}
}

// What one camera sends changes nothing for another, and so neither does the order in
// which the records of different cameras are read.
func TestTheOrderAcrossCamerasDoesNotMatter(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 17))
		rules, stream := anyRules(t, r), anyStream(r, true)
		want := alertsByCamera(NewEngine(rules, time.Minute), stream)
		queues := map[string][]topics.Recognition{}
		for _, rec := range stream {
			queues[rec.Camera] = append(queues[rec.Camera], rec)
		}
		var mixed []topics.Recognition
		for names := []string{"attic", "lobby", "ward-1"}; len(mixed) < len(stream); {
			name := names[r.IntN(len(names))]
			n := min(1+r.IntN(40), len(queues[name]))
			mixed, queues[name] = append(mixed, queues[name][:n]...), queues[name][n:]
		}
		got := alertsByCamera(NewEngine(rules, time.Minute), mixed)
		for camera, alerts := range want {
			if !slices.Equal(got[camera], alerts) {
				t.Fatalf("seed %d, %s: %s", seed, camera, firstDifference(got[camera], alerts))
			}
		}
	}
}
