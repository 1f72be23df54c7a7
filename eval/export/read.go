package export

import (
	"context"
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// readAll reads every clip of the range.
func (c *collector) readAll(ctx context.Context) error {
	g := archive.Range{
		// A window that ends exactly at the end of the range is included.
		Since: c.Since, Until: c.Until.Add(time.Nanosecond), Cameras: c.Cameras, Seen: c.seen,
	}
	read, err := c.Recorded.Clips(ctx, g, func(r archive.Record[topics.Clip]) error { return c.take(r) })
	c.counts.Records, c.counts.OtherCamera = read.Records, read.OtherCamera
	c.counts.OutOfRange += read.OutOfRange
	c.counts.Unreadable += read.Unreadable
	for _, reason := range read.Reasons {
		c.because(reason)
	}
	return err
}

// take puts one clip into the set, or counts why it is left out. Only what
// makes the whole export fail is an error.
func (c *collector) take(r archive.Record[topics.Clip]) error {
	clip := r.Value
	start, end := clip.StartTime(), clip.EndTime()
	if start.Before(c.Since) {
		c.counts.OutOfRange++
		return nil
	}
	of, ok, err := c.labels.label(clip.Camera, start, end, &c.counts)
	if err != nil || !ok {
		return err
	}
	if err := c.frames.check(clip); err != nil {
		c.counts.Unreadable++
		c.because(fmt.Sprintf("partition %d, offset %d: %v", r.At.Partition, r.At.Offset, err))
		return nil
	}
	return c.keep(clip, of)
}

// because keeps the first few reasons why records could not be read.
func (c *collector) because(reason string) {
	const kept = 5
	if len(c.broken) < kept {
		c.broken = append(c.broken, shorten(topics.Clean(reason)))
	}
}

// seen reports progress, at most once a second.
func (c *collector) seen(read archive.Counts, at time.Time) {
	if c.Progress == nil || time.Since(c.reported) < time.Second {
		return
	}
	c.reported = time.Now()
	counts := c.counts
	counts.Records = read.Records
	c.Progress(counts, at)
}
