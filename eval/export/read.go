package export

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// readers is how many partitions are read at a time: each holds some 10 MB.
	readers = 4
	// A record's time is that of its publishing: after its window's end, on a
	// clock that may differ from the camera's a little, and later where the
	// broker was away.
	early = time.Minute
	late  = 10 * time.Minute
)

// readAll takes every record of the range, up to the end of each partition.
func (c *collector) readAll(ctx context.Context) error {
	n, err := c.Bus.Partitions(ctx, c.Topic)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readers)
	for partition := range n {
		g.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return c.Bus.ReadSince(ctx, c.Topic, partition, c.Since.Add(-early), func(m bus.Message) error {
				// Readers of other partitions must not go on behind an error.
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return c.take(m)
			})
		})
	}
	return g.Wait()
}

// take puts one record into the set, or counts why it is not in it. Only what
// the set itself can't stand is an error.
func (c *collector) take(m bus.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	// It says nothing about those behind it: a clock may have been wrong.
	if end := c.Until.Add(late); m.Time.After(end) {
		c.counts.Later++
		c.tell(end)
		return nil
	}
	c.counts.Records++
	c.tell(m.Time)
	clip, err := topics.DecodeClip(m.Value)
	if err != nil {
		c.unreadable(m, err)
		return nil
	}
	start, end := clip.StartTime(), clip.EndTime()
	switch {
	case !matches(c.Cameras, clip.Camera):
		c.counts.OtherCamera++
		return nil
	case start.Before(c.Since) || end.After(c.Until):
		c.counts.OutOfRange++
		return nil
	}
	of, ok, err := c.labels.label(clip.Camera, start, end, &c.counts)
	if err != nil || !ok {
		return err
	}
	if err := c.frames.check(clip); err != nil {
		c.unreadable(m, err)
		return nil
	}
	return c.keep(clip, of)
}

func (c *collector) unreadable(m bus.Message, err error) {
	const told = 5
	if c.counts.Unreadable++; len(c.broken) < told {
		c.broken = append(c.broken, fmt.Sprintf("partition %d, offset %d: %s", m.Partition, m.Offset, shorten(err.Error())))
	}
}

// tell reports progress, not more often than each second.
func (c *collector) tell(at time.Time) {
	if c.Progress == nil || time.Since(c.told) < time.Second {
		return
	}
	c.told = time.Now()
	c.Progress(c.counts, at)
}
