package embedded_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
)

// Bytes may also change under a broker that runs: nobody can read that batch any
// more, and what follows it must be read.
func TestABatchThatRotsIsPassedOver(t *testing.T) {
	for _, tt := range []struct {
		name string
		at   int // byte of the second batch, which is of five records
	}{
		{"a byte of a record", 70},
		{"a longer length", 10},
		{"a shorter length", 11},
		{"a negative length", 8},
		{"the offset", 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			b := started(t, dir, quiet())
			var said bytes.Buffer
			c := connect(t, b.Addr(), slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelError})))
			if err := c.Ensure(within(t, time.Minute), []bus.TopicSpec{table}); err != nil {
				t.Fatal(err)
			}
			send(t, c, 0, 1)
			var five []bus.Message
			for i := range 5 {
				five = append(five, bus.Message{Topic: table.Name, Key: keyOf0, PartitionBy: keyOf0, Value: fmt.Append(nil, i+1)})
			}
			if _, err := c.Send(within(t, time.Minute), five...); err != nil {
				t.Fatal(err)
			}
			rot(t, logOf(t, dir), tt.at)
			if got := values(t, c); !slices.Equal(got, []int{0}) {
				t.Errorf("read %v, want the record before it", got)
			}
			send(t, c, 6, 8)
			if got := values(t, c); !slices.Equal(got, []int{0, 6, 7}) {
				t.Errorf("read %v, want the records around it", got)
			}
			if !strings.Contains(said.String(), "topic=table") || !strings.Contains(said.String(), "from=1") {
				t.Errorf("logged %q, want what is lost", said.String())
			}
			if lines := strings.Count(said.String(), "\n"); lines > 20 {
				t.Errorf("logged %d lines", lines)
			}
		})
	}
}

// rot flips a bit of the second batch of a log that is in use.
func rot(t *testing.T, path string, at int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	p := batchesOf(text)[1] + at
	bit := byte(0x40)
	if at == 8 {
		bit = 0x80
	}
	if _, err := f.WriteAt([]byte{text[p] ^ bit}, int64(p)); err != nil {
		t.Fatal(err)
	}
}

// Where the broker itself can't read on, the records count as waiting: a stage that
// gets none of them is not ready.
func TestAPartitionThatCannotBeReadIsBehind(t *testing.T) {
	dir := t.TempDir()
	b := started(t, dir, quiet())
	c := connect(t, b.Addr(), quiet())
	one := bus.TopicSpec{Name: table.Name, Partitions: 1, Replication: 1}
	if err := c.Ensure(within(t, time.Minute), []bus.TopicSpec{one}); err != nil {
		t.Fatal(err)
	}
	send(t, c, 0, 1)
	ctx, leave := context.WithCancel(within(t, time.Minute))
	defer leave()
	err := c.Consume(ctx, bus.GroupOptions{Group: "g", Topic: table.Name, StartFirst: true}, func(ctx context.Context, p *bus.Partition) error {
		if _, err := p.Fetch(ctx); err != nil {
			return err
		}
		if err := os.Truncate(logOf(t, dir), 20); err != nil {
			return err
		}
		send(t, c, 1, 2)
		fetched := make(chan struct{})
		go func() { defer close(fetched); _, _ = p.Fetch(ctx) }()
		eventually(t, "the record that waits", func() bool { return p.Lag() == 1 })
		leave()
		<-fetched
		return ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}
