package process

import (
	"slices"
	"sync"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/notify"
)

// receivers says why a receiver that a rule names gets none of its alerts
// (alerts.Surroundings). Where the file has no receivers and notify runs elsewhere, that
// is not known here.
func (p *Process) receivers() (func(receiver, rule, severest string) string, error) {
	plan, err := notify.Compile(p.Config.Notify.Receivers)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	p.onReload(func(c config.Config) (func() []string, error) {
		next, err := notify.Compile(c.Notify.Receivers)
		return func() []string {
			mu.Lock()
			defer mu.Unlock()
			plan = next
			return nil
		}, err
	}, "notify.receivers")
	return func(receiver, rule, severest string) string {
		mu.Lock()
		defer mu.Unlock()
		if len(plan.Names()) == 0 && !slices.Contains(p.stages, "notify") {
			return ""
		}
		return plan.WhyNot(receiver, rule, severest)
	}, nil
}
