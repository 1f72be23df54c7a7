package infer

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// lease is one partition of the clips topic while this worker holds it. What
// follows from its clips is sent and committed by it, in the order they were
// read.
type lease struct {
	*Stage
	p       *bus.Partition
	dead    *bus.DeadLetters
	feed    *feed
	senders senders
	// clips are read and not committed yet, in order. Bounded: while the group
	// gives partitions out anew, nothing is sent, and recognising goes on until this
	// is full.
	clips chan *clip
	// lost is whether another worker holds the partition, or the stage has given up.
	lost func() bool
}

// hold reads, recognises and publishes a partition's clips until it is another
// worker's, or until consuming ends, when what was read is still published while
// work lasts.
func (s *Stage) hold(consuming, work context.Context) func(context.Context, *bus.Partition) error {
	return func(ctx context.Context, p *bus.Partition) error {
		held, lose := context.WithCancel(work)
		defer lose()
		defer context.AfterFunc(ctx, func() {
			// In this order: when consuming ends, so does ctx.
			if consuming.Err() == nil {
				lose()
			}
		})()
		l, err := s.newLease(p, func() bool { return held.Err() != nil })
		if err != nil {
			return err
		}
		defer s.backlog.remove(l.feed)
		reading, stopReading := context.WithCancel(ctx)
		defer stopReading()
		var g errgroup.Group
		g.Go(func() error {
			defer stopReading()
			return l.publish(held)
		})
		g.Go(func() error {
			defer close(l.clips)
			return l.read(reading)
		})
		if err := g.Wait(); err != nil {
			return err
		}
		<-ctx.Done() // the bus may know later than its Send that the partition is another's
		return nil
	}
}

func (s *Stage) newLease(p *bus.Partition, lost func() bool) (*lease, error) {
	dead, err := bus.NewDeadLetters(bus.DeadLetterOptions{
		Send: p.Send, Topic: s.Names.Of(topics.DeadLetter), Stage: "infer", Logger: s.Logger, Meter: s.Meter,
	})
	if err != nil {
		return nil, err
	}
	return &lease{
		Stage: s, p: p, dead: dead, lost: lost, feed: s.backlog.add(p), senders: newSenders(),
		clips: make(chan *clip, cap(s.order)+s.MaxBatch),
	}, nil
}

// read brings the partition's clips in until ctx ends.
func (l *lease) read(ctx context.Context) error {
	if err := l.skipOld(ctx); err != nil {
		return ended(ctx, err)
	}
	for {
		msg, err := l.p.Fetch(ctx)
		if err != nil {
			return ended(ctx, err)
		}
		c := l.newClip(ctx, msg)
		old := errors.Is(c.err, errTooOld)
		if !l.enter(ctx, c) {
			return nil
		}
		if old {
			if err := l.skipOld(ctx); err != nil {
				return ended(ctx, err)
			}
		}
	}
}

// ended is nil where an error is only that ctx has.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// enter gives a clip to the stage; false when ctx ended before.
func (l *lease) enter(ctx context.Context, c *clip) bool {
	if l.room.Acquire(ctx, c.weight()) != nil {
		c.drop()
		c.span.End()
		return false
	}
	l.feed.read(c.msg.Time, c.age)
	select {
	case l.clips <- c:
	case <-ctx.Done():
		c.drop()
		l.leave(c)
		return false
	}
	if c.err != nil {
		c.finish()
		return true
	}
	select {
	case l.order <- c:
	case <-ctx.Done():
		c.drop()
		return false
	}
	// What is in order must be decoded, whatever has ended. Decoders never wait.
	l.decode <- c
	return true
}
