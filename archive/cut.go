package archive

import (
	"time"

	"github.com/frostwatch/frostwatch/bus"
)

const (
	// perSegment is how many offsets are in one segment at most: each multiple of it
	// begins a new one.
	perSegment = 4096
	// maxBytes bounds the records of one segment, which are in memory while it is
	// written; 4,096 recognitions have some 30 MB.
	maxBytes = 64 << 20
)

// blockEnd is the first multiple of perSegment after an offset.
func blockEnd(offset int64) int64 { return offset - offset%perSegment + perSegment }

// hourOf is the hour of a record's time.
func hourOf(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// cut decides which records belong to the segment that begins at an offset, by the
// records alone, so that repeated work gives the same segments.
type cut struct {
	from  int64
	hour  time.Time // of the first record
	bytes int
	any   bool
}

// takes is whether a record belongs to the segment; the first always does.
func (c *cut) takes(m bus.Message) bool {
	size := len(m.Value)
	switch {
	case m.Offset >= blockEnd(c.from):
		return false
	case !c.any:
		c.any, c.hour = true, hourOf(m.Time)
	case !hourOf(m.Time).Equal(c.hour) || c.bytes+size > maxBytes:
		return false
	}
	c.bytes += size
	return true
}
