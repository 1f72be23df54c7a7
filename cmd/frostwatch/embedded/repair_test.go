package embedded_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
)

var table = bus.TopicSpec{Name: "table", Partitions: 2, Replication: 1, Config: map[string]string{"cleanup.policy": "compact"}}

// filled is the directory of a broker that was stopped normally, with n records in one
// partition of the table, each a batch of its own.
func filled(t *testing.T, n int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	b := started(t, dir, quiet())
	c := connect(t, b.Addr(), quiet())
	if err := c.Ensure(within(t, time.Minute), []bus.TopicSpec{table}); err != nil {
		t.Fatal(err)
	}
	send(t, c, 0, n)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	b.Close()
	return dir
}

// keyOf0 is a key of partition 0 of the table.
var keyOf0 = []byte("lobby")

func send(t *testing.T, c *bus.Client, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		_, err := c.Send(within(t, time.Minute), bus.Message{Topic: table.Name, Key: fmt.Appendf(nil, "camera-%d", i), PartitionBy: keyOf0, Value: strconv.AppendInt(nil, int64(i), 10)})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func started(t *testing.T, dir string, log *slog.Logger) *embedded.Broker {
	t.Helper()
	b, err := embedded.StartBroker(embedded.BrokerOptions{Dir: dir, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func values(t *testing.T, c *bus.Client) (out []int) {
	t.Helper()
	for _, m := range readAll(t, c, table.Name) {
		i, err := strconv.Atoi(string(m.Value))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, i)
	}
	slices.Sort(out)
	return out
}

// logOf is the file of the one partition that has records.
func logOf(t *testing.T, dir string) string {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "partitions", "table-*", "*.dat"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("found the logs %v (%v), want one", logs, err)
	}
	return logs[0]
}

// edit changes a file.
func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// batchesOf are where the batches of a log begin.
func batchesOf(log []byte) (at []int) {
	for p := 0; p < len(log); p += 12 + int(binary.BigEndian.Uint32(log[p+8:])) {
		at = append(at, p)
	}
	return at
}

func TestBrokenStateFilesAreReplaced(t *testing.T) {
	half := func(b []byte) []byte { return b[:len(b)/2] }
	empty := func([]byte) []byte { return nil }
	nothing := func([]byte) []byte { return []byte("{}") }
	for _, tt := range []struct {
		name, file string
		change     func([]byte) []byte // nil: removed
	}{
		{"half", "topics.json", half},
		{"empty", "topics.json", empty},
		{"no topics", "topics.json", nothing},
		{"gone", "topics.json", nil},
		{"half", "meta.json", half},
		{"empty", "meta.json", empty},
		{"gone", "meta.json", nil},
		{"half", "acls.json", half},
		{"empty", "seq_windows.json", empty},
		{"half", "quotas.json", half},
	} {
		t.Run(tt.file+" "+tt.name, func(t *testing.T) {
			dir := filled(t, 5)
			path := filepath.Join(dir, tt.file)
			if tt.change == nil {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			} else {
				edit(t, path, tt.change)
			}
			var said bytes.Buffer
			b := started(t, dir, slog.New(slog.NewTextHandler(&said, nil)))
			c := connect(t, b.Addr(), slog.New(slog.NewTextHandler(&said, nil)))
			if err := c.Ensure(within(t, time.Minute), []bus.TopicSpec{table}); err != nil {
				t.Fatal(err)
			}
			send(t, c, 5, 7)
			if got := values(t, c); !slices.Equal(got, []int{0, 1, 2, 3, 4, 5, 6}) {
				t.Errorf("holds %v, want all records from before and after", got)
			}
			if !strings.Contains(said.String(), path) || strings.Contains(said.String(), "differs") {
				t.Errorf("logged %q, want the file and no other topics", said.String())
			}
		})
	}
}

// Without a copy nobody knows what the topics were: the user must choose, and know
// what is at stake.
func TestTopicsWithoutACopyAreRefusedInWords(t *testing.T) {
	dir := filled(t, 2)
	path := filepath.Join(dir, "topics.json")
	edit(t, path, func(b []byte) []byte { return b[:len(b)-3] })
	edit(t, path+".copy", func([]byte) []byte { return nil })
	b, err := embedded.StartBroker(embedded.BrokerOptions{Dir: dir, Logger: quiet()})
	if err == nil {
		b.Close()
		t.Fatal("started without knowing its topics")
	}
	for _, want := range []string{path, path + ".copy", "remove the folder " + dir, "loses all records", "not the vocabulary"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error %q does not contain %q", err, want)
		}
	}
}

// A copy from before a topic was made: its records must not be written over.
func TestPartitionsThatTheCopyDoesNotKnowAreSetAside(t *testing.T) {
	dir := filled(t, 3)
	edit(t, filepath.Join(dir, "topics.json.copy"), func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`"table"`), []byte(`"other"`)) })
	log, err := os.ReadFile(logOf(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Base(filepath.Dir(logOf(t, dir)))
	edit(t, filepath.Join(dir, "topics.json"), func([]byte) []byte { return nil })
	var said bytes.Buffer
	started(t, dir, slog.New(slog.NewTextHandler(&said, nil)))
	aside := filepath.Join(dir, "set-aside", folder)
	if got, err := os.ReadFile(filepath.Join(aside, "0.dat")); err != nil || !bytes.Equal(got, log) {
		t.Errorf("set aside %d bytes (%v), want the log's %d", len(got), err, len(log))
	}
	if !strings.Contains(said.String(), aside) {
		t.Errorf("logged %q, want where the records are", said.String())
	}
}

// What bad sectors and power losses do to a log costs no record beside those that
// they hit, is reported, and leaves the partition fit for all that follows.
func TestABrokenLogIsMended(t *testing.T) {
	flip := func(batch, at int) func([]byte) []byte {
		return func(b []byte) []byte { b[batchesOf(b)[batch]+at] ^= 0x40; return b }
	}
	for _, tt := range []struct {
		name     string
		change   func([]byte) []byte
		lost     []int
		from, to string
	}{
		{"a byte of a record", flip(3, 70), []int{3}, "3", "3"},
		{"a byte of the first record", flip(0, 70), []int{0}, "0", "0"},
		{"a byte of the last record", flip(9, 70), []int{9}, "9", "9"},
		{"a byte of the CRC", flip(3, 18), []int{3}, "3", "3"},
		{"a byte of a length", flip(3, 11), []int{3}, "3", "3"},
		{"a length of gigabytes", flip(3, 8), []int{3}, "3", "3"},
		{"the format", flip(3, 16), []int{3}, "3", "3"},
		{"the offset", flip(3, 7), []int{3}, "3", "3"},
		{"two records", func(b []byte) []byte { return flip(6, 70)(flip(3, 70)(b)) }, []int{3, 6}, "6", "6"},
		{"an end cut off", func(b []byte) []byte { return b[:len(b)-7] }, []int{9}, "9", "9"},
		{"an end of a few bytes", func(b []byte) []byte { return b[:batchesOf(b)[9]+5] }, []int{9}, "9", "unknown"},
		{"an end of zeros", func(b []byte) []byte { clear(b[batchesOf(b)[9]:]); return b }, []int{9}, "9", "unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filled(t, 10)
			edit(t, logOf(t, dir), tt.change)
			var said bytes.Buffer
			b := started(t, dir, slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelError})))
			c := connect(t, b.Addr(), quiet())
			want := []int{}
			for i := range 13 {
				if !slices.Contains(tt.lost, i) {
					want = append(want, i)
				}
			}
			if got := values(t, c); !slices.Equal(got, want[:len(want)-3]) {
				t.Errorf("holds %v, want %v", got, want[:len(want)-3])
			}
			send(t, c, 10, 13)
			if got := values(t, c); !slices.Equal(got, want) {
				t.Errorf("after further records it holds %v, want %v", got, want)
			}
			for _, word := range []string{"topic=table", "partition=", "from=" + tt.from, "to=" + tt.to} {
				if !strings.Contains(said.String(), word) {
					t.Errorf("logged %q, want %s", said.String(), word)
				}
			}
			again(t, b, dir, want)
		})
	}
}

