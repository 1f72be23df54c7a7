package embedded_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
)

// tidying is a broker that applies retention and compaction all the time.
func tidying(t *testing.T, dir string, log *slog.Logger) *embedded.Broker {
	t.Helper()
	b, err := embedded.StartBroker(embedded.BrokerOptions{Dir: dir, Logger: log, Housekeeping: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// crashed is a copy of a directory in use: what a killed process leaves.
func crashed(t *testing.T, dir string) string {
	t.Helper()
	for range 10 {
		to := t.TempDir()
		err := os.CopyFS(to, os.DirFS(dir))
		if err == nil {
			return to
		}
		if !errors.Is(err, fs.ErrNotExist) { // a file that was replaced meanwhile
			t.Fatal(err)
		}
	}
	t.Fatal("files were replaced during each of ten copies")
	return ""
}

// The rows of a table stay however old they are, as on any Kafka: a camera that was
// added a year ago, say.
func TestTablesKeepOldRows(t *testing.T) {
	ctx, dir := within(t, time.Minute), t.TempDir()
	b := tidying(t, dir, quiet())
	c := connect(t, b.Addr(), quiet())
	passing := bus.TopicSpec{Name: "passing", Partitions: 1, Replication: 1, Config: map[string]string{"retention.ms": "1000"}}
	if err := c.Ensure(ctx, []bus.TopicSpec{table, passing}); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		_, err := c.Send(ctx, bus.Message{Topic: table.Name, Key: []byte{byte(i)}, PartitionBy: keyOf0, Value: strconv.AppendInt(nil, int64(i), 10), Time: time.Now().AddDate(-1, 0, 0)},
			bus.Message{Topic: passing.Name, Time: time.Now().Add(-time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "retention", func() bool { return len(readAll(t, c, passing.Name)) == 0 })
	if rows := readAll(t, c, table.Name); len(rows) != 5 {
		t.Errorf("the table has %d rows, want 5", len(rows))
	}
}

// Where all records of a partition have expired, the next ones don't get offsets that
// were given before: groups have committed those, and alerts and the archive name them.
func TestOffsetsGoOnAfterAllRecordsExpired(t *testing.T) {
	for _, end := range []string{"stopped", "killed"} {
		t.Run(end, func(t *testing.T) {
			ctx, dir := within(t, time.Minute), t.TempDir()
			b := tidying(t, dir, quiet())
			c := connect(t, b.Addr(), quiet())
			passing := bus.TopicSpec{Name: "passing", Partitions: 1, Replication: 1, Config: map[string]string{"retention.ms": "1000"}}
			if err := c.Ensure(ctx, []bus.TopicSpec{passing}); err != nil {
				t.Fatal(err)
			}
			for range 7 {
				if _, err := c.Send(ctx, bus.Message{Topic: passing.Name, Time: time.Now().Add(-time.Hour)}); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, "the records to expire", func() bool {
				logs, _ := filepath.Glob(filepath.Join(dir, "partitions", "passing-0", "*.dat"))
				return len(logs) == 0
			})
			if end == "killed" {
				dir = crashed(t, dir)
			} else if err := c.Close(); err != nil {
				t.Fatal(err)
			} else {
				b.Close()
			}
			for life := range 3 {
				var said bytes.Buffer
				b := started(t, dir, slog.New(slog.NewTextHandler(&said, nil)))
				c := connect(t, b.Addr(), quiet())
				if first, next, err := c.Bounds(ctx, passing.Name, 0); err != nil || next != int64(7+life) || first > next {
					t.Errorf("life %d: offsets go from %d to %d (%v), want to %d", life, first, next, err, 7+life)
				}
				refs, err := c.Send(ctx, bus.Message{Topic: passing.Name, Value: []byte("new")})
				if err != nil || refs[0].Offset != int64(7+life) {
					t.Errorf("life %d: sent to %v (%v), want offset %d", life, refs, err, 7+life)
				}
				if got := readAll(t, c, passing.Name); len(got) != life+1 || string(got[life].Value) != "new" {
					t.Errorf("life %d: holds %d records, want %d", life, len(got), life+1)
				}
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
				b.Close()
				if said.Len() > 0 {
					t.Errorf("life %d: logged %s", life, said.String())
				}
			}
		})
	}
}

// Without a snapshot that agrees with the files, kfake holds all records in memory
// while it starts: after a crash it must find one.
func TestACrashLeavesASnapshotToStartFrom(t *testing.T) {
	dir := t.TempDir()
	b := started(t, dir, quiet())
	c := connect(t, b.Addr(), quiet())
	if err := c.Ensure(within(t, time.Minute), []bus.TopicSpec{table}); err != nil {
		t.Fatal(err)
	}
	send(t, c, 0, 5)
	dir = crashed(t, dir)
	b = started(t, dir, quiet())
	text, err := os.ReadFile(filepath.Join(filepath.Dir(logOf(t, dir)), "snapshot.json"))
	if err != nil {
		t.Fatal(err)
	}
	var snap struct {
		End      int64 `json:"high_watermark"`
		Segments []struct {
			Size int64 `json:"size"`
		} `json:"segments"`
	}
	if err := json.Unmarshal(text, &snap); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(logOf(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	if snap.End != 5 || len(snap.Segments) != 1 || snap.Segments[0].Size != info.Size() {
		t.Errorf("the snapshot is %s, want one of 5 records in %d bytes", text, info.Size())
	}
	c = connect(t, b.Addr(), quiet())
	send(t, c, 5, 6)
	if got := values(t, c); len(got) != 6 {
		t.Errorf("holds %v, want 6 records", got)
	}
}

// Rows of a table are replaced all the time, and the process is killed in the middle of
// compacting it, again and again.
func TestKillsDuringCompactionLoseNothing(t *testing.T) {
	dir, acked := t.TempDir(), map[string]int{}
	t.Setenv(asServersTidying, "1ms")
	// Many files, so that a compaction takes a while.
	rows := bus.TopicSpec{Name: "rows", Partitions: 1, Replication: 1, Config: map[string]string{"cleanup.policy": "compact", "segment.bytes": "200000"}}
	for life := range 6 {
		s := startServers(t, dir)
		c := connect(t, s.kafka, quiet())
		if err := c.Ensure(within(t, time.Minute), []bus.TopicSpec{rows}); err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, m := range readAll(t, c, rows.Name) {
			n, err := strconv.Atoi(string(bytes.TrimRight(m.Value, ".")))
			if err != nil {
				t.Fatal(err)
			}
			got[string(m.Key)] = n
		}
		for key, n := range acked {
			if got[key] < n {
				t.Fatalf("life %d: %s is %d, and %d was acknowledged", life, key, got[key], n)
			}
		}
		sent := make(chan struct{})
		ctx, stop := context.WithCancel(within(t, time.Minute))
		go func() {
			defer close(sent)
			for i := 0; ; i++ {
				key := fmt.Sprint("row ", i%100)
				value := append(strconv.AppendInt(nil, int64(acked[key]+1), 10), bytes.Repeat([]byte("."), 20_000)...)
				if _, err := c.Send(ctx, bus.Message{Topic: rows.Name, Key: []byte(key), Value: value}); err != nil {
					return
				}
				acked[key]++
				if i == 200 {
					go killInCompaction(t, s, filepath.Join(dir, "kafka", "partitions", "rows-0"), stop)
				}
			}
		}()
		<-sent
		stop()
	}
}

// killInCompaction kills the process when it has deleted the logs of a partition and
// has written but a few of the new ones.
func killInCompaction(t *testing.T, s *servers, folder string, then func()) {
	defer then()
	w, err := fsnotify.NewWatcher()
	if err == nil {
		defer func() { _ = w.Close() }()
		err = w.Add(folder)
	}
	if err != nil {
		t.Error(err)
		return
	}
	deleted := false
	for deadline := time.After(30 * time.Second); ; {
		select {
		case e := <-w.Events:
			if filepath.Ext(e.Name) != ".dat" {
				continue
			}
			deleted = deleted || e.Has(fsnotify.Remove)
			if deleted && e.Has(fsnotify.Create) {
				s.kill()
				return
			}
		case err := <-w.Errors:
			t.Error(err)
			return
		case <-deadline:
			t.Error("nothing was deleted in 30 s")
			return
		}
	}
}
