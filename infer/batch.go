package infer

import (
	"context"
	"fmt"
)

// batchLoop takes clips in the order they were read and recognises them batch by
// batch. It alone calls the model, so that clips come out in order; the decoders
// work on the next batch meanwhile, and the leases publish the one before.
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

// collect waits for a first clip, then for at most MaxWait for others that the
// same model recognises. The first for another model begins the next batch.
func (s *Stage) collect(ctx context.Context, first *clip) (batch []*clip, next *clip, more bool) {
	c := first
	if c == nil {
		if c, more = s.next(ctx, ctx); c == nil {
			return nil, nil, more
		}
	}
	full, cancel := context.WithTimeout(ctx, s.MaxWait)
	defer cancel()
	for batch = []*clip{c}; len(batch) < s.MaxBatch; batch = append(batch, c) {
		if c, more = s.next(ctx, full); c == nil {
			return batch, nil, more
		}
		if c.service != batch[0].service {
			return batch, c, true
		}
	}
	return batch, nil, true
}

// next is the next clip, decoded; nil where none has come before full ended, or,
// with more false, where none will come. What has come already is given also
// after full ended: a busy worker's batches are whole.
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

// recognise gives each clip of a batch its recognition, or the reason why there
// is none, and hands it back to its lease. An error is that of a model that fails
// on anything.
func (s *Stage) recognise(ctx context.Context, batch []*clip) error {
	usable := batch[:0:0]
	for _, c := range batch {
		switch {
		case c.lease.lost():
			c.drop()
		case c.err != nil:
			c.finish()
		case s.tooOld(s.Bus.Age(c.msg)):
			// It became so in here: a model that can't keep up is to see newer ones.
			c.err = errTooOld
			c.finish()
		default:
			usable = append(usable, c)
		}
	}
	if len(usable) == 0 {
		return nil
	}
	// One vocabulary for the whole batch.
	matrix := usable[0].service.Vocabulary.Current()
	if matrix == nil {
		// A clip scored against nothing would be acknowledged and lost.
		return fmt.Errorf("model %s has lost its vocabulary", usable[0].service.Model.ID())
	}
	runs, err := s.embed(ctx, usable)
	if err != nil {
		return err
	}
	for _, r := range runs {
		for i, c := range r.clips {
			c.result, c.err = s.recognition(r, i, matrix)
		}
	}
	for _, c := range usable {
		c.finish()
	}
	return nil
}
