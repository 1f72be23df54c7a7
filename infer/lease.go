package infer

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// lease is one partition of the clips topic while this worker holds it. It
// publishes and commits the results of its clips in the order in which they were
// read.
type lease struct {
	*Stage
	p       *bus.Partition
	dead    *bus.DeadLetters
	feed    *feed
	senders senders
	// clips are read and not committed yet, in order. It is bounded: while the
	// group reassigns its partitions nothing can be sent, and recognising goes on
	// until this is full.
	clips chan *clip
	// gone is closed when the partition goes to another worker, who then reads
	// again what is not recognised.
	gone <-chan struct{}
}

// hold returns the handler of a partition. It reads, recognises and publishes the
// partition's clips until the partition goes to another worker, or until consuming
// ends; then all clips that were read are still recognised and published. Either
// takes at most bus.Grace. work is the context of the decoders and the model.
func (s *Stage) hold(consuming, work context.Context) func(context.Context, *bus.Partition) error {
	return func(ctx context.Context, p *bus.Partition) error {
		gone := make(chan struct{})
		defer context.AfterFunc(ctx, func() {
			// ctx ends also when consuming does, so consuming is checked.
			if consuming.Err() == nil {
				close(gone)
			}
		})()
		l, err := s.newLease(p, gone)
		if err != nil {
			return err
		}
		defer s.backlog.remove(l.feed)
		publishing, stop := pause.Outlive(ctx, bus.Grace)
		defer stop()
		defer context.AfterFunc(work, stop)()
		reading, stopReading := context.WithCancel(ctx)
		defer stopReading()
		var g errgroup.Group
		g.Go(func() error {
			defer stopReading()
			return l.publish(publishing)
		})
		g.Go(func() error {
			defer close(l.clips)
			return l.read(reading)
		})
		if err := g.Wait(); err != nil {
			return err
		}
		<-ctx.Done() // Send may find out earlier that another worker has the partition
		return nil
	}
}

// lost reports whether the partition has gone to another worker or is about to.
func (l *lease) lost() bool {
	select {
	case <-l.gone:
		return true
	default:
		return false
	}
}

func (s *Stage) newLease(p *bus.Partition, gone <-chan struct{}) (*lease, error) {
	dead, err := bus.NewDeadLetters(bus.DeadLetterOptions{
		Send: p.Send, Topic: s.Names.Of(topics.DeadLetter), Stage: "infer", Logger: s.Logger, Meter: s.Meter, Reporter: s.Reporter,
	})
	if err != nil {
		return nil, err
	}
	return &lease{
		Stage: s, p: p, dead: dead, gone: gone, feed: s.backlog.add(p), senders: newSenders(),
		clips: make(chan *clip, cap(s.order)+s.MaxBatch),
	}, nil
}

// read reads the partition's clips until ctx ends.
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

// ended is err, or nil if ctx has ended, which is then the cause.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// enter passes a clip on to the decoders and the model; false if ctx ended before
// there was room for it.
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
	// batchLoop waits for every clip in order to be decoded, so it is sent to the
	// decoders even if ctx has ended. They always receive.
	l.decode <- c
	return true
}
