package infer

import (
	"context"
	"errors"
	"fmt"
)

// errEnded is returned by Swap when the stage has ended.
var errEnded = errors.New("swap the model: infer has ended")

// CloseError means that the new model is in service, but that closing the model
// before it failed. The memory of that model may not be freed until the process
// ends.
type CloseError struct {
	Model string // id of the model that could not be closed
	Err   error
}

func (e *CloseError) Error() string {
	return fmt.Sprintf("close model %s, which is no longer in service: %v", e.Model, e.Err)
}

// Unwrap is the error of closing the model.
func (e *CloseError) Unwrap() error { return e.Err }

// Swap puts next in service. Clips that are read from now on are recognised by it;
// clips read before are still recognised by the recogniser before it, with that
// one's model id and vocabulary. Swap returns when the recogniser before has been
// closed. If ctx ends earlier, next is in service all the same, and the stage
// closes the one before when Run ends. The vocabulary of next must be ready. The
// stage closes next, also if Swap fails. After a *CloseError next is in service.
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
