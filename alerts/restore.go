package alerts

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// remembered is how far back the alerts topic is read at an assignment. An alert
// that has been active for longer is not known any more: it is raised again, as
// another alert, and the old one stays without a clear. The same holds for a
// cooldown.
const remembered = 7 * 24 * time.Hour

// restore gives the engine what the partition's last worker knew. Which alerts
// are raised, and which cooldowns run, stands on the alerts topic; the windows
// come from the recognitions just before the committed one. An alert published
// by a worker that died before its commit is found there too, and not published
// again.
func (w *worker) restore(ctx context.Context, rules *RuleSet) error {
	// One camera's actions and alerts share a partition number (topics.Specs).
	err := w.Bus.ReadSince(ctx, w.Names.Of(topics.Alerts), w.p.ID(), w.Now().Add(-remembered), func(m bus.Message) error {
		a, err := topics.DecodeAlert(m.Value)
		if err == nil && a.At.Sub(w.Now()) > maxAhead {
			err = fmt.Errorf("it is dated %v", a.At)
		}
		if err != nil {
			w.Logger.WarnContext(ctx, "alert on the topic passed over", "partition", m.Partition, "offset", m.Offset, "error", err)
			return nil
		}
		w.engine.Restore(a)
		if a.State == topics.AlertRaised {
			w.open[a.ID] = a
		} else {
			delete(w.open, a.ID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := w.warm(ctx, rules); err != nil {
		return err
	}
	// Rules may have gone while nobody was here to clear their alerts.
	return w.publish(ctx, append(w.engine.Restored(), w.engine.SetRules(rules)...), nil)
}

func (w *worker) warm(ctx context.Context, rules *RuleSet) error {
	first, _, err := w.p.Bounds(ctx)
	if err != nil {
		return err
	}
	next := w.p.Committed()
	if next <= first {
		return nil
	}
	last, err := w.Bus.FetchOne(ctx, w.p.Topic(), w.p.ID(), next-1)
	if err != nil {
		// Gone by retention: nothing before it is left either.
		return nil //nolint:nilerr // see above
	}
	if err := w.p.SeekTime(ctx, last.Time.Add(-horizon(rules))); err != nil {
		return err
	}
	for {
		m, err := w.p.Fetch(ctx)
		if err != nil {
			return err
		}
		if m.Offset >= next {
			break
		}
		if rec, err := w.decode(m); err == nil {
			w.engine.Warm(rec)
		}
		if m.Offset == next-1 {
			break
		}
	}
	return w.p.SeekOffset(next)
}

// horizon is how far back to look to fill windows, allowing ten seconds a clip.
func horizon(rules *RuleSet) time.Duration {
	back := time.Minute
	for _, r := range rules.all() {
		back = max(back, time.Duration(r.kind.remembers()+1)*10*time.Second)
	}
	return back
}

// samePartitions refuses topics whose partitions do not go together: a camera's
// alerts would be looked for where they are not.
func (s *Stage) samePartitions(ctx context.Context) error {
	actions, alerts := s.Names.Of(topics.Actions), s.Names.Of(topics.Alerts)
	for {
		n, err := s.Bus.Partitions(ctx, actions)
		if err == nil {
			var m int
			if m, err = s.Bus.Partitions(ctx, alerts); err == nil && n != m {
				return fmt.Errorf("topics %s and %s have %d and %d partitions: want as many of each, so that a camera's records share a number", actions, alerts, n, m)
			}
		}
		if err == nil {
			return nil
		}
		s.Logger.DebugContext(ctx, "look up partitions", "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second/2 + rand.N(time.Second/2)):
		}
	}
}
