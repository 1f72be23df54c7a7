package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

const (
	// longest is how much of a text a line has, bytes. Names and values of 200 KB can come
	// from Kafka, Redis or a file.
	longest = 2000
	// mostLines of one message are logged in a minute: who may write to Kafka or Redis could
	// fill the disk by what is wrong with it.
	mostLines = 600
	// mostMessages are counted. The messages of lines are constants but for a few.
	mostMessages = 1000
	// audit is the message of lines about who did what, which are never left out.
	audit = "audit"
)

// cut is a text as a line has it.
func cut(text string) string {
	if len(text) <= longest {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:longest], ""), len(text))
}

// short is an attribute with texts that are cut.
func short(a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		if text := a.Value.String(); len(text) > longest {
			a.Value = slog.StringValue(cut(text))
		}
	case slog.KindAny:
		if text := textOf(a.Value.Any()); len(text) > longest {
			a.Value = slog.StringValue(cut(text))
		}
	}
	return a
}

// errLeftOut is that a line was not logged.
var errLeftOut = errors.New("left out: too many such lines")

// calm leaves out lines of a message of which there are too many, and says so in the last one.
type calm struct {
	slog.Handler
	told *told
}

// told is how many lines of each message there were in this minute.
type told struct {
	now func() time.Time

	mu       sync.Mutex
	begun    time.Time
	messages map[string]int
}

func (t *told) count(message string) (lines int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := t.now(); now.Sub(t.begun) >= time.Minute {
		t.begun = now
		clear(t.messages)
	}
	if _, known := t.messages[message]; !known && len(t.messages) >= mostMessages {
		message = "" // all further ones together
	}
	t.messages[message]++
	return t.messages[message]
}

func (c calm) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelInfo && r.Message != audit {
		switch n := c.told.count(r.Message); {
		case n > mostLines:
			return errLeftOut
		case n == mostLines:
			r = r.Clone()
			r.AddAttrs(slog.String("further", "lines like this one are left out for up to a minute"))
		}
	}
	return c.Handler.Handle(ctx, r)
}

func (c calm) WithAttrs(attrs []slog.Attr) slog.Handler {
	return calm{c.Handler.WithAttrs(attrs), c.told}
}

func (c calm) WithGroup(name string) slog.Handler { return calm{c.Handler.WithGroup(name), c.told} }
