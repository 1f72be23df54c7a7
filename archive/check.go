package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/topics"
)

// CheckOptions say what is compared with what.
type CheckOptions struct {
	Bucket *Bucket
	Names  topics.Names
	Group  string // of the stage
	Keep   Keep   // what it removes is not missing
	Log    Log    // nil: segments are only compared with each other
	// Committed are a group's committed offsets by partition. Required with Log.
	Committed func(ctx context.Context, group, topic string) (map[int]int64, error)
}

// Fault is something that is wrong, and what to do about it.
type Fault struct {
	Where  string `json:"where"` // an object's key, or a topic and partition
	What   string `json:"what"`
	Advice string `json:"advice"`
}

// Report is what a check found.
type Report struct {
	Segments int     `json:"segments"`
	Rows     int64   `json:"rows"`
	Bytes    int64   `json:"bytes"`
	Faults   []Fault `json:"faults"`
}

// Check reads every row of every segment, and compares segments with what they say
// of themselves, with each other, and with what the stage committed on Kafka: nothing
// may be missing or duplicate.
func Check(ctx context.Context, o CheckOptions) (*Report, error) {
	r := &Report{Faults: []Fault{}}
	for _, t := range kinds() {
		c := checker{CheckOptions: o, topic: t, report: r}
		if err := c.run(ctx); err != nil {
			return r, fmt.Errorf("check archive: %w", err)
		}
	}
	return r, nil
}

type checker struct {
	CheckOptions
	topic  topics.Topic
	report *Report
}

func (c *checker) fault(where, what, advice string) {
	c.report.Faults = append(c.report.Faults, Fault{where, topics.Clean(what), advice})
}

func (c *checker) run(ctx context.Context) error {
	// Before the segments are listed: what the stage commits meanwhile may be in a
	// segment that was not there yet.
	var committed map[int]int64
	if c.Log != nil {
		var err error
		if committed, err = c.Committed(ctx, GroupOf(c.Group, c.topic), c.Names.Of(c.topic)); err != nil {
			return err
		}
	}
	segments, err := c.Bucket.segments(ctx, c.topic, time.Time{}, farFuture, c.foreign)
	if err != nil {
		return err
	}
	return c.checkListed(ctx, segments, committed)
}

// checkListed reads segments, and judges by a second listing what it finds: a stage
// writes and removes segments while the days are listed one after the other, so that
// the first listing may lack a segment between two that it has, or have one that is
// gone since.
func (c *checker) checkListed(ctx context.Context, segments []Segment, committed map[int]int64) error {
	faults, err := c.readAll(ctx, segments)
	if err != nil {
		return err
	}
	again, err := c.Bucket.segments(ctx, c.topic, time.Time{}, farFuture, nil)
	if err != nil {
		return err
	}
	c.reportBroken(segments, faults, again)
	first, parts := byPartition(segments), byPartition(again)
	for partition, of := range parts {
		// A partition's segments are written in the order of their offsets: the
		// second listing has all that come before one of the first.
		end := reach(first[partition])
		parts[partition] = slices.DeleteFunc(of, func(s Segment) bool { return s.From >= end })
		c.tiled(parts[partition])
	}
	if c.Log == nil {
		return nil
	}
	return c.compare(ctx, committed, parts)
}

// foreign is an object that is no segment.
func (c *checker) foreign(o object) {
	switch {
	case strings.HasSuffix(o.key, ".tmp") && time.Since(o.modified) < time.Hour:
		// It may be being written at this moment.
	case strings.HasSuffix(o.key, ".tmp"):
		c.fault(o.key, "left by an interrupted write", "nothing: the stage removes it after a day")
	default:
		c.fault(o.key, "no segment has such a name", "move it elsewhere: it is never read")
	}
}

