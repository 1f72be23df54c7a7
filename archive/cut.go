package archive

import (
	"time"

	"github.com/frostwatch/frostwatch/bus"
)

const (
	// perSegment offsets at most are in one segment: it ends at each multiple.
	perSegment = 4096
	// maxBytes of records at most are in one segment, for memory's sake; 4,096
	// recognitions have some 30 MB.
	maxBytes = 64 << 20
)

// blockEnd is the multiple of perSegment behind an offset.
func blockEnd(offset int64) int64 { return offset - offset%perSegment + perSegment }

// hourOf is the hour of a record's time.
func hourOf(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// cut decides which records belong to the segment that begins at an offset. It
// looks at nothing but the records, so that repeated work cuts at the same
// places.
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
