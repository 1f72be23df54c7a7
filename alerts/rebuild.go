package alerts

import (
	"context"

	"github.com/frostwatch/frostwatch/internal/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// rebuild gives the engine what the partition's last worker knew. Which alerts
// are raised, and which cooldowns run, stands on the alerts topic; the windows
// come from the recognitions just before the committed one. An alert published
// by a worker that died before its commit is found there too, and not published
// again.
func (w *worker) rebuild(ctx context.Context, rules []Rule) error {
	// One camera's actions and alerts share a partition number (topics.Specs).
	err := w.Bus.Read(ctx, w.Names.Of(topics.Alerts), w.p.ID(), 0, true, func(m bus.Message) error {
		a, err := topics.DecodeAlert(m.Value)
		if err != nil {
			w.Logger.WarnContext(ctx, "unreadable alert passed over", "partition", m.Partition, "offset", m.Offset, "error", err)
			return nil
		}
		w.published[a.EventID()] = true
		w.engine.Restore(a)
		return nil
	})
	if err != nil {
		return err
	}
	return w.warm(ctx, rules)
}

func (w *worker) warm(ctx context.Context, rules []Rule) error {
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
		return nil
	}
	if err := w.p.SeekTime(ctx, last.Time.Add(-memory(rules))); err != nil {
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
		if rec, err := topics.DecodeRecognition(m.Value); err == nil {
			w.engine.Warm(rec)
		}
		if m.Offset == next-1 {
			break
		}
	}
	return w.p.SeekOffset(next)
}
