package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
)

// A folder stays below its bound: it is said before that is reached, then the oldest files
// of the topic that gives first are deleted, and of the next only where that is not enough.
// What is left can be read, and the offsets go on.
func TestAFolderStaysBelowItsBound(t *testing.T) {
	const most, megabyte = 140 << 20, 1 << 20
	folder := t.TempDir()
	b, err := embedded.StartBroker(embedded.BrokerOptions{
		Dir: filepath.Join(folder, "kafka"), Housekeeping: 20 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
		Bound: embedded.Bound{Folder: folder, Most: most, Gives: []string{"clips", "actions"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c, err := bus.New(bus.Options{Brokers: []string{b.Addr()}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	large := map[string]string{"max.message.bytes": "4194304"}
	specs := []bus.TopicSpec{{Name: "clips", Partitions: 2, Replication: 1, Config: large}, {Name: "actions", Partitions: 1, Replication: 1, Config: large}}
	if err := c.Ensure(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	h := &heard{}
	go func() { _ = b.WatchDisk(ctx, h, 10*time.Millisecond) }()
	said := func(want string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if _, warning := h.now(); strings.Contains(warning, want) {
				return
			}
			if time.Now().After(end) {
				_, warning := h.now()
				t.Fatalf("waited for %q, said is %q", want, warning)
			}
		}
	}
	send := func(topic string, megabytes int) {
		t.Helper()
		for range megabytes {
			if _, err := c.Send(t.Context(), bus.Message{Topic: topic, Key: []byte("door"), Value: make([]byte, megabyte)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	first := func(topic string) int64 {
		t.Helper()
		for partition := range 2 {
			from, to, err := c.Bounds(t.Context(), topic, partition)
			if err == nil && to > 0 {
				return from
			}
		}
		t.Fatalf("%s has no records", topic)
		return 0
	}
	send("actions", 40)
	send("clips", 82)
	said("MB of the 146.8 MB that --size allows: when it is full, the oldest records of clips make room first")
	if first("clips") != 0 {
		t.Error("clips made room before the folder was full")
	}
	send("clips", 60)
	said("is as large as --size allows (146.8 MB): raise it to keep more; of clips what is older than")
	if first("clips") == 0 || first("actions") != 0 {
		t.Errorf("clips begin at %d, actions at %d", first("clips"), first("actions"))
	}
	if size := embedded.SizeOf(folder); size > most {
		t.Errorf("the folder takes %d of %d bytes", size, most)
	}
	if err := os.WriteFile(filepath.Join(folder, "archive"), make([]byte, 100<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	said("of actions what is older than")
	if first("actions") == 0 {
		t.Error("actions begin at 0")
	}
	if err := os.WriteFile(filepath.Join(folder, "archive"), make([]byte, most), 0o600); err != nil {
		t.Fatal(err)
	}
	said("nothing more can make room: raise it, or lower archive.retention.size")
	send("clips", 1)
	var read int64
	from := first("clips")
	for partition := range 2 {
		_, to, err := c.Bounds(t.Context(), "clips", partition)
		if err != nil || to == 0 {
			continue
		}
		err = c.Replay(t.Context(), "clips", partition, from, to, func(m bus.Message) error {
			if read++; len(m.Value) != megabyte {
				return fmt.Errorf("offset %d has %d bytes", m.Offset, len(m.Value))
			}
			return nil
		})
		if err != nil || to != 143 || read != to-from {
			t.Errorf("%d records from %d to %d: %v", read, from, to, err)
		}
	}
}

// awaitSaid waits for a warning.
func awaitSaid(t *testing.T, b *embedded.Broker, want string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	h := &heard{}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = b.WatchDisk(ctx, h, 10*time.Millisecond)
	}()
	defer func() { stop(); <-ended }()
	for end := time.Now().Add(40 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		_, warning := h.now()
		if strings.Contains(warning, want) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited for %q, said is %q", want, warning)
		}
	}
}

func boundTo(t *testing.T, folder string, most int64) *embedded.Broker {
	t.Helper()
	b, err := embedded.StartBroker(embedded.BrokerOptions{
		Dir: filepath.Join(folder, "kafka"), Logger: slog.New(slog.DiscardHandler), Bound: embedded.Bound{Folder: folder, Most: most, Gives: []string{"clips"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// A bound that the disk can't give is said at once.
func TestABoundBeyondTheDisk(t *testing.T) {
	b := boundTo(t, smallDisk(t), 9<<20)
	awaitSaid(t, b, "and its disk has room for 8.")
	if n := b.Data(); n <= 0 || n > 1<<20 {
		t.Errorf("the folder takes %d bytes", n)
	}
}

// A folder that is close to its bound is looked at long before the next minute.
func TestAFolderThatIsCloseIsLookedAt(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "archive")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, 80e6)); err != nil {
		t.Fatal(err)
	}
	b := boundTo(t, folder, 100e6)
	for end := time.Now().Add(20 * time.Second); b.Data() < 80e6; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it takes %d bytes", b.Data())
		}
	}
	if err := os.Truncate(file, 90e6); err != nil {
		t.Fatal(err)
	}
	awaitSaid(t, b, "when it is full, the oldest records of clips make room first")
}

// A data directory may be a link to another disk.
func TestTheSizeOfALinkedFolder(t *testing.T) {
	dir := t.TempDir()
	there, link := filepath.Join(dir, "there"), filepath.Join(dir, "link")
	if err := errors.Join(os.Mkdir(there, 0o700), os.WriteFile(filepath.Join(there, "file"), make([]byte, 5000), 0o600), os.Symlink(there, link)); err != nil {
		t.Fatal(err)
	}
	if n := embedded.SizeOf(link); n != 5000 {
		t.Errorf("%d bytes, want 5000", n)
	}
}
