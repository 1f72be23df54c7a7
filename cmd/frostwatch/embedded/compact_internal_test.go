package embedded

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tableDir is a broker's directory with one table of one partition in two files: ten
// batches, one of each of five keys twice. after is what a compaction writes in their
// place.
func tableDir(t *testing.T) (dir, folder string, after []byte) {
	t.Helper()
	dir = t.TempDir()
	folder = filepath.Join(dir, partitions, folderOf("rows", 0))
	write(t, filepath.Join(dir, topicsFile), []byte(`{"version":1,"topics":[
		{"name":"rows","partitions":1,"configs":{"cleanup.policy":"compact"}},
		{"name":"clips","partitions":1,"configs":{"cleanup.policy":"delete"}}]}`))
	write(t, filepath.Join(folder, "0.dat"), batches(0, 6))
	write(t, filepath.Join(folder, "6.dat"), batches(6, 10))
	write(t, filepath.Join(dir, partitions, "clips-0", "0.dat"), batches(0, 1))
	return dir, folder, batches(5, 10)
}

// batches are batches of no records at the offsets from..to-1.
func batches(from, to int64) (log []byte) {
	for i := from; i < to; i++ {
		log = append(log, emptyBatch(i, time.UnixMilli(1))...)
	}
	return log
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, paths ...string) {
	t.Helper()
	for _, p := range paths {
		if err := os.RemoveAll(p); err != nil {
			t.Fatal(err)
		}
	}
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// whole is what all files of a partition hold, one after another.
func whole(t *testing.T, folder string) (log []byte) {
	t.Helper()
	bases, err := logsIn(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range bases {
		text, err := os.ReadFile(logPath(folder, base))
		if err != nil {
			t.Fatal(err)
		}
		log = append(log, text...)
	}
	return log
}

// Wherever a compaction, or the mending after one, is cut short, no record is lost.
func TestACompactionCutShort(t *testing.T) {
	kept := func(dir string) string { return filepath.Join(dir, keptFolder) }
	rows := func(dir string) string { return filepath.Join(kept(dir), folderOf("rows", 0)) }
	for _, tt := range []struct {
		name string
		// cut makes what the end of the process left, from links that are complete.
		cut  func(t *testing.T, dir, folder string, after []byte)
		want []byte
	}{
		{"while linking", func(t *testing.T, dir, _ string, _ []byte) {
			move(t, kept(dir), kept(dir)+".half")
			remove(t, filepath.Join(kept(dir)+".half", folderOf("rows", 0), "6.dat"))
		}, batches(0, 10)},
		{"before a file is deleted", func(*testing.T, string, string, []byte) {}, batches(0, 10)},
		{"after one more record", func(t *testing.T, _, folder string, _ []byte) {
			f, err := os.OpenFile(filepath.Join(folder, "6.dat"), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			if _, err := f.Write(batches(10, 11)); err != nil {
				t.Fatal(err)
			}
		}, batches(0, 11)},
		{"with one file deleted", func(t *testing.T, _, folder string, _ []byte) {
			remove(t, filepath.Join(folder, "0.dat"))
		}, batches(0, 10)},
		{"with all deleted", func(t *testing.T, _, folder string, _ []byte) {
			remove(t, filepath.Join(folder, "0.dat"), filepath.Join(folder, "6.dat"))
		}, batches(0, 10)},
		{"with the new file empty", func(t *testing.T, _, folder string, _ []byte) {
			remove(t, folder)
			write(t, filepath.Join(folder, "5.dat"), nil)
		}, batches(0, 10)},
		{"with half a batch written", func(t *testing.T, _, folder string, after []byte) {
			remove(t, folder)
			write(t, filepath.Join(folder, "5.dat"), after[:batchHeader+9])
		}, batches(0, 10)},
		{"with all written", func(t *testing.T, _, folder string, after []byte) {
			remove(t, folder)
			write(t, filepath.Join(folder, "5.dat"), after)
		}, batches(0, 10)},
		{"with all written and more added", func(t *testing.T, _, folder string, after []byte) {
			remove(t, folder)
			write(t, filepath.Join(folder, "5.dat"), append(after, batches(10, 13)...))
		}, batches(0, 13)},
		{"with a write that failed and more added", func(t *testing.T, _, folder string, after []byte) {
			remove(t, folder)
			write(t, filepath.Join(folder, "5.dat"), append(after[:batchHeader+9], batches(10, 13)...))
		}, batches(0, 13)},
		{"while the links are removed", func(t *testing.T, dir, folder string, after []byte) {
			remove(t, folder)
			write(t, filepath.Join(folder, "5.dat"), after)
			move(t, kept(dir), kept(dir)+".half")
			remove(t, filepath.Join(kept(dir)+".half", folderOf("rows", 0), "0.dat"))
		}, batches(5, 10)},
		{"while the old folder is made", func(t *testing.T, dir, folder string, after []byte) {
			remove(t, folder)
			write(t, filepath.Join(folder, "5.dat"), append(after, batches(10, 13)...))
			write(t, filepath.Join(rows(dir)+halfEnding, "0.dat"), nil)
		}, batches(0, 13)},
		{"while the new folder is removed", func(t *testing.T, dir, folder string, _ []byte) {
			remove(t, folder)
			write(t, filepath.Join(rows(dir)+wholeEnding, "0.dat"), batches(0, 13))
		}, batches(0, 13)},
		{"after the old folder is back", func(t *testing.T, _, folder string, _ []byte) {
			write(t, filepath.Join(folder, "10.dat"), batches(10, 13))
		}, batches(0, 13)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, folder, after := tableDir(t)
			if ready, err := keepTables(dir); err != nil || !ready {
				t.Fatalf("keep the tables: %v, %v", ready, err)
			}
			tt.cut(t, dir, folder, after)
			var said bytes.Buffer
			r := repair{dir, slog.New(slog.NewTextHandler(&said, nil))}
			for range 2 { // the second finds nothing to do
				if err := r.uncompact(); err != nil {
					t.Fatal(err)
				}
				if got := whole(t, folder); !bytes.Equal(got, tt.want) {
					t.Errorf("holds %d batches, want %d", len(got)/batchHeader, len(tt.want)/batchHeader)
				}
				if left, _ := filepath.Glob(kept(dir) + "*"); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			}
			if lines := strings.Count(said.String(), "\n"); lines > 1 {
				t.Errorf("logged %d lines: %s", lines, said.String())
			}
		})
	}
}

// kfake may begin another file only between linking and compacting, and must not: it
// would be deleted without a link.
func TestTablesAreNotCompactedWhileAFileIsNearlyFull(t *testing.T) {
	dir, _, _ := tableDir(t)
	list := fmt.Sprintf(`{"version":1,"topics":[{"name":"rows","partitions":1,"configs":{"cleanup.policy":"compact","segment.bytes":"%d"}}]}`, 5*batchHeader)
	write(t, filepath.Join(dir, topicsFile), []byte(list))
	if ready, err := keepTables(dir); ready || err != nil {
		t.Errorf("ready: %v, %v; the newest file has four of five batches", ready, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, keptFolder) + "*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A table that could not be written anew is a problem until the next start, and what
// is needed to put it back is not touched again.
func TestACompactionThatFailed(t *testing.T) {
	dir, _, _ := tableDir(t)
	if _, err := keepTables(dir); err != nil {
		t.Fatal(err)
	}
	d := &disk{dir: dir, space: func(string) (int64, int64, error) { return 1 << 40, 1 << 41, nil }}
	brokerLog{slog.New(slog.DiscardHandler), d}.Logf(2, "rebuildSegments %s-%d: write: %v", "rows", 0, os.ErrClosed)
	for range 2 {
		if _, problem := d.look(); problem == nil || !strings.Contains(problem.Error(), "restart Frostwatch") {
			t.Errorf("the problem is %v", problem)
		}
	}
	b := &Broker{disk: d, log: slog.New(slog.DiscardHandler)}
	b.compact()
	if !exists(filepath.Join(dir, keptFolder)) {
		t.Error("the files from before are gone")
	}
}

// kfake's own clean-up of groups.log drops what stands behind a torn entry.
func TestHalfAnEntryIsCutOffAtOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, groupsFile)
	entry := []byte{4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 'h', 'i'}
	binary.LittleEndian.PutUint32(entry[4:], crc32.Checksum(entry[8:], castagnoli))
	write(t, path, append(bytes.Repeat(entry, 3), entry[:7]...))
	l := brokerLog{slog.New(slog.DiscardHandler), &disk{dir: dir}}
	l.Logf(2, "persist group entry write: %v", os.ErrClosed)
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, bytes.Repeat(entry, 3)) {
		t.Errorf("holds %v (%v), want three whole entries", got, err)
	}
}
