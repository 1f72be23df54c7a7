package console

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// lookEvery is how often the state of cameras is looked at: some of it changes as
	// time passes, such as that a worker has not been heard of.
	lookEvery = time.Second
	// fresh is how old the recognitions are at most with which the wall begins.
	fresh = 15 * time.Second
	// againAfter is the pause before what could not be followed is followed anew.
	againAfter = 5 * time.Second
)

func (c *Console) followCameras(ctx context.Context) {
	look := func() {
		c.queue.prune(time.Now())
		all, err := c.cameras.List()
		if errors.Is(err, cameras.ErrNotRead) {
			return
		}
		c.fault("cameras", err)
		c.wall.setCameras(all)
		c.pulse.look(c.wall.line(who{All: true}), time.Now())
	}
	look()
	pause.Every(ctx, lookEvery, look)
}

func (c *Console) followOpen(ctx context.Context) {
	c.Bus.Table(c.Names.Of(topics.OpenAlerts)).Keep(ctx, func(m bus.Message) error {
		key := string(m.Key)
		if len(m.Value) == 0 {
			c.wall.setOpen(key, nil)
			c.queue.setOpen(key, nil, time.Now())
			return nil
		}
		a, err := topics.DecodeOpenAlert(m.Key, m.Value)
		if err != nil {
			c.wall.setOpen(key, nil)
			c.queue.setOpen(key, nil, time.Now())
			return err
		}
		c.wall.setOpen(key, &a)
		c.queue.setOpen(key, &a, time.Now())
		return nil
	}, func(err error) { c.fault("open alerts", err) })
}

func (c *Console) followThresholds(ctx context.Context) {
	c.Bus.Table(c.Names.Of(topics.Thresholds)).Keep(ctx, func(m bus.Message) error {
		key := string(m.Key)
		if len(m.Value) == 0 {
			c.wall.setLimit(key, nil)
			return nil
		}
		t, err := topics.DecodeThreshold(m.Value)
		if err == nil && topics.RuleKey(t.Camera, t.Rule) == key {
			c.wall.setLimit(key, &t)
		}
		return err
	}, func(err error) { c.fault("thresholds", err) })
}

// followActions shows recognitions as they come.
func (c *Console) followActions(ctx context.Context) {
	for ctx.Err() == nil {
		err := c.Bus.ReadAll(ctx, c.Names.Of(topics.Actions), time.Now().Add(-fresh), true, func(m bus.Message) error {
			c.fault("recognitions", nil)
			if r, err := topics.DecodeRecognition(m.Value); err == nil && r.Camera == string(m.Key) {
				c.wall.setRecognition(&r)
				c.pulse.note(&r, time.Now())
			}
			return nil
		})
		if ctx.Err() == nil {
			c.fault("recognitions", err)
			pause.For(ctx, againAfter)
		}
	}
}

// followAlerts reads the alerts of the last day, and then as they come.
func (c *Console) followAlerts(ctx context.Context) {
	topic := c.Names.Of(topics.Alerts)
	take := func(m bus.Message) error {
		if a, err := topics.DecodeAlert(m.Value); err == nil {
			c.queue.add(a, time.Now())
		}
		return nil
	}
	since := time.Now().Add(-queueAge)
	for ctx.Err() == nil {
		begun := time.Now()
		err := c.Bus.ReadAll(ctx, topic, since, false, take)
		if err == nil && ctx.Err() == nil {
			c.fault("alerts", nil)
			c.queue.caughtUp()
			// What came meanwhile is read too; what is read twice changes nothing.
			since = begun.Add(-time.Minute)
			err = c.Bus.ReadAll(ctx, topic, since, true, take)
		}
		if ctx.Err() == nil {
			c.fault("alerts", err)
			pause.For(ctx, againAfter)
		}
	}
}

func (c *Console) followMarks(ctx context.Context) {
	c.Bus.Table(c.Names.Of(topics.Marks)).Keep(ctx, func(m bus.Message) error {
		if len(m.Value) == 0 {
			c.queue.setMark(string(m.Key), nil, positionOf(m))
			return nil
		}
		mark, err := alertlog.DecodeMark(m)
		if err == nil {
			c.queue.setMark(mark.Alert, &mark, positionOf(m))
		}
		return err
	}, func(err error) { c.fault("marks", err) })
}

func (c *Console) followVerdicts(ctx context.Context) {
	c.Bus.Table(c.Names.Of(topics.Verdicts)).Keep(ctx, func(m bus.Message) error {
		if len(m.Value) == 0 {
			c.queue.setVerdict(string(m.Key), nil, positionOf(m))
			return nil
		}
		v, err := topics.DecodeVerdict(m.Value)
		if err == nil && v.Alert == string(m.Key) {
			c.queue.setVerdict(v.Alert, &v, positionOf(m))
		}
		return err
	}, func(err error) { c.fault("verdicts", err) })
}

// fault notes what can't be followed, for people who look and for the worker's state.
func (c *Console) fault(what string, err error) {
	if err != nil {
		err = fmt.Errorf("the console does not learn of %s: %w", what, err)
	}
	c.wall.setFault(what, err)
	c.Reporter.Warning("console: "+what, err)
}

// SetRules puts rules in force: the wall shows how near to them labels are.
func (c *Console) SetRules(rules *alerts.RuleSet) { c.wall.setRules(rules) }
