// Package stagetest holds what the tests of several stages need: waiting for a
// condition, a log that can be searched, a Reporter that records, counted metrics, a
// server of connections, and a certificate.
package stagetest

import (
	"testing"
	"time"
)

// Patience is how long tests wait for what takes a second or two on an idle
// machine.
const Patience = time.Minute

// Await waits until a condition holds and fails the test if it does not within
// Patience. what completes "waited in vain for".
func Await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	const longest = 50 * time.Millisecond // some conditions read a whole topic
	deadline := time.Now().Add(Patience)
	for pause := time.Millisecond; !holds(); pause = min(2*pause, longest) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(pause)
	}
}
