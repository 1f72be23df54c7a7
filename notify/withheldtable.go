package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// The table of what is withheld has a record for each alert and receiver, in the partition
// of the alert's own records. It is written before the offsets of those are committed, and
// one that is over is removed after that: what is read again after a crash finds it.

// loadWithheld reads what the receiver's worker before has left. begun is whether the
// receiver is a new one, and skipped whether records were passed over that may have been
// clears.
func (w *worker) loadWithheld(ctx context.Context, begun, skipped bool) error {
	rows, err := w.rowsOfWithheld(ctx)
	if err != nil {
		return w.tableFails(fmt.Errorf("read what silences keep from the receiver: %w", err))
	}
	var open map[string]bool
	if skipped {
		if open, err = w.openIDs(ctx); err != nil {
			return w.tableFails(err)
		}
	}
	for _, row := range rows {
		one, err := topics.DecodeWithheld(row.Value)
		if err != nil || one.TableKey() != string(row.Key) {
			continue
		}
		// Of receivers that there are no more, nobody removes records before this.
		if w.Bus.Age(row) > topics.MaxSilence {
			if err := w.erase(ctx, one); err != nil {
				return err
			}
			continue
		}
		if one.Receiver == w.filmGroup() {
			if err := w.owedFilm(ctx, one, !begun, w.Bus.Age(row)); err != nil {
				return err
			}
			continue
		}
		if one.Receiver != GroupOf(w.Stage.Group, w.Name) {
			continue
		}
		if begun || skipped && !open[one.Alert] || one.Over() && one.Last() < w.next {
			if err := w.erase(ctx, one); err != nil {
				return err
			}
			continue
		}
		if len(w.later.byAlert) < maxWithheld {
			w.later.take(one)
		}
	}
	w.later.loosened = -1 // work out the ends
	return nil
}

// take takes an alert of the table.
func (l *withheld) take(one topics.WithheldAlert) {
	h := &heldAlert{WithheldAlert: one, due: one.Delivered}
	l.byAlert[one.Alert] = h
	if one.Over() {
		l.over = append(l.over, h)
	}
}

// rowsOfWithheld are the newest records of the partition's keys.
func (w *worker) rowsOfWithheld(ctx context.Context) (map[string]bus.Message, error) {
	const most = 10 * maxWithheld
	rows := map[string]bus.Message{}
	err := w.Bus.Replay(ctx, w.Names.Of(topics.Withheld), w.ID(), 0, -1, func(m bus.Message) error {
		if len(m.Value) == 0 {
			delete(rows, string(m.Key))
		} else if _, known := rows[string(m.Key)]; known || len(rows) < most {
			rows[string(m.Key)] = m
		}
		return nil
	})
	return rows, err
}

// openIDs are the ids of the partition's alerts that are open.
func (w *worker) openIDs(ctx context.Context) (map[string]bool, error) {
	byKey := newOpenAlerts()
	err := w.Bus.Replay(ctx, w.Names.Of(topics.OpenAlerts), w.ID(), 0, -1, func(m bus.Message) error {
		_ = byKey.take(m) // what nobody can use is no open alert
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read which alerts are open: %w", err)
	}
	ids := map[string]bool{}
	for _, l := range byKey.byKey {
		ids[l.alert.ID] = true
	}
	return ids, nil
}

// write brings the table up to date.
func (w *worker) write(ctx context.Context, h *heldAlert) error { return w.note(ctx, h.WithheldAlert) }

func (w *worker) note(ctx context.Context, one topics.WithheldAlert) error {
	value, err := topics.EncodeWithheld(one)
	if err != nil { // an alert that was accepted has nothing that the table does not take
		return err
	}
	return w.put(ctx, one, value)
}

func (w *worker) erase(ctx context.Context, one topics.WithheldAlert) error {
	return w.put(ctx, one, nil)
}

func (w *worker) put(ctx context.Context, one topics.WithheldAlert, value []byte) error {
	_, err := w.Send(ctx, bus.Message{Topic: w.Names.Of(topics.Withheld), Key: []byte(one.TableKey()), PartitionBy: []byte(one.Key), Value: value})
	if err != nil && bus.Permanent(err) {
		return w.tableFails(fmt.Errorf("note what silences keep from the receiver: %w", err))
	}
	if err == nil {
		w.Reporter.Warning(w.withheldPart(), nil)
	}
	return err
}

// tableFails reports that the table is refused, which keeps nothing from being delivered:
// until a restart all is as it should be.
func (w *worker) tableFails(err error) error {
	if !bus.Permanent(err) || errors.Is(err, bus.ErrMoved) {
		return err
	}
	w.Reporter.Warning(w.withheldPart(), fmt.Errorf("%w; after a restart, alerts that are open when a silence ends, and films that were to come, are not delivered", err))
	return nil
}

// longLook is how long a silence's end is waited for without another look at the clock, which
// may be set meanwhile.
const longLook = time.Minute

// wakeAtEnds wakes what shows open alerts whenever one may be silenced no more.
func (s *Stage) wakeAtEnds(ctx context.Context) {
	for ctx.Err() == nil {
		now := s.Bus.Now()
		_, changed := s.silences.state()
		wait := time.NewTimer(min(s.silences.next(now).Sub(now), longLook))
		select {
		case <-ctx.Done():
		case <-wait.C:
		case <-changed:
		}
		wait.Stop()
		s.open.wake()
		pause.For(ctx, 100*time.Millisecond) // for more changes
	}
}
