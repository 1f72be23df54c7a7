package vocab

import (
	"context"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// forceTime is how long an edit is waited for: normally it is in force within a second.
const forceTime = 3 * time.Second

// Await waits until none of those who have announced themselves is behind, for some
// seconds at most; where nobody has, until somebody does, for missing at most.
func Await[T any](ctx context.Context, missing time.Duration, read func(context.Context) ([]T, error), behind func(T) bool) (force []T, err error) {
	const look = 50 * time.Millisecond
	for began := time.Now(); ; {
		if force, err = read(ctx); err != nil {
			return nil, err
		}
		waits := slices.ContainsFunc(force, behind) || len(force) == 0 && time.Since(began) < missing
		if !waits || time.Since(began) > forceTime || !pause.For(ctx, look) {
			return force, nil
		}
	}
}