// again starts once more: nothing is left to be mended.
func again(t *testing.T, b *embedded.Broker, dir string, want []int) {
	t.Helper()
	b.Close()
	var said bytes.Buffer
	b = started(t, dir, slog.New(slog.NewTextHandler(&said, nil)))
	if got := values(t, connect(t, b.Addr(), quiet())); !slices.Equal(got, want) {
		t.Errorf("after a further start it holds %v, want %v", got, want)
	}
	if said.Len() > 0 {
		t.Errorf("a mended broker logged at its next start: %s", said.String())
	}
}

// kfake reads where groups stand up to the first broken entry, and adds behind it.
func TestBrokenEntriesCostNoOtherCommits(t *testing.T) {
	dir := t.TempDir()
	b := started(t, dir, quiet())
	c := connect(t, b.Addr(), quiet())
	if err := c.Ensure(within(t, time.Minute), []bus.TopicSpec{{Name: "group", Partitions: 1, Replication: 1}}); err != nil {
		t.Fatal(err)
	}
	took := consume(t, c, 10)
	path := filepath.Join(dir, "groups.log")
	live, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	b.Close()
	// As after a crash in the middle of an entry, and a further life behind it.
	torn := slices.Concat(live[:min(40, len(live))-1], live)
	if err := os.WriteFile(path, torn, 0o644); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	b = started(t, dir, slog.New(slog.NewTextHandler(&said, nil)))
	standsAt(t, connect(t, b.Addr(), quiet()), 0, took)
	if !strings.Contains(said.String(), path) {
		t.Errorf("logged %q, want the file", said.String())
	}
}
