package alerts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// openTable is what the table of open alerts has of this partition, by key. The alerts
// topic is the truth; the table follows it.
type openTable map[string]entry

// maxListed bounds the open alerts of a partition that are taken over: whoever may write
// the table can add any number.
const maxListed = 50_000

// longestKey bounds a key, in bytes: ours are a camera, a slash and a rule.
const longestKey = 1024

// entry is what is compared of an alert in the table.
type entry struct{ id, severity string }

// placeOf is what the partition of a key is chosen by: its camera, or the rule where it
// has none.
func placeOf(key string) string {
	camera, rule, _ := strings.Cut(key, "/")
	return cmp.Or(camera, rule)
}

// list brings the table up to date with an alert that has been published.
func (w *worker) list(ctx context.Context, a topics.Alert) error {
	switch a.State {
	case topics.AlertRaised:
		return w.put(ctx, a)
	case topics.AlertEscalated:
		return w.put(ctx, w.open[a.ID])
	}
	if w.table[a.OpenKey()].id != a.ID { // the listed one is newer
		return nil
	}
	return w.unlist(ctx, a.OpenKey())
}

// put enters an open alert into the table. An entry that Kafka refuses for good is
// only logged: the alert itself is published.
func (w *worker) put(ctx context.Context, a topics.Alert) error {
	value, err := topics.EncodeAlert(a)
	if err != nil {
		return err
	}
	if err := w.write(ctx, a.OpenKey(), value); err != nil {
		return err
	}
	w.table[a.OpenKey()] = entry{a.ID, a.Severity}
	return nil
}

// unlist removes a key from the table.
func (w *worker) unlist(ctx context.Context, key string) error {
	if err := w.write(ctx, key, nil); err != nil {
		return err
	}
	delete(w.table, key)
	return nil
}

func (w *worker) write(ctx context.Context, key string, value []byte) error {
	m := bus.Message{Topic: w.Names.Of(topics.OpenAlerts), Key: []byte(key), PartitionBy: []byte(placeOf(key)), Value: value}
	_, err := w.p.Send(ctx, m)
	if bus.Permanent(err) && !errors.Is(err, bus.ErrMoved) {
		w.Logger.ErrorContext(ctx, "open alert not listed", "key", key, "error", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("list open alert %s: %w", key, err)
	}
	return nil
}

// readTable reads the partition's part of the table.
func (w *worker) readTable(ctx context.Context) (map[string]topics.Alert, error) {
	listed := map[string]topics.Alert{} // by id
	err := w.Bus.Replay(ctx, w.Names.Of(topics.OpenAlerts), w.p.ID(), 0, -1, func(m bus.Message) error {
		key := string(m.Key)
		if len(key) > longestKey {
			return nil
		}
		if home, err := w.Bus.PartitionOf(ctx, m.Topic, []byte(placeOf(key))); err != nil || home != m.Partition {
			return err // not written by us: it is in the wrong partition for its key
		}
		delete(listed, w.table[key].id)
		delete(w.table, key)
		if len(m.Value) == 0 {
			return nil
		}
		a, err := topics.DecodeOpenAlert(m.Key, m.Value)
		if err == nil {
			err = checkDate(m, a.At)
		}
		if err == nil && len(listed) >= maxListed {
			err = errors.New("too many are open")
		}
		if err != nil {
			w.Logger.WarnContext(ctx, "record of the table of open alerts skipped", "partition", m.Partition, "offset", m.Offset, "error", err)
			w.table[key] = entry{} // mendTable removes it
			return nil
		}
		w.table[key], listed[a.ID] = entry{a.ID, a.Severity}, a
		return nil
	})
	return listed, err
}

// mendTable makes the table match the restored state: a worker may have died
// between publishing an alert and changing the table.
func (w *worker) mendTable(ctx context.Context) error {
	open := map[string]bool{}
	for _, k := range w.keepers() {
		for _, a := range k.Open() {
			key := a.OpenKey()
			open[key] = true
			if w.table[key] == (entry{a.ID, w.open[a.ID].Severity}) {
				continue
			}
			if err := w.put(ctx, w.open[a.ID]); err != nil {
				return err
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(w.table)) {
		if open[key] {
			continue
		}
		if err := w.unlist(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
