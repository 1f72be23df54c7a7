package embedded

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Files of a partition: the batches, named by the first offset, 15 bytes about each,
// and what is known of all of them where kfake was stopped in an orderly way.
const (
	logEnding    = ".dat"
	indexEnding  = ".idx"
	snapshotFile = "snapshot.json"
)

// logs cuts what can't be read out of every partition's files. It holds one file in
// memory for each of the few partitions that it reads at a time.
func (r repair) logs(ctx context.Context) error {
	folders, err := r.folders()
	if err != nil {
		return err
	}
	many, ctx := errgroup.WithContext(ctx)
	readers := min(runtime.GOMAXPROCS(0), 4)
	buffers := make(chan []byte, readers)
	for range readers {
		buffers <- nil
	}
	many.SetLimit(readers)
	for _, f := range folders {
		many.Go(func() error {
			if ctx.Err() != nil {
				return nil // the first error says why
			}
			buffer, err := r.partition(f, <-buffers)
			buffers <- buffer
			if err != nil {
				return fmt.Errorf("check the records of %s: %w", filepath.Join(r.dir, partitions, f), err)
			}
			return nil
		})
	}
	return many.Wait() //nolint:wrapcheck // says what for
}

// partition checks the files of one partition, read into the buffer, which it returns.
func (r repair) partition(folder string, buffer []byte) ([]byte, error) {
	dir := filepath.Join(r.dir, partitions, folder)
	bases, err := logsIn(dir)
	if err != nil {
		return buffer, err
	}
	snap := snapshot{Version: 1}
	for i, base := range bases {
		var after int64
		if i+1 < len(bases) {
			after = bases[i+1]
		}
		log, err := readInto(buffer, logPath(dir, base))
		if err != nil {
			return buffer, err
		}
		buffer = log
		cuts := survey(log, base, after)
		if len(cuts) > 0 {
			if log, err = shorten(dir, base, log, cuts); err != nil {
				return buffer, err
			}
			r.lost(folder, logPath(dir, base), len(buffer), cuts, after == 0)
		}
		snap.add(base, log)
	}
	return buffer, snap.write(dir)
}

// readInto reads a file into the buffer, or a larger one.
func readInto(buffer []byte, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // names the file
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err //nolint:wrapcheck // names the file
	}
	buffer = slices.Grow(buffer[:0], int(info.Size()))[:info.Size()]
	if _, err := io.ReadFull(f, buffer); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return buffer, nil
}

// lost logs what a file has lost.
func (r repair) lost(folder, path string, size int, cuts []cut, newest bool) {
	topic, partition := placeOf(folder)
	for _, c := range cuts {
		what := "broker: records can't be read any more and are lost: bytes on the disk have changed"
		if newest && c.to == size {
			what = "broker: the end of a log can't be read and is cut off, as after a power loss"
		}
		to := any("unknown")
		if c.last >= c.first {
			to = c.last
		}
		r.log.Error(what, "topic", topic, "partition", partition, "from", c.first, "to", to, "bytes", c.to-c.from, "file", path)
	}
}

// shorten writes the log without the cuts, and returns what is left. The index loses
// its entries of them.
func shorten(dir string, base int64, log []byte, cuts []cut) ([]byte, error) {
	index := filepath.Join(dir, strconv.FormatInt(base, 10)+indexEnding)
	entries, err := os.ReadFile(index)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err //nolint:wrapcheck // names the file
	}
	log = slices.Clone(log) // the cuts are counted in what was read
	for _, c := range slices.Backward(cuts) {
		log = slices.Delete(log, c.from, c.to)
		if at := c.batches * indexEntry; at+indexEntry <= len(entries) {
			entries = slices.Delete(entries, at, at+indexEntry)
		}
	}
	return log, errors.Join(replace(index, entries), replace(logPath(dir, base), log))
}

// snapshot is what kfake knows of a partition's files after an orderly stop. Without
// one that agrees with them, as after a crash, it holds all records of the partition
// in memory while it counts.
type snapshot struct {
	Version     int               `json:"version"`
	End         int64             `json:"high_watermark"`
	Stable      int64             `json:"last_stable_offset"`
	Start       int64             `json:"log_start_offset"`
	CreatedAt   time.Time         `json:"created_at"`
	Segments    []snapshotSegment `json:"segments"`
	transaction bool              // what became of it, kfake finds out without a snapshot alone
}

type snapshotSegment struct {
	Base int64 `json:"base_offset"`
	Size int64 `json:"size"`
}

// add takes in a log without broken batches.
func (s *snapshot) add(base int64, log []byte) {
	const transactional, control, firstTime = 0x10, 0x20, 27
	s.Segments = append(s.Segments, snapshotSegment{base, int64(len(log))})
	for at := 0; at < len(log); {
		size, first, next, _ := headerAt(log[at:])
		if s.End == 0 {
			s.Start, s.CreatedAt = first, time.UnixMilli(int64(binary.BigEndian.Uint64(log[at+firstTime:])))
		}
		s.transaction = s.transaction || log[at+batchSummed+1]&(transactional|control) != 0
		s.End, s.Stable = next, next
		at += size
	}
}

// write puts the snapshot beside the files, unless there is one that agrees.
func (s *snapshot) write(dir string) error {
	path := filepath.Join(dir, snapshotFile)
	var old snapshot
	if unreadable(path, &old) == nil && slices.Equal(old.Segments, s.Segments) {
		return nil
	}
	if s.transaction {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err //nolint:wrapcheck // names the file
		}
		return nil
	}
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return replace(path, text)
}

// logsIn are the first offsets of the files of a partition, in order.
func logsIn(dir string) (bases []int64, err error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // names the folder
	}
	for _, f := range files {
		name, isLog := strings.CutSuffix(f.Name(), logEnding)
		if base, err := strconv.ParseInt(name, 10, 64); err == nil && isLog {
			bases = append(bases, base)
		}
	}
	slices.Sort(bases)
	return bases, nil
}

func logPath(dir string, base int64) string {
	return filepath.Join(dir, strconv.FormatInt(base, 10)+logEnding)
}

// folderOf is the name that kfake gives a partition's folder.
func folderOf(topic string, partition int) string {
	return fmt.Sprintf("%s-%d", url.PathEscape(topic), partition)
}

func placeOf(folder string) (topic, partition string) {
	i := strings.LastIndexByte(folder, '-')
	if i < 0 {
		return folder, ""
	}
	topic, err := url.PathUnescape(folder[:i])
	if err != nil {
		topic = folder[:i]
	}
	return topic, folder[i+1:]
}
