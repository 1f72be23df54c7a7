package infer

import (
	"context"
	"errors"
	"fmt"

	"github.com/frostwatch/frostwatch/bus"
)

// publish sends the results of the lease's clips and commits the clips, in order,
// until ctx ends, no more are read, or the partition goes to another worker, who
// then reads again what is not committed.
func (l *lease) publish(ctx context.Context) error {
	var waiting []*clip // taken from l.clips, at most MaxBatch
	defer func() {
		for _, c := range waiting {
			l.leave(c)
		}
		for c := range l.clips {
			l.leave(c)
		}
	}()
	for {
		if waiting = l.take(waiting); len(waiting) == 0 {
			return nil
		}
		select {
		case <-waiting[0].recognised:
		case <-l.gone:
		case <-ctx.Done():
		}
		done := recognised(waiting)
		if done == 0 {
			return nil
		}
		if err := l.settle(ctx, waiting[:done]); err != nil {
			return l.stopped(ctx, err)
		}
		for _, c := range waiting[:done] {
			l.leave(c)
		}
		waiting = waiting[done:]
	}
}

// take adds clips that have been read to waiting. If waiting is empty it blocks
// until there is one; it returns an empty list when no more come.
func (l *lease) take(waiting []*clip) []*clip {
	if len(waiting) == 0 {
		c, ok := <-l.clips
		if !ok {
			return nil
		}
		waiting = append(waiting, c)
	}
	for len(waiting) < l.MaxBatch {
		select {
		case c, ok := <-l.clips:
			if !ok {
				return waiting
			}
			waiting = append(waiting, c)
		default:
			return waiting
		}
	}
	return waiting
}

// recognised is how many clips, from the first on, have been recognised or have an
// error. It stops at a dropped clip, because committing a later one would lose it.
func recognised(clips []*clip) int {
	for n, c := range clips {
		select {
		case <-c.recognised:
			if c.dropped {
				return n
			}
		default:
			return n
		}
	}
	return len(clips)
}

// leave ends what the lease does with a clip.
func (l *lease) leave(c *clip) {
	c.end()
	l.feed.left()
}

// stopped is nil if clips can't be published because another worker has the
// partition or the stage is ending, and otherwise says what failed.
func (l *lease) stopped(ctx context.Context, err error) error {
	if errors.Is(err, bus.ErrMoved) || ctx.Err() != nil {
		l.Logger.DebugContext(ctx, "clips are left to the worker that has their partition next", "partition", l.p.ID(), "error", err)
		return nil
	}
	return fmt.Errorf("publish clips of partition %d: %w", l.p.ID(), err)
}

// settle publishes the results of clips and then commits the clips.
func (l *lease) settle(ctx context.Context, clips []*clip) error {
	if err := l.send(ctx, clips); err != nil {
		return err
	}
	for _, c := range clips {
		if err := l.account(ctx, c); err != nil {
			return err
		}
	}
	return l.p.Commit(ctx, clips[len(clips)-1].msg.Offset+1)
}

// send publishes the recognitions of clips. If Kafka refuses a record for good,
// for example because it is too large, the reason becomes the clip's err.
func (l *lease) send(ctx context.Context, clips []*clip) error {
	var of []*clip // the clip of each message
	var msgs []bus.Message
	for _, c := range clips {
		if c.err == nil {
			of, msgs = append(of, c), append(msgs, c.result)
		}
	}
	if len(msgs) == 0 {
		return nil
	}
	sent, err := l.p.Send(ctx, msgs...)
	if !bus.RecordRefused(err) {
		return err
	}
	for i, c := range of {
		if sent[i].Topic != "" {
			continue
		}
		switch _, err := l.p.Send(ctx, msgs[i]); {
		case bus.RecordRefused(err):
			c.err = fmt.Errorf("its recognition of %d bytes was refused: %w", len(msgs[i].Value), err)
		case err != nil:
			return err
		}
	}
	return nil
}

// account counts a clip, and sends it to the dead letters if it can't be used.
func (l *lease) account(ctx context.Context, c *clip) error {
	age := l.Bus.Age(c.msg)
	if errors.Is(c.err, errTooOld) {
		l.metrics.drop(ctx, c.Camera, dropTooOld, 1)
		l.feed.skipped(1)
		return nil
	}
	l.feed.settled(age)
	switch {
	case c.err == nil:
		l.metrics.clips.Add(ctx, 1)
		l.metrics.latency.Record(c.ctx, age.Seconds())
		return nil
	case errors.Is(c.err, errOvertaken):
		l.metrics.drop(ctx, c.Camera, dropOvertaken, 1)
		l.Logger.WarnContext(ctx, "clip discarded", "clip", c.ID, "camera", c.Camera, "error", c.err)
		return nil
	}
	return l.dead.Add(ctx, c.msg, c.err)
}
