package alerts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// budgets is the table of thresholds that keep rules' budgets.
type budgets struct {
	ready  chan struct{} // closed once the table has been read, or can't be
	opened sync.Once

	mu      sync.Mutex
	cameras map[string]*ownThresholds
	entries int
}

// ownThresholds are those of one camera, by rule.
type ownThresholds struct {
	version int // rises with each change
	rules   map[string]topics.Threshold
}

func newBudgets() *budgets {
	return &budgets{ready: make(chan struct{}), cameras: map[string]*ownThresholds{}}
}

func (b *budgets) open() { b.opened.Do(func() { close(b.ready) }) }

// followBudgets keeps up with the table until ctx ends. While it can't be read, rules
// with a budget raise at the default, and a warning says so.
func (s *Stage) followBudgets(ctx context.Context) {
	s.Bus.Table(s.Names.Of(topics.Thresholds)).Keep(ctx, s.budgets.note, func(err error) {
		s.budgets.open()
		if err != nil {
			err = fmt.Errorf("rules with a budget of false alarms raise at a contrast of %v on every camera: %w", DefaultContrast, err)
		}
		s.Reporter.Warning("thresholds", err)
	})
}

// note takes a record of the table; an empty one removes its key.
func (b *budgets) note(m bus.Message) error {
	key, value := string(m.Key), m.Value
	camera, rule, ok := topics.SplitRuleKey(key)
	if !ok {
		return fmt.Errorf("key %.80q: want camera/rule", key)
	}
	var t topics.Threshold
	if len(value) > 0 {
		var err error
		if t, err = topics.DecodeThreshold(value); err != nil {
			return err
		}
		if t.Camera != camera || t.Rule != rule {
			return fmt.Errorf("key %.80q: the record is of another camera or rule", key)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	own := b.cameras[camera]
	if own == nil {
		switch {
		case len(value) == 0:
			return nil
		case b.entries >= maxThresholds, len(b.cameras) >= maxThresholds: // a camera is kept when its rules are gone
			return errors.New("the table has too many entries")
		}
		own = &ownThresholds{rules: map[string]topics.Threshold{}}
		b.cameras[camera] = own
	}
	_, known := own.rules[rule]
	switch {
	case len(value) == 0:
		delete(own.rules, rule)
		if known {
			b.entries--
		}
	case !known && b.entries >= maxThresholds:
		return errors.New("the table has too many entries")
	default:
		own.rules[rule] = t
		if !known {
			b.entries++
		}
	}
	own.version++
	return nil
}

// since returns a camera's thresholds if they have changed since a version.
func (b *budgets) since(camera string, version int) (rules map[string]topics.Threshold, now int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	own := b.cameras[camera]
	if own == nil || own.version == version {
		return nil, version
	}
	return maps.Clone(own.rules), own.version
}

// applyBudgets gives the engine a camera's thresholds as they are now.
func (w *worker) applyBudgets(camera string) {
	before := w.applied[camera]
	rules, now := w.budgets.since(camera, before.version)
	if now == before.version {
		return
	}
	for rule := range before.rules {
		if _, still := rules[rule]; !still {
			w.engine.SetThreshold(camera, rule, nil)
		}
	}
	for rule, t := range rules {
		w.engine.SetThreshold(camera, rule, &t)
	}
	if len(w.applied) >= maxCameras {
		clear(w.applied)
	}
	w.applied[camera] = ownThresholds{now, rules}
}
