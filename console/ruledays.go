package console

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/topics"
)

// Counted is what became of a rule's alerts.
type Counted struct {
	Weeks []int `json:"weeks" doc:"alerts by weeks, the last is the last seven days (UTC)"`
	Judged
}

type ruleAlertsOutput struct {
	Body struct {
		Rules map[string]*Counted `json:"rules"`
		Today time.Time           `json:"today" doc:"begin of the last day"`
		From  time.Time           `json:"from" doc:"begin of the oldest day that has been read; with whole, older ones are not kept"`
		Whole bool                `json:"whole" doc:"false: reading took too long; asked again, it goes on"`
		Fault string              `json:"fault,omitempty" doc:"why older ones can't be read"`
	}
}

func (c *Console) getRuleAlerts(ctx context.Context, _ *struct{}) (*ruleAlertsOutput, error) {
	soon, cancel, err := c.ruled(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	all, err := c.rules.all(soon)
	if err != nil {
		return nil, unread(err)
	}
	out := &ruleAlertsOutput{}
	b := &out.Body
	if b.Rules, b.From, err = c.countRules(ctx, all.all.Names(), time.Now()); b.Rules == nil {
		return nil, huma.Error503ServiceUnavailable("the alerts can't be counted: " + topics.Clean(err.Error()))
	}
	if err != nil {
		b.Fault = topics.Clean(err.Error())
	}
	b.Today = dayOf(time.Now())
	b.Whole = !b.From.After(c.oldestAlerts(b.Today))
	return out, nil
}

// countRules counts the alerts of rules, as far as they can be read soon: from is from when
// on they are counted. Without counts the error says why there are none, with counts why
// older ones can't be read.
func (c *Console) countRules(ctx context.Context, names []string, now time.Time) (out map[string]*Counted, from time.Time, err error) {
	out, by := make(map[string]*Counted, len(names)), make(map[uint64]*Counted, len(names))
	for _, name := range names {
		one := &Counted{Weeks: make([]int, stripWeeks)}
		out[name], by[c.days.hash(name)] = one, one
	}
	today := dayOf(now)
	whole, err := c.countRaised(ctx, weekDays, now, func(a raised, _ about, back int, isTrue, marked bool) {
		if one := by[a.rule]; one != nil && back < weekDays {
			one.Weeks[stripWeeks-1]++
			one.add(isTrue, marked)
		}
	})
	if err != nil {
		return nil, from, err
	}
	if !whole {
		return out, today, nil
	}
	from, err = c.rules.year.fill(ctx, today, c.oldestAlerts(today))
	for back := weekDays; back < stripDays && !today.Add(-time.Duration(back)*day).Before(from); back++ {
		for rule, n := range c.rules.year.of(today.Add(-time.Duration(back) * day)) {
			if one := by[rule]; one != nil {
				one.Weeks[stripWeeks-1-back/7] += n
			}
		}
	}
	return out, from, err
}

// onKafka is how long Kafka keeps alerts.
const onKafka = 90 * day

// oldestAlerts is the begin of the oldest day of a year of which all alerts are kept.
func (c *Console) oldestAlerts(today time.Time) time.Time {
	oldest, kept := today.Add(-(stripDays-1)*day), time.Duration(c.Config.Archive.Retention.Alerts)
	if c.Alerts.Bucket == nil {
		kept = onKafka
	}
	if kept > 0 {
		oldest = later(oldest, today.Add(day-kept))
	}
	return oldest.Truncate(day)
}
