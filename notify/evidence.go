package notify

import (
	"context"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// evidenceTime is how long a notification waits for a clip.
const evidenceTime = 5 * time.Second

// evidenceOf is what reads the clip of an alert that was raised just now, for receivers
// with `pictures`. An alert without pictures is better than none: what can't be had is
// logged.
func (d *delivery) evidenceOf(a topics.Alert) func(context.Context) (topics.Clip, error) {
	if !d.Pictures || d.Evidence == nil || a.State != topics.AlertRaised || a.Evidence == nil {
		return nil
	}
	return func(ctx context.Context) (topics.Clip, error) {
		ctx, cancel := context.WithTimeout(ctx, evidenceTime)
		defer cancel()
		clip, err := d.Evidence(ctx, a)
		if err != nil {
			d.Logger.WarnContext(ctx, "an alert is delivered without pictures", "receiver", d.Name, "alert", topics.Clean(a.ID), "error", topics.Clean(err.Error()))
		}
		return clip, err
	}
}
