package infer

import (
	"context"
	"errors"
	"fmt"
)

// errEnded is the answer to a swap in a stage that has ended.
var errEnded = errors.New("swap the model: infer has ended")

// CloseError says that a model is in service, but that the one before it could
// not be closed: its memory may be lost until the process ends.
type CloseError struct {
	Model string // id of the one before
	Err   error
}

func (e *CloseError) Error() string {
	return fmt.Sprintf("close model %s, which is no longer in service: %v", e.Model, e.Err)
}

// Unwrap is why.
func (e *CloseError) Unwrap() error { return e.Err }

// Swap puts next in service: clips read from now on are its, those read before
// are finished by the recogniser that they were read for, with its model id and
// vocabulary. It returns when the one before has been closed, or ctx ends; the
// stage then closes it at its own end. The stage owns next from here on, also
// when Swap fails. Its vocabulary must be ready. A CloseError means that next is
// in service nevertheless.
func (s *Stage) Swap(ctx context.Context, next Recogniser) error {
	if err := next.check(); err != nil {
		return err
	}
	if next.Vocabulary.Current() == nil {
		return errors.Join(errors.New("swap the model: its vocabulary is not ready yet"), next.Close())
	}
	taken := newService(next)
	old, ok := s.services.replace(taken)
	if !ok {
		return errors.Join(errEnded, taken.close())
	}
	s.metrics.swaps.Add(ctx, 1)
	s.Logger.InfoContext(ctx, "model in service", "model", next.Model.ID(), "before", old.Model.ID())
	select {
	case <-old.idle:
	case <-s.services.stopped:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
	s.services.forget(old)
	if err := old.close(); err != nil {
		return &CloseError{Model: old.Model.ID(), Err: err}
	}
	return nil
}
