package archive

import (
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// ErrStop ends reading without an error when the caller's function returns it.
var ErrStop = bus.ErrStop

// Range is what is asked for: records of some cameras whose time lies in
// [Since, Until). A recognition's and a clip's time is the end of its window, an
// alert's is when it was raised or cleared.
type Range struct {
	Since, Until time.Time // zero: from the oldest, to the newest there is at the call
	Cameras      []string  // names or globs; empty: every camera
	// Late is how long after its own time a record may have reached Kafka; a later
	// one is not found. 0: 10 minutes.
	Late time.Duration
	// Ends asks Scan for the means of the first and last frames too, Views for what
	// recognitions have of further views.
	Ends, Views bool
	// OnKafka are the partitions that Kafka is asked for; nil: all. Records of one camera
	// are in the partition of its key, and those of others are the most there is to read.
	OnKafka []int
	// Seen is called with each record that is looked at, to show progress: what was
	// counted so far, and Kafka's time of the record. One call at a time; nil:
	// never. Scan calls it only for records that come from Kafka.
	Seen func(c Counts, at time.Time)
}

// early is how long before its own time a record may have reached Kafka: a camera's
// clock and the broker's differ.
const early = time.Minute

// laterInARow is how many records in a row must lie behind the range before the
// reading of a partition ends: a single one may have a wrong time.
const laterInARow = 64

// farFuture is later than every record.
var farFuture = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

func (r Range) check() error {
	if !r.Until.IsZero() && !r.Since.Before(r.Until) {
		return fmt.Errorf("since %s is not before until %s", r.Since.UTC().Format(time.RFC3339), r.Until.UTC().Format(time.RFC3339))
	}
	for _, glob := range r.Cameras {
		if _, err := path.Match(glob, ""); err != nil || glob == "" {
			return fmt.Errorf("camera %.120q is not a name or glob", glob)
		}
	}
	return nil
}

// recorded returns the first and the last record time that is looked at.
func (r Range) recorded() (since, until time.Time) {
	late := r.Late
	if late == 0 {
		late = 10 * time.Minute
	}
	if !r.Since.IsZero() {
		since = r.Since.Add(-early)
	}
	if until = farFuture; !r.Until.IsZero() {
		until = r.Until.Add(late)
	}
	return since.UTC(), until.UTC()
}

func (r Range) camera(name string) bool {
	return len(r.Cameras) == 0 || slices.ContainsFunc(r.Cameras, func(glob string) bool {
		ok, err := path.Match(glob, name)
		return err == nil && ok
	})
}

func (r Range) time(t time.Time) bool {
	return !t.Before(r.Since) && (r.Until.IsZero() || t.Before(r.Until))
}

// onKafka is whether Kafka is asked for a partition.
func (r Range) onKafka(partition int) bool {
	return r.OnKafka == nil || slices.Contains(r.OnKafka, partition)
}

// meets is whether a segment may hold anything of the range.
func (r Range) meets(m Meta) bool {
	if m.Rows == 0 || m.Latest.Before(r.Since) || !r.Until.IsZero() && !m.Earliest.Before(r.Until) {
		return false
	}
	return len(m.Cameras) == 0 || slices.ContainsFunc(m.Cameras, r.camera)
}

// Counts say how much was read, and what became of it.
type Counts struct {
	Given       int // records that were passed to the caller
	Records     int // records that were looked at
	Unreadable  int // of these: can't be decoded
	Stale       int // sent by a worker that had lost the partition
	OtherCamera int
	OutOfRange  int // of another time

	Segments int   // that were opened
	Bytes    int64 // fetched from the bucket
	Broken   int   // segments that can't be read; Kafka was asked instead
	// Reasons say what could not be read and why, for the first few.
	Reasons []string
}

const maxReasons = 5

func (c *Counts) because(what string, err error) {
	if len(c.Reasons) < maxReasons {
		c.Reasons = append(c.Reasons, topics.Clean(fmt.Sprintf("%s: %v", what, err)))
	}
}
