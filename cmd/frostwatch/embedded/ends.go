package embedded

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"
)

// endsFile is ours: the offset after the last record of each partition, by folder.
// kfake knows it from the files alone, and a partition whose records have all expired
// has none: after a start its offsets would begin at 0 again, below those that groups
// have committed and that alerts and the archive refer to.
const endsFile = "ends.json"

// keepEnds writes endsFile where it has changed.
func (b *Broker) keepEnds() error {
	list, err := readTopics(filepath.Join(b.disk.dir, topicsFile), false)
	if err != nil {
		return fmt.Errorf("keep the ends of partitions: %w", err)
	}
	ends := map[string]int64{}
	for _, t := range list.Topics {
		for _, p := range b.cluster.PartitionInfos(t.Name) {
			if p.HighWatermark > 0 {
				ends[folderOf(t.Name, int(p.Partition))] = p.HighWatermark
			}
		}
	}
	if maps.Equal(ends, b.ends) {
		return nil
	}
	text, err := json.Marshal(ends)
	if err != nil {
		return fmt.Errorf("keep the ends of partitions: %w", err)
	}
	if err := replace(filepath.Join(b.disk.dir, endsFile), text); err != nil {
		return err
	}
	b.ends = ends
	return nil
}

// restoreEnds lets the offsets of each partition go on where they have been: after its
// last record, what endsFile says, and what groups have committed. A power loss may have
// taken records that were read before. New ones at their offsets would be passed over by
// groups that have committed them, and taken for those that alerts refer to.
func (r repair) restoreEnds() error {
	path := filepath.Join(r.dir, endsFile)
	var ends map[string]int64
	if err := unreadable(path, &ends); err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.log.Warn("broker: a file could not be read; offsets of partitions without records begin at 0 again", "file", path, "error", err)
		ends = nil
	}
	committed, err := r.committed()
	if err != nil {
		return err
	}
	list, err := readTopics(filepath.Join(r.dir, topicsFile), false)
	if err != nil {
		return nil //nolint:nilerr // no topics yet
	}
	for _, t := range list.Topics {
		for p := range t.Partitions {
			folder := folderOf(t.Name, p)
			if err := r.restoreEnd(folder, max(ends[folder], committed[folder])); err != nil {
				return fmt.Errorf("restore the end of %s: %w", folder, err)
			}
		}
	}
	return nil
}

// committed is the highest offset that a group has committed, by folder of its partition. One
// beyond maxEnd is passed over, so that it does not hide what other groups have committed.
func (r repair) committed() (map[string]int64, error) {
	text, err := os.ReadFile(filepath.Join(r.dir, groupsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err //nolint:wrapcheck // names the file
	}
	out := map[string]int64{}
	for at := 0; at < len(text); {
		n := entryAt(text[at:])
		var e struct {
			Topic     string `json:"t"`
			Partition int    `json:"p"`
			Offset    int64  `json:"o"`
		}
		if n > 0 && json.Unmarshal(text[at+entryHead:at+n], &e) == nil && e.Topic != "" && e.Offset <= maxEnd {
			folder := folderOf(e.Topic, e.Partition)
			out[folder] = max(out[folder], e.Offset)
		}
		at += max(n, 1)
	}
	return out, nil
}

// restoreEnd appends a file with a batch of no record to a partition that ends before end.
// Its files have been mended.
func (r repair) restoreEnd(folder string, end int64) error {
	dir := filepath.Join(r.dir, partitions, folder)
	bases, err := logsIn(dir)
	if err != nil {
		return err
	}
	last, err := endOf(dir, bases)
	if err != nil || last >= end || end > maxEnd {
		return err
	}
	for _, base := range bases {
		info, err := os.Stat(logPath(dir, base))
		if err == nil && info.Size() == 0 {
			err = os.Remove(logPath(dir, base))
		}
		if err != nil {
			return err //nolint:wrapcheck // the caller says what for
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err //nolint:wrapcheck // the caller says what for
	}
	if err := replace(logPath(dir, end-1), emptyBatch(end-1, time.Now())); err != nil {
		return err
	}
	_, err = r.partition(folder, nil) // its snapshot
	return err
}

// maxEnd bounds the offset at which a partition may go on: a commit of more, which any
// client may make, would leave no room for records.
const maxEnd = 1 << 60

// endOf is the offset after the last batch of a partition whose files begin at bases.
func endOf(dir string, bases []int64) (end int64, err error) {
	var snap snapshot
	if unreadable(filepath.Join(dir, snapshotFile), &snap) == nil && len(bases) > 0 && len(snap.Segments) == len(bases) {
		return snap.End, nil
	}
	for i := len(bases) - 1; i >= 0 && end == 0; i-- {
		log, err := os.ReadFile(logPath(dir, bases[i]))
		if err != nil {
			return 0, err //nolint:wrapcheck // the caller says what for
		}
		for at := 0; at < len(log); {
			size, _, next, ok := headerAt(log[at:])
			if !ok {
				break
			}
			at, end = at+size, next
		}
	}
	return end, nil
}

// emptyBatch is a batch that covers one offset and has no record, such as Kafka's own
// compaction leaves.
func emptyBatch(offset int64, at time.Time) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(offset))
	b = binary.BigEndian.AppendUint32(b, batchHeader-batchLengthEnd)
	b = append(b, 0, 0, 0, 0, 2) // epoch, format
	b = binary.BigEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint16(b, 0) // attributes
	b = binary.BigEndian.AppendUint32(b, 0) // last offset less the first
	for range 2 {                           // first and last time
		b = binary.BigEndian.AppendUint64(b, uint64(at.UnixMilli()))
	}
	b = binary.BigEndian.AppendUint64(b, 1<<64-1) // no producer
	b = binary.BigEndian.AppendUint16(b, 1<<16-1)
	b = binary.BigEndian.AppendUint32(b, 1<<32-1)
	b = binary.BigEndian.AppendUint32(b, 0) // records
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[batchSummed:], castagnoli))
	return b
}
