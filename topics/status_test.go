package topics

import "testing"

// What is wrong with both streams of a camera is said once.
func TestWhyOfTwoStreams(t *testing.T) {
	dead := &MainStream{State: StreamWaiting, Reason: "connection refused"}
	for want, s := range map[string]StreamStatus{
		"":                   {State: StreamStreaming, Main: &MainStream{State: StreamStreaming}},
		"connection refused": {State: StreamWaiting, Reason: "connection refused"},
		"no films of its alerts: the main stream: connection refused":            {State: StreamStreaming, Main: dead},
		"connection refused; no films of its alerts either":                      {State: StreamWaiting, Reason: "connection refused", Main: dead},
		"no answer; no films of its alerts: the main stream: connection refused": {State: StreamWaiting, Reason: "no answer", Main: dead},
	} {
		if got := s.Why(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
