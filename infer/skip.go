package infer

import (
	"context"
	"fmt"
)

// skipOld skips clips that are older than MaxAge without reading them, so that a
// backlog delays no alert. If there are any, it skips to clips of half that age:
// otherwise a worker that can't keep up would stay as late as is allowed and skip
// one clip at a time.
func (l *lease) skipOld(ctx context.Context) error {
	if l.MaxAge <= 0 {
		return nil
	}
	n, err := l.p.SkipOlder(ctx, l.MaxAge)
	if err == nil && n > 0 {
		var more int64
		more, err = l.p.SkipOlder(ctx, l.MaxAge/2)
		n += more
	}
	if n > 0 {
		l.metrics.drop(ctx, "", dropTooOld, n)
		l.feed.skipped(n)
	}
	if err != nil {
		return fmt.Errorf("skip old clips of partition %d: %w", l.p.ID(), err)
	}
	return nil
}
