package stagetest

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// Log records what is logged, by any number of goroutines. The zero value is
// ready for use.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Logger writes to the log as text, from the level "info" on.
func (l *Log) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// Write appends to the log.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

// String is all that was logged.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Contains reports whether text was logged.
func (l *Log) Contains(text string) bool { return strings.Contains(l.String(), text) }

// Count is how often text was logged.
func (l *Log) Count(text string) int { return strings.Count(l.String(), text) }
