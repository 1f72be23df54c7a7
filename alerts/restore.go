package alerts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// remembered is how far back the alerts topic is read at an assignment. A longer
// cooldown is cut short by that. An alert that has been open for longer is known
// from the table of open alerts.
const remembered = 7 * 24 * time.Hour

// restore gives the engine what the partition's last worker knew. The alerts topic
// says which alerts are open and which cooldowns run; the rules' memories come from
// the recognitions just before the committed offset. An alert that a worker published
// before it died without a commit is found too, and not published again. What a
// worker left undone is done: clears that are missing, clears of alerts whose rule is
// gone, and entries of the table of open alerts.
func (w *worker) restore(ctx context.Context, rules *RuleSet) error {
	if err := w.restoreAlerts(ctx); err != nil {
		return err
	}
	if err := w.restoreMemories(ctx); err != nil {
		return err
	}
	var left []topics.Alert
	for _, k := range w.keepers() {
		left = append(left, k.Restored()...)
	}
	if err := w.publish(ctx, append(left, w.setRules(rules)...), nil); err != nil {
		return err
	}
	return w.mendTable(ctx)
}

func (w *worker) restoreAlerts(ctx context.Context) error {
	older, err := w.readTable(ctx)
	if err != nil {
		return err
	}
	// One camera's actions and alerts share a partition number (topics.Specs).
	topic := w.Names.Of(topics.Alerts)
	from, err := w.Bus.OffsetAt(ctx, topic, w.p.ID(), w.Now().Add(-remembered))
	if err != nil {
		return err
	}
	generations := bus.Generations{Forged: func(n int, by bus.Message) {
		w.Logger.WarnContext(ctx, "somebody else wrote to the topic of alerts under a forged generation", "partition", by.Partition, "generation", n, "until_offset", by.Offset)
	}}
	err = w.Bus.Replay(ctx, topic, w.p.ID(), from, -1, func(m bus.Message) error {
		a, err := topics.DecodeAlert(m.Value)
		if err == nil {
			err = checkDate(m, a.At)
		}
		if err == nil && generations.Stale(m) {
			err = errors.New("it was sent by a worker that had lost the partition")
		}
		if err != nil {
			w.Logger.WarnContext(ctx, "alert on the topic skipped", "partition", m.Partition, "offset", m.Offset, "error", err)
			return nil
		}
		delete(older, a.ID)
		w.keeper(a).Restore(a)
		w.note(a)
		return nil
	})
	for _, id := range slices.Sorted(maps.Keys(older)) {
		w.keeper(older[id]).RestoreOlder(older[id])
		w.note(older[id])
	}
	return err
}

// keeper is what raises and clears alerts of one kind, and knows which are open.
type keeper interface {
	Restore(topics.Alert)
	RestoreOlder(topics.Alert)
	Restored() []topics.Alert
	Open() []topics.Alert
}

func (w *worker) keepers() []keeper { return []keeper{w.engine, w.streams, w.counting.counter} }

// keeper is the one that raised an alert.
func (w *worker) keeper(a topics.Alert) keeper {
	switch {
	case a.Measure == string(ByStream):
		return w.streams
	case len(a.Cameras) > 0:
		return w.counting.counter
	}
	return w.engine
}

// samePartitions refuses topics with different numbers of partitions: a camera's
// alerts would be looked for in the wrong partition.
func (s *Stage) samePartitions(ctx context.Context) error {
	for {
		err := s.comparePartitions(ctx)
		if err == nil || errors.As(err, new(*partitionsError)) {
			return err
		}
		s.Logger.DebugContext(ctx, "look up partitions", "error", err)
		if !pause.For(ctx, time.Second/2+rand.N(time.Second/2)) {
			return ctx.Err()
		}
	}
}

// partitionsError says that a topic has more or fewer partitions than the actions
// topic.
type partitionsError struct {
	actions, other string
	n, m           int
}

func (e *partitionsError) Error() string {
	return fmt.Sprintf("topics %s and %s have %d and %d partitions: want as many of each, so that a camera's records share a number", e.actions, e.other, e.n, e.m)
}

func (s *Stage) comparePartitions(ctx context.Context) error {
	return s.compareWith(ctx, topics.Alerts, topics.OpenAlerts)
}

// compareWith compares the actions topic with others.
func (s *Stage) compareWith(ctx context.Context, all ...topics.Topic) error {
	actions := s.Names.Of(topics.Actions)
	n, err := s.Bus.Partitions(ctx, actions)
	if err != nil {
		return err
	}
	for _, t := range all {
		other := s.Names.Of(t)
		m, err := s.Bus.Partitions(ctx, other)
		if err != nil {
			return err
		}
		if n != m {
			return &partitionsError{actions: actions, other: other, n: n, m: m}
		}
	}
	return nil
}
