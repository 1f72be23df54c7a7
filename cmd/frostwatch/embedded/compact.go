package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	// keptFolder has the files of every table as they were before the compaction that
	// is going on, or that the end of a process cut short.
	keptFolder = "before-compaction"
	// segmentSize is how large a partition's files get. Retention deletes whole files,
	// and at a start one file of each partition may be in memory.
	segmentSize = 16 << 20
)

// compact removes rows from the tables that newer ones replace. kfake deletes a
// partition's files and writes them anew from memory; so that a process killed in
// between loses nothing, hard links to the old files stay until the new ones are
// complete.
func (b *Broker) compact() {
	if b.disk.low() || b.disk.torn.Load() {
		return
	}
	ready, err := keepTables(b.disk.dir)
	if err != nil {
		b.log.Warn("broker: tables are not compacted: their files can't be kept meanwhile", "error", err)
		return
	}
	if !ready {
		return
	}
	b.cluster.Compact()
	if b.disk.torn.Load() {
		b.log.Error("broker: a table could not be written anew; the next start puts it back", "folder", filepath.Join(b.disk.dir, keptFolder))
		return
	}
	if err := dropKept(b.disk.dir); err != nil {
		b.log.Warn("broker: remove the files from before a compaction", "error", err)
	}
}

// keepTables links the files of all tables into keptFolder, all or none. It is not
// ready where a file is so long that kfake may begin another before it compacts.
func keepTables(dir string) (ready bool, err error) {
	list, err := readTopics(filepath.Join(dir, topicsFile), false)
	if err != nil {
		return false, fmt.Errorf("keep the tables: %w", err)
	}
	kept := filepath.Join(dir, keptFolder)
	if exists(kept) {
		return false, fmt.Errorf("keep the tables: %s is there already", kept)
	}
	half := kept + ".half"
	if err := os.RemoveAll(half); err != nil {
		return false, fmt.Errorf("keep the tables: %w", err)
	}
	for _, t := range list.Topics {
		if !strings.Contains(t.Configs["cleanup.policy"], "compact") {
			continue
		}
		for p := range t.Partitions {
			folder := folderOf(t.Name, p)
			ready, err := linkFiles(filepath.Join(dir, partitions, folder), filepath.Join(half, folder), t.segment())
			if err != nil || !ready {
				return false, errors.Join(err, os.RemoveAll(half))
			}
		}
	}
	if !exists(half) {
		return false, nil
	}
	if err := os.Rename(half, kept); err != nil {
		return false, fmt.Errorf("keep the tables: %w", err)
	}
	return true, nil
}

// segment is the size at which kfake begins another file of the topic.
func (t topicEntry) segment() int64 {
	if n, err := strconv.ParseInt(t.Configs["segment.bytes"], 10, 64); err == nil {
		return n
	}
	return segmentSize
}

// linkFiles links a partition's files into another folder.
func linkFiles(from, to string, segment int64) (ready bool, err error) {
	files, err := os.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // no records yet
	}
	if err == nil {
		err = os.MkdirAll(to, 0o755)
	}
	if err != nil {
		return false, fmt.Errorf("keep a table: %w", err)
	}
	for _, f := range files {
		ending := filepath.Ext(f.Name())
		if ending != logEnding && ending != indexEnding {
			continue
		}
		if err := os.Link(filepath.Join(from, f.Name()), filepath.Join(to, f.Name())); err != nil {
			return false, fmt.Errorf("keep a table: %w", err)
		}
	}
	bases, err := logsIn(to)
	if err != nil || len(bases) == 0 {
		return err == nil, err
	}
	newest, err := os.Stat(logPath(to, bases[len(bases)-1]))
	if err != nil {
		return false, fmt.Errorf("keep a table: %w", err)
	}
	return newest.Size() < segment-segment/4, nil
}

// dropKept removes the links, which from the rename on are no longer put back.
func dropKept(dir string) error {
	kept := filepath.Join(dir, keptFolder)
	if err := os.RemoveAll(kept + ".half"); err != nil {
		return fmt.Errorf("remove %s: %w", kept, err)
	}
	if err := os.Rename(kept, kept+".half"); err != nil {
		return fmt.Errorf("remove %s: %w", kept, err)
	}
	if err := os.RemoveAll(kept + ".half"); err != nil {
		return fmt.Errorf("remove %s: %w", kept, err)
	}
	return nil
}

// uncompact puts back the tables whose compaction was cut short: what the files of
// before hold, and the records that were added since. Killed itself, it goes on at the
// next start.
func (r repair) uncompact() error {
	kept := filepath.Join(r.dir, keptFolder)
	if err := os.RemoveAll(kept + ".half"); err != nil {
		return fmt.Errorf("put the tables back: %w", err)
	}
	folders, err := os.ReadDir(kept)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("put the tables back: %w", err)
	}
	for _, f := range folders {
		if strings.HasSuffix(f.Name(), wholeEnding) || strings.HasSuffix(f.Name(), halfEnding) {
			continue // of the folder without that ending
		}
		if err := r.putBack(f.Name()); err != nil {
			return fmt.Errorf("put back %s: %w", filepath.Join(kept, f.Name()), err)
		}
	}
	r.log.Warn("broker: the last process ended while it compacted its tables; they are as before, nothing is lost")
	return dropKept(r.dir)
}

const (
	halfEnding  = "~half"  // being made
	wholeEnding = "~whole" // to be put in the place of the partition's folder
)

// putBack makes a partition's folder from its kept files and the batches added since.
func (r repair) putBack(folder string) error {
	kept, now := filepath.Join(r.dir, keptFolder, folder), filepath.Join(r.dir, partitions, folder)
	if !exists(kept + wholeEnding) {
		if err := os.RemoveAll(kept + halfEnding); err != nil {
			return err //nolint:wrapcheck // the caller says what for
		}
		if _, err := linkFiles(kept, kept+halfEnding, segmentSize); err != nil {
			return err
		}
		if err := addNewer(kept, now, kept+halfEnding); err != nil {
			return err
		}
		if err := os.Rename(kept+halfEnding, kept+wholeEnding); err != nil {
			return err //nolint:wrapcheck // the caller says what for
		}
	}
	if err := os.RemoveAll(now); err != nil {
		return err //nolint:wrapcheck // the caller says what for
	}
	return os.Rename(kept+wholeEnding, now) //nolint:wrapcheck // the caller says what for
}

// addNewer writes to folder `to` what the files of now hold beyond the end of those
// that were kept.
func addNewer(kept, now, to string) error {
	end, _, err := newer(kept, -1)
	if err != nil {
		return err
	}
	_, batches, err := newer(now, end)
	if err != nil || len(batches) == 0 {
		return err
	}
	base, _ := offsetsOf(batches)
	return replace(logPath(to, base), batches)
}

// newer is the offset after the last record of a partition's files, and its batches
// from an offset on.
func newer(dir string, from int64) (end int64, batches []byte, err error) {
	bases, err := logsIn(dir)
	if err != nil {
		return 0, nil, err
	}
	for _, base := range bases {
		log, err := os.ReadFile(logPath(dir, base))
		if err != nil {
			return 0, nil, err //nolint:wrapcheck // the caller says what for
		}
		for at, next := 0, base; at < len(log); {
			size, first, n, ok := batchAt(log[at:])
			if !ok || first < next {
				at = resume(log, at, next)
				continue
			}
			if from >= 0 && first >= from {
				batches = append(batches, log[at:at+size]...)
			}
			at, next, end = at+size, n, max(end, n)
		}
	}
	return end, batches, nil
}
