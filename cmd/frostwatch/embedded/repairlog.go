package embedded

import (
	"encoding/binary"
	"hash/crc32"
)

// Of a batch of records: 8 bytes first offset, 4 length of what follows, 4 epoch,
// 1 format (2), 4 CRC-32C of what follows, 2 attributes, 4 last offset less the
// first.
const (
	batchLengthEnd = 12
	batchFormat    = 16
	batchSummed    = 21 // where what the CRC covers begins, with the attributes
	batchHeader    = 61
	indexEntry     = 15 // bytes of the .idx file a batch
	maxSkip        = 1 << 40
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// batchAt is the size of the whole batch at the start of b, its first offset and the
// one after it; !ok where there is none.
func batchAt(b []byte) (size int, base, next int64, ok bool) {
	size, base, next, ok = headerAt(b)
	if !ok || binary.BigEndian.Uint32(b[17:]) != crc32.Checksum(b[batchSummed:size], castagnoli) {
		return 0, 0, 0, false
	}
	return size, base, next, true
}

// headerAt is batchAt without a look at the CRC.
func headerAt(b []byte) (size int, base, next int64, ok bool) {
	if len(b) < batchHeader || b[batchFormat] != 2 {
		return 0, 0, 0, false
	}
	size = batchLengthEnd + int(binary.BigEndian.Uint32(b[8:]))
	if size < batchHeader || size > len(b) {
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

// survey finds what can't be read in a log that begins at the offset first. after is the
// offset at which the next file begins; 0: this is the newest file.
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

// inOrder reports whether the batch that follows begins at or after next, the end of
// this one. The CRC does not cover a batch's first offset.
func inOrder(rest []byte, next int64) bool {
	_, base, _, ok := headerAt(rest)
	if !ok || base >= next {
		return true
	}
	_, _, _, ok = batchAt(rest)
	return !ok
}

// resume returns where the next whole batch begins after a broken one: where the length
// in the broken one says, or else wherever one is found.
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