// readAll reads every row; the faults, nil where there is none, are in the segments'
// order.
func (c *checker) readAll(ctx context.Context, segments []Segment) (faults []error, err error) {
	rows, faults := make([]int64, len(segments)), make([]error, len(segments))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, s := range segments {
		group.Go(func() error {
			n, err := readThrough(ctx, c.Bucket, s)
			if rows[i] = n; errors.Is(err, errBroken) {
				faults[i] = err
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, s := range segments {
		c.report.Segments++
		c.report.Bytes += s.Size
		c.report.Rows += rows[i]
	}
	return faults, nil
}

// reportBroken reports segments with a fault that a later listing, in the order of
// reading, still has.
func (c *checker) reportBroken(segments []Segment, faults []error, again []Segment) {
	for i, s := range segments {
		if faults[i] == nil {
			continue
		}
		if _, there := slices.BinarySearchFunc(again, s, order); there {
			c.fault(s.Key(), strings.TrimPrefix(faults[i].Error(), "open "+s.Key()+": "),
				"remove the object: readers take its records from Kafka while Kafka keeps them; restore it from a copy where Kafka does not")
		}
	}
}

// readThrough reads a segment to its end.
func readThrough(ctx context.Context, b *Bucket, s Segment) (rows int64, err error) {
	f, err := b.open(ctx, s)
	if err != nil {
		return 0, err
	}
	last := s.From - 1
	err = f.rows(ctx, func(r *row) error {
		offset := r.int(offsetColumn)
		if offset <= last || offset >= s.To {
			return fmt.Errorf("%w: offset %d comes after %d, in a segment of %d to %d", errBroken, offset, last, s.From, s.To)
		}
		rows, last = rows+1, offset
		return nil
	})
	if err == nil && rows != f.Rows {
		err = fmt.Errorf("%w: %d rows, and its footer says %d", errBroken, rows, f.Rows)
	}
	return rows, err
}

// tiled compares a partition's segments with each other.
func (c *checker) tiled(segments []Segment) {
	var end int64 // after the last offset of those before
	for i, s := range segments {
		switch {
		case i > 0 && s.From > end:
			c.fault(c.place(s.Partition), fmt.Sprintf("offsets %d to %d are missing, between %s and %s", end, s.From-1, segments[i-1].Key(), s.Key()),
				"readers take them from Kafka while Kafka keeps them; look for the line \"Kafka deleted records before they were archived\" in the stage's log")
		case s.From < end:
			c.fault(s.Key(), fmt.Sprintf("offsets %d to %d are in another segment as well", s.From, min(end, s.To)-1),
				"nothing: readers give each record once. It comes from setting the group's offsets back, or from a log that Kafka truncated")
		}
		end = max(end, s.To)
	}
}

// reach is the offset after the last of some segments, 0 of none.
func reach(segments []Segment) int64 {
	var end int64
	for _, s := range segments {
		end = max(end, s.To)
	}
	return end
}

func (c *checker) place(partition int) string {
	return fmt.Sprintf("%s/%d", c.Names.Of(c.topic), partition)
}

// compare compares with Kafka: every committed offset must be in a segment.
func (c *checker) compare(ctx context.Context, committed map[int]int64, parts map[int][]Segment) error {
	topic := c.Names.Of(c.topic)
	n, err := c.Log.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	for partition := range n {
		if err := c.behind(ctx, topic, partition, committed[partition], parts[partition]); err != nil {
			return err
		}
	}
	return nil
}

// behind reports a partition whose segments end before its committed offset.
func (c *checker) behind(ctx context.Context, topic string, partition int, committed int64, segments []Segment) error {
	from := int64(0)
	switch {
	case len(segments) > 0:
		from = reach(segments)
	case c.Keep.Size > 0:
		return nil // all of it may have been removed to stay below the size
	}
	if age := c.Keep.age(c.topic); age > 0 && from < committed {
		// What is too old was removed; the hour more is because whole hours are.
		kept, err := c.Log.OffsetAt(ctx, topic, partition, time.Now().Add(time.Hour-age))
		if err != nil {
			return err
		}
		from = max(from, kept)
	}
	if from < committed {
		c.fault(c.place(partition), fmt.Sprintf("the stage committed offset %d, but no segment holds offsets %d to %d", committed, from, committed-1),
			"restore the objects, or stop the stage, set its group's offsets back and start it: it writes again what Kafka still keeps")
	}
	return nil
}
