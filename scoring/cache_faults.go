package scoring

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// use is what is done with the cache.
type use string

const (
	reading use = "reading"
	writing use = "writing"
)

// noteCache logs a failure of the cache once, until it fails in another way or
// everything works again: where Redis is full, reading works and writing does not.
// Without the cache texts are embedded again, which costs nothing but time.
func (e *Embeddings) noteCache(ctx context.Context, of use, err error) {
	if ctx.Err() != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil {
		if _, failed := e.faults[of]; failed {
			delete(e.faults, of)
			if len(e.faults) == 0 {
				e.Logger.InfoContext(ctx, "vocabulary: text embeddings are cached again")
			}
		}
		return
	}
	now, known := kind(err), false
	for _, was := range e.faults {
		known = known || was == now
	}
	e.faults[of] = now
	if !known {
		e.Logger.WarnContext(ctx, "vocabulary: text embeddings are not cached", "error", err)
	}
}

// kind is what errors of one cause have in common: the code of Redis's error, such
// as OOM, or nothing where Redis did not answer, as texts of such errors differ in
// ports.
func kind(err error) string {
	var answer redis.Error
	if !errors.As(err, &answer) {
		return ""
	}
	code, _, _ := strings.Cut(answer.Error(), " ")
	return code
}
