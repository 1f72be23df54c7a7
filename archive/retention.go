package archive

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// Keep says how long and how much is kept.
type Keep struct {
	Actions, Alerts time.Duration // by record time; 0: for ever
	// Size in bytes of all segments and films together; the oldest recognitions go
	// first, then the oldest alerts. 0: no limit.
	Size int64
	// Films bounds the bytes of the films of alerts, which are kept as long as alerts;
	// the oldest go first. 0: half of Size.
	Films int64
}

func (k Keep) check() error {
	for name, age := range map[string]time.Duration{"actions": k.Actions, "alerts": k.Alerts} {
		if age != 0 && age < time.Hour {
			return fmt.Errorf("archive.retention.%s: %v: want 0, for ever, or at least 1h", name, age)
		}
	}
	if k.Size < 0 {
		return fmt.Errorf("archive.retention.size: %d: want 0, no limit, or more", k.Size)
	}
	if k.Films < 0 {
		return fmt.Errorf("archive.retention.films: %d: want 0, half of size, or more", k.Films)
	}
	return nil
}

func (k Keep) age(t topics.Topic) time.Duration {
	if t == topics.Alerts {
		return k.Alerts
	}
	return k.Actions
}

// retain removes what is too old or too much, at the start and each hour. Every
// worker does it: that another has removed a segment is no error.
func (s *Stage) retain(ctx context.Context) error {
	const part = "archive retention"
	for {
		err := s.removeOld(ctx)
		if ctx.Err() != nil {
			return nil
		}
		s.Reporter.Warning(part, err)
		if err != nil {
			s.Logger.ErrorContext(ctx, "archive: segments not removed", "error", err)
		}
		if !pause.For(ctx, time.Hour-rand.N(10*time.Minute)) {
			return nil
		}
	}
}

func (s *Stage) removeOld(ctx context.Context) error {
	var kept []Segment
	now := s.Now()
	var errs []error
	for _, t := range kinds() {
		all, err := s.Bucket.segments(ctx, t, time.Time{}, farFuture, func(o object) {
			// Left by an interrupted write to a folder.
			if strings.HasSuffix(o.key, ".tmp") && now.Sub(o.modified) > 24*time.Hour {
				errs = append(errs, s.Bucket.remove(ctx, o.key))
			}
		})
		if err != nil {
			return err
		}
		for _, g := range all {
			if age := s.Keep.age(t); age > 0 && now.Sub(g.Hour.Add(time.Hour)) > age {
				errs = append(errs, s.remove(ctx, g))
				continue
			}
			kept = append(kept, g)
		}
	}
	size, err := s.keptFilms(ctx)
	return errors.Join(append(errs, err, s.removeTooMuch(ctx, kept, size))...)
}

// removeTooMuch removes the oldest segments where they take too much beside what else is
// in the bucket.
func (s *Stage) removeTooMuch(ctx context.Context, all []Segment, size int64) error {
	for _, g := range all {
		size += g.Size
	}
	if s.Keep.Size == 0 || size <= s.Keep.Size {
		return nil
	}
	slices.SortStableFunc(all, func(a, b Segment) int {
		if a.Topic != b.Topic {
			return strings.Compare(string(a.Topic), string(b.Topic)) // actions first
		}
		return a.Hour.Compare(b.Hour)
	})
	for _, g := range all {
		if size <= s.Keep.Size {
			break
		}
		if err := s.remove(ctx, g); err != nil {
			return err
		}
		size -= g.Size
	}
	return nil
}

func (s *Stage) remove(ctx context.Context, g Segment) error {
	if err := s.Bucket.remove(ctx, g.Key()); err != nil {
		return err
	}
	s.metrics.removed.Add(ctx, 1)
	return nil
}
