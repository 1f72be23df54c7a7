package bus_test

import (
	"bytes"
	"strings"
	"sync"
)

// logs are written by many and read by the test.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// raw is the first text of a library that a user would have to guess at; empty: none.
func raw(text string) string {
	for _, words := range []string{"deadline exceeded", "context canceled", "use of closed", "kafka.(", "EOF", "dial tcp", "i/o timeout", "not a client facing", "broken pipe", "connection reset"} {
		if strings.Contains(text, words) {
			return words
		}
	}
	return ""
}

// has is whether one line has all of these.
func (l *logs) has(want ...string) bool {
	for line := range strings.Lines(l.String()) {
		all := true
		for _, w := range want {
			all = all && strings.Contains(line, w)
		}
		if all {
			return true
		}
	}
	return false
}
