package process

import (
	"context"
	"fmt"
	"slices"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/console/fleet"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// partBudgets is the name under which it is reported that nothing keeps budgets.
const partBudgets = "budgets of false alarms"

// budgetsEvery is how often the table of workers is looked at, for the first time when all
// that are started together have written to it.
const budgetsEvery = 3 * topics.WorkerEvery

// watchBudgets warns while rules have a budget of false alarms and no worker finds thresholds:
// they raise at the default then, or at what was found before.
func (p *Process) watchBudgets(ctx context.Context) error {
	if slices.Contains(p.stages, "calibrate") {
		<-ctx.Done() // a part that ends would end the process
		return nil
	}
	for alone := false; pause.For(ctx, budgetsEvery); {
		names := p.rules.budgeted()
		runs := len(names) == 0
		if !runs {
			var err error
			if runs, err = fleet.Runs(ctx, p.Bus, p.Names, "calibrate"); err != nil {
				continue // that Kafka is away is said elsewhere
			}
		}
		err := notCalibrated(names, runs)
		if !runs && !alone {
			p.log.WarnContext(ctx, partBudgets, "error", err)
		}
		alone = !runs
		p.reporter.Warning(partBudgets, err)
	}
	return nil
}

// notCalibrated is the warning about rules with budgets, nil if a worker looks after them.
func notCalibrated(names []string, runs bool) error {
	if runs {
		return nil
	}
	return fmt.Errorf("no worker of calibrate runs, which keeps those of %s: without a threshold that was found they raise from a contrast of %v; start `frostwatch calibrate`", listed(names), alerts.DefaultContrast)
}

// budgeted are the names of the rules in force that have a budget.
func (r *ruleSources) budgeted() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.inForce.WithBudgets()
}
