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

// restoreEnds gives each partition without records a batch of none that ends where
// its last record did.
func (r repair) restoreEnds() error {
	path := filepath.Join(r.dir, endsFile)
	var ends map[string]int64
	if err := unreadable(path, &ends); err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			r.log.Warn("broker: a file could not be read; offsets of partitions without records begin at 0 again", "file", path, "error", err)
		}
		return nil
	}
	list, err := readTopics(filepath.Join(r.dir, topicsFile), false)
	if err != nil {
		return nil //nolint:nilerr // no topics yet
	}
	for _, t := range list.Topics {
		for p := range t.Partitions {
			folder := folderOf(t.Name, p)
			if err := r.restoreEnd(filepath.Join(r.dir, partitions, folder), ends[folder]); err != nil {
				return fmt.Errorf("restore the end of %s: %w", folder, err)
			}
		}
	}
	return nil
}

func (r repair) restoreEnd(dir string, end int64) error {
	bases, err := logsIn(dir)
	if err != nil {
		return err
	}
	for _, base := range bases {
		if info, err := os.Stat(logPath(dir, base)); err != nil || info.Size() > 0 {
			return err //nolint:wrapcheck // the caller says what for
		}
	}
	if end <= 0 {
		return nil
	}
	for _, base := range bases {
		if err := os.Remove(logPath(dir, base)); err != nil {
			return err //nolint:wrapcheck // the caller says what for
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err //nolint:wrapcheck // the caller says what for
	}
	return replace(logPath(dir, end-1), emptyBatch(end-1, time.Now()))
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
