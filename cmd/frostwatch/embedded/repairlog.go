package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Of a batch of records: 8 bytes first offset, 4 length of what follows, 4 epoch,
// 1 format (2), 4 CRC-32C of what follows, 2 attributes, 4 last offset less the
// first.
const (
	batchLengthEnd = 12
	batchFormat    = 16
	batchSummed    = 21 // where what the CRC covers begins
	batchHeader    = 61
	indexEntry     = 15 // bytes of the .idx file a batch
	maxSkip        = 1 << 40
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// batchAt is the size of the whole batch at the start of b, and the offset after it;
// !ok where there is none.
func batchAt(b []byte) (size int, base, next int64, ok bool) {
	if len(b) < batchHeader || b[batchFormat] != 2 {
		return 0, 0, 0, false
	}
	size = batchLengthEnd + int(binary.BigEndian.Uint32(b[8:]))
	if size < batchHeader || size > len(b) || binary.BigEndian.Uint32(b[17:]) != crc32.Checksum(b[batchSummed:size], castagnoli) {
		return 0, 0, 0, false
	}
	base, next = offsetsOf(b)
	return size, base, next, true
}

func offsetsOf(b []byte) (base, next int64) {
	base = int64(binary.BigEndian.Uint64(b))
	return base, base + int64(binary.BigEndian.Uint32(b[batchSummed+2:])) + 1
}

// cut is a piece of a log that can't be read.
type cut struct {
	from, to int   // bytes
	batches  int   // whole ones before it
	first    int64 // offset
	last     int64 // offset; less than first: not known
}

// survey finds what can't be read in a log whose first offset is first. after is the
// offset at which the next file begins; 0: this is the newest.
func survey(log []byte, first, after int64) (cuts []cut) {
	at, batches, next := 0, 0, first
	for at < len(log) {
		if size, _, n, ok := batchAt(log[at:]); ok && inOrder(log[at+size:], n) {
			at, next, batches = at+size, n, batches+1
			continue
		}
		end := resume(log, at, next)
		c := cut{from: at, to: end, batches: batches, first: next, last: after - 1}
		switch b := log[at:]; {
		case end < len(log):
			base, _ := offsetsOf(log[end:])
			c.last = base - 1
		case after == 0 && len(b) >= batchSummed+6:
			if base, n := offsetsOf(b); base >= next && base < next+maxSkip {
				c.first, c.last = base, n-1
			}
		}
		cuts = append(cuts, c)
		at = end
	}
	return cuts
}

// inOrder is whether what follows a batch agrees with its end: the CRC does not
// cover a batch's own offset.
func inOrder(rest []byte, next int64) bool {
	_, base, _, ok := batchAt(rest)
	return !ok || base >= next
}

// resume is where the next whole batch begins after a broken one: where the broken
// one ends by its own word, or else wherever one is found.
func resume(log []byte, at int, next int64) int {
	whole := func(p int) bool {
		if p+batchHeader > len(log) || log[p+batchFormat] != 2 {
			return false
		}
		if base := int64(binary.BigEndian.Uint64(log[p:])); base < next || base > next+maxSkip {
			return false
		}
		_, _, _, ok := batchAt(log[p:])
		return ok
	}
	if at+batchLengthEnd <= len(log) {
		p := at + batchLengthEnd + int(binary.BigEndian.Uint32(log[at+8:]))
		if p > at && p < len(log) && whole(p) {
			return p
		}
	}
	for p := at + 1; p < len(log); p++ {
		if whole(p) {
			return p
		}
	}
	return len(log)
}

// logs cuts what can't be read out of every partition's files, one file in memory
// at a time.
func (r repair) logs() error {
	folders, err := r.folders()
	if err != nil {
		return err
	}
	for _, f := range folders {
		if err := r.partition(f); err != nil {
			return fmt.Errorf("check the records of %s: %w", filepath.Join(r.dir, partitions, f), err)
		}
	}
	return nil
}

func (r repair) partition(folder string) error {
	dir := filepath.Join(r.dir, partitions, folder)
	files, err := os.ReadDir(dir)
	if err != nil {
		return err //nolint:wrapcheck // the caller says what for
	}
	var bases []int64
	for _, f := range files {
		name, isLog := strings.CutSuffix(f.Name(), ".dat")
		if base, err := strconv.ParseInt(name, 10, 64); err == nil && isLog {
			bases = append(bases, base)
		}
	}
	slices.Sort(bases)
	for i, base := range bases {
		var after int64
		if i+1 < len(bases) {
			after = bases[i+1]
		}
		path := filepath.Join(dir, fmt.Sprintf("%d.dat", base))
		log, err := os.ReadFile(path)
		if err != nil {
			return err //nolint:wrapcheck // the caller says what for
		}
		cuts := survey(log, base, after)
		if len(cuts) == 0 {
			continue
		}
		if err := shorten(dir, path, log, cuts); err != nil {
			return err
		}
		r.lost(folder, path, len(log), cuts, after == 0)
	}
	return nil
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

// shorten writes the log without the cuts. The index loses its entries of them, and
// the snapshot, which knows the old size, goes: kfake then counts anew.
func shorten(dir, path string, log []byte, cuts []cut) error {
	index := strings.TrimSuffix(path, ".dat") + ".idx"
	entries, err := os.ReadFile(index)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err //nolint:wrapcheck // the caller says what for
	}
	for _, c := range slices.Backward(cuts) {
		log = slices.Delete(log, c.from, c.to)
		if at := c.batches * indexEntry; at+indexEntry <= len(entries) {
			entries = slices.Delete(entries, at, at+indexEntry)
		}
	}
	if err := os.Remove(filepath.Join(dir, "snapshot.json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err //nolint:wrapcheck // the caller says what for
	}
	return errors.Join(replace(index, entries), replace(path, log))
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
