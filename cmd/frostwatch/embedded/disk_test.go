package embedded_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// heard is a Reporter that keeps the newest problem and warning.
type heard struct {
	telemetry.Quiet
	mu               sync.Mutex
	problem, warning error
}

func (h *heard) Problem(_ string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.problem = err
}

func (h *heard) Warning(_ string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.warning = err
}

func (h *heard) now() (problem, warning string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	text := func(err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	return text(h.problem), text(h.warning)
}

// smallDisk is a directory on a disk of 8 MB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		if errors.Is(err, syscall.EPERM) {
			shared.Missing(t, "the right to mount a tmpfs")
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill leaves so many bytes of the disk free, in a file that can be removed.
func fill(t *testing.T, dir string, left int64) (file string) {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "filler")
	if err := os.WriteFile(file, make([]byte, int64(s.Bavail)*s.Bsize-left), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// A full disk is reported with what to do, ends nothing, loses nothing that was
// acknowledged, and the broker goes on by itself once there is space.
func TestAFullDisk(t *testing.T) {
	dir := smallDisk(t)
	data := filepath.Join(dir, "kafka")
	b := started(t, data, quiet())
	c := connect(t, b.Addr(), quiet())
	if err := c.Ensure(within(t, time.Minute), []bus.TopicSpec{table}); err != nil {
		t.Fatal(err)
	}
	send(t, c, 0, 3)
	var h heard
	ctx, stop := context.WithCancel(within(t, time.Minute))
	watched := make(chan error, 1)
	go func() { watched <- b.WatchDisk(ctx, &h, 10*time.Millisecond) }()
	defer func() {
		stop()
		if err := <-watched; err != nil {
			t.Error(err)
		}
	}()

	filler := fill(t, dir, 300<<10) // of 400 KB, a twentieth
	eventually(t, "a warning of a disk that is nearly full", func() bool {
		problem, warning := h.now()
		return problem == "" && strings.Contains(warning, data) && strings.Contains(warning, "has 3") && strings.Contains(warning, "of 8.4 MB")
	})
	// Too large for what is left, though there is some.
	sent := make(chan error, 1)
	go func() {
		_, err := c.Send(ctx, bus.Message{Topic: table.Name, Key: []byte("large"), PartitionBy: keyOf0, Value: make([]byte, 600<<10)})
		sent <- err
	}()
	eventually(t, "a problem that says what to do", func() bool {
		problem, _ := h.now()
		return strings.Contains(problem, "the disk of "+data+" is full") && strings.Contains(problem, "retention")
	})
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Errorf("once there was space the record was not taken: %v", err)
	}
	eventually(t, "the end of problem and warning", func() bool {
		problem, warning := h.now()
		return problem == "" && warning == ""
	})
	send(t, c, 3, 5)
	if got := readAll(t, c, table.Name); len(got) != 6 {
		t.Errorf("holds %d records, want 6", len(got))
	}
}

// kfake compacts a table by deleting its files and writing them anew, which a full
// disk would end half-way.
func TestATableIsNotCompactedOnAFullDisk(t *testing.T) {
	dir := smallDisk(t)
	data := filepath.Join(dir, "kafka")
	b, err := embedded.StartBroker(embedded.BrokerOptions{Dir: data, Logger: quiet(), Housekeeping: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c := connect(t, b.Addr(), quiet())
	passing := bus.TopicSpec{Name: "passing", Partitions: 1, Replication: 1, Config: map[string]string{"retention.ms": "1000", "segment.bytes": "1000"}}
	if err := c.Ensure(within(t, time.Minute), []bus.TopicSpec{table, passing}); err != nil {
		t.Fatal(err)
	}
	filler := fill(t, dir, 200<<10)
	for range 20 {
		_, err := c.Send(within(t, time.Minute), bus.Message{Topic: table.Name, Key: []byte("row"), PartitionBy: keyOf0, Value: []byte("1")},
			bus.Message{Topic: passing.Name, Value: make([]byte, 900), Time: time.Now().Add(-time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "housekeeping", func() bool { return len(readAll(t, c, passing.Name)) <= 2 })
	if rows := readAll(t, c, table.Name); len(rows) != 20 {
		t.Errorf("the table was compacted to %d rows on a full disk", len(rows))
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	eventually(t, "compaction once there is space", func() bool { return len(readAll(t, c, table.Name)) <= 2 })
}
