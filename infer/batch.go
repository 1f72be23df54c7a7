package infer

import (
	"context"
	"time"
)

// batchLoop takes clips in the order in which they were read and recognises them
// batch by batch. Nothing else calls the model, so the order is kept. Meanwhile
// the decoders work on the next batch, and the leases publish the one before.
func (s *Stage) batchLoop(ctx context.Context) error {
	var next *clip
	for {
		var batch []*clip
		var more bool
		batch, next, more = s.collect(ctx, next)
		if err := s.recognise(ctx, batch); err != nil {
			return err
		}
		if !more {
			return nil
		}
	}
}

// collect waits for a clip, unless it is given the first one, and then for at
// most MaxWait for more clips of the same model, until they have as many squares together
// as a batch should. next is a clip of another model, which begins the next batch. more is false when no clip will follow.
func (s *Stage) collect(ctx context.Context, first *clip) (batch []*clip, next *clip, more bool) {
	c := first
	if c == nil {
		if c, more = s.next(ctx, ctx); c == nil {
			return nil, nil, more
		}
	}
	full, cancel := context.WithTimeout(ctx, s.MaxWait)
	defer cancel()
	batch = []*clip{c}
	for n, most := len(c.looks), s.pace.squares(); n < most; n += len(c.looks) {
		if c, more = s.next(ctx, full); c == nil {
			return batch, nil, more
		}
		if c.service != batch[0].service {
			return batch, c, true
		}
		batch = append(batch, c)
	}
	return batch, nil, true
}

// next returns the next clip, decoded; nil if none has come before full ended or,
// with more false, none will come. A clip that is already waiting is returned even
// after full has ended, so that a busy worker's batches are full.
func (s *Stage) next(ctx, full context.Context) (c *clip, more bool) {
	select {
	case c = <-s.order:
	default:
		select {
		case c = <-s.order:
		case <-full.Done():
			return nil, ctx.Err() == nil
		}
	}
	if c == nil { // order is closed
		return nil, false
	}
	select {
	case <-c.decoded:
		return c, true
	case <-ctx.Done():
		return nil, false
	}
}

// recognise sets the recognition of each clip of a batch, or the reason why it has
// none, and returns the clips to their leases. An error means that the model fails
// on every clip.
func (s *Stage) recognise(ctx context.Context, batch []*clip) error {
	usable := batch[:0:0]
	for _, c := range batch {
		switch {
		case c.lease.lost():
			c.drop()
		case c.err != nil:
			c.finish()
		case s.tooOld(s.Bus.Age(c.msg)):
			// It became too old while it waited here. A model that can't keep up
			// continues with newer clips.
			c.err = errTooOld
			c.finish()
		default:
			usable = append(usable, c)
		}
	}
	if len(usable) == 0 {
		return nil
	}
	if err := s.vocabularies(ctx, usable); err != nil {
		return err
	}
	var fresh []*clip
	for _, c := range usable {
		if s.quiet.repeats(c) {
			s.metrics.repeated.Add(ctx, 1)
		} else {
			fresh = append(fresh, c)
		}
	}
	if err := s.see(ctx, fresh); err != nil {
		return err
	}
	for _, c := range usable {
		if c.err == nil {
			c.result, c.err = s.recognition(c)
		}
		c.finish()
	}
	return nil
}

// see embeds clips.
func (s *Stage) see(ctx context.Context, clips []*clip) error {
	if len(clips) == 0 {
		return nil
	}
	runs, err := s.embed(ctx, clips)
	if err != nil {
		return err
	}
	took, squares := time.Duration(0), 0
	for _, r := range runs {
		r.spread()
		took, squares = took+r.took, squares+len(r.squares)
	}
	s.pace.note(took, squares)
	for _, c := range clips {
		if c.err == nil {
			s.quiet.note(c)
		}
	}
	return nil
}
