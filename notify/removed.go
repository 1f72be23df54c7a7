package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// removedTime bounds how long it is looked up what a receiver that was removed has not got.
const removedTime = 30 * time.Second

// removed reports what a receiver that was taken out of the plan has not got: renamed, it is
// a new one, which gets what happens from then on, and somebody may wait for the rest in vain.
func (d *delivery) removed(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, removedTime)
	defer cancel()
	records, err := d.Bus.Behind(ctx, GroupOf(d.Stage.Group, d.Name), d.Names.Of(topics.Alerts))
	if ctx.Err() != nil || err == nil && records == 0 {
		return
	}
	what := fmt.Sprintf("%d records of alerts", records)
	if err != nil {
		what = "records of alerts (how many can't be looked up)"
	}
	d.Logger.WarnContext(ctx, "a receiver was removed before it had got everything", "receiver", d.Name, "records", records)
	d.Reporter.Incident(d.part(), fmt.Errorf("it was removed before %s had been dealt with: what it should have got of them is delivered only if a receiver of the same name is back within its keep, %v",
		what, time.Duration(d.Keep)))
}
