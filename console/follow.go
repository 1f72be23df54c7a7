package console

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
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
		all, err := c.cameras.List()
		if errors.Is(err, cameras.ErrNotRead) {
			return
		}
		c.fault("cameras", err)
		c.wall.setCameras(all)
	}
	look()
	pause.Every(ctx, lookEvery, look)
}

func (c *Console) followOpen(ctx context.Context) {
	c.Bus.Table(c.Names.Of(topics.OpenAlerts)).Keep(ctx, func(m bus.Message) error {
		key := string(m.Key)
		if len(m.Value) == 0 {
			c.wall.setOpen(key, nil)
			return nil
		}
		a, err := topics.DecodeOpenAlert(m.Key, m.Value)
		if err != nil {
			c.wall.setOpen(key, nil)
			return err
		}
		c.wall.setOpen(key, &a)
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
			}
			return nil
		})
		if ctx.Err() == nil {
			c.fault("recognitions", err)
			pause.For(ctx, againAfter)
		}
	}
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
