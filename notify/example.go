package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// example is a notification of no real alert, for trying receivers.
func example(receiver string, now time.Time) Notification {
	a := topics.Alert{
		ID: "test/" + now.UTC().Format("20060102T150405"), State: topics.AlertRaised, Rule: "test", Severity: "info", Camera: "test",
		Label: "a test of notification", Measure: "contrast", Contrast: 0.93, Threshold: 0.2,
		Onset: now.Add(-5 * time.Second).UTC(), At: now.UTC(), OnsetClip: "test", Clip: "test",
		Reason: "no camera has seen anything",
	}
	return Notification{Receiver: receiver, test: true, Events: []Event{{Key: a.EventID(), Text: sentence(a, time.UTC), Alert: a}}}
}

// Test sends a receiver a notification that says that it is a test, once.
func (p *Plan) Test(ctx context.Context, receiver string, now time.Time) error {
	r := p.find(receiver)
	if r == nil {
		if len(p.all()) == 0 {
			return errors.New("notify.receivers of the configuration is empty")
		}
		return fmt.Errorf("there is no receiver %.80q: want one of %s", topics.Clean(receiver), strings.Join(p.Names(), ", "))
	}
	n := example(receiver, now)
	n.Events[0].Text = sentence(n.Events[0].Alert, r.zone)
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	return tryShower(ctx, r.Sender, func(ctx context.Context) error { return r.Send(ctx, n) })
}
