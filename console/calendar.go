package console

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/topics"
)

type calendarInput struct {
	Month string `query:"month" required:"true" pattern:"^[0-9]{4}-[0-9]{2}$" doc:"such as 2026-03"`
	Zone  string `query:"zone" maxLength:"64" default:"UTC" doc:"in which days begin, such as Europe/Berlin"`
}

type calendarOutput struct {
	Body struct {
		Days  []DayCount `json:"days" doc:"those on which there were alerts"`
		Whole bool       `json:"whole" doc:"false: reading took too long; asked again, it goes on"`
	}
}

// DayCount counts a day's alerts.
type DayCount struct {
	Day    string    `json:"day"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Alerts int       `json:"alerts"`
	Left   int       `json:"left" doc:"that nobody has marked"`
}

// calendarTime is after how long no other day is read for one answer.
const calendarTime = 10 * time.Second

func (c *Console) getCalendar(ctx context.Context, in *calendarInput) (*calendarOutput, error) {
	zone, err := time.LoadLocation(in.Zone)
	if err != nil || in.Zone == "Local" {
		return nil, huma.Error422UnprocessableEntity("zone " + topics.Clean(in.Zone) + ": want one such as Europe/Berlin")
	}
	from, err := time.ParseInLocation("2006-01", in.Month, zone)
	if err != nil {
		return nil, huma.Error422UnprocessableEntity("month " + topics.Clean(in.Month) + ": want one such as 2026-03")
	}
	until := from.AddDate(0, 1, 0)
	if now := time.Now(); until.After(now) {
		until = now
	}
	counts := map[string]*DayCount{}
	see := c.sightOf(ctx)
	add := func(at time.Time, of about, marked bool) {
		if !see.alert(of) || at.Before(from) || !at.Before(until) {
			return
		}
		at = at.In(zone)
		key := at.Format(time.DateOnly)
		if counts[key] == nil {
			from, to := daySpan(at)
			counts[key] = &DayCount{Day: key, From: from.UTC(), To: to.UTC()}
		}
		if counts[key].Alerts++; !marked {
			counts[key].Left++
		}
	}
	out := &calendarOutput{}
	out.Body.Days = []DayCount{}
	out.Body.Whole, err = c.countDays(ctx, from, until, add)
	if err != nil {
		return nil, huma.Error503ServiceUnavailable(c.reason(ctx, err))
	}
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		out.Body.Days = append(out.Body.Days, *counts[key])
	}
	return out, nil
}

// daySpan is from when to when the day of a moment lasts in its zone. Not each date has a
// midnight, and Samoa had no 30 December 2011 at all.
func daySpan(at time.Time) (from, to time.Time) {
	y, m, d := at.Date()
	from = time.Date(y, m, d, 0, 0, 0, 0, at.Location())
	for days := 1; !to.After(at) && days < 4; days++ {
		to = time.Date(y, m, d+days, 0, 0, 0, 0, at.Location())
	}
	return from, to
}

// countDays calls add for the alerts of a time; whole is whether it was all.
func (c *Console) countDays(ctx context.Context, from, until time.Time, add func(at time.Time, of about, marked bool)) (whole bool, err error) {
	c.queue.mu.Lock()
	since := c.queue.since
	for _, one := range c.queue.order {
		if !one.At.Before(since) {
			add(one.At, one.about, c.queue.marks.has(one.ID))
		}
	}
	marked := make(map[uint64]bool, len(c.queue.marks.of))
	for id, m := range c.queue.marks.of {
		if !m.gone {
			marked[c.days.hash(id)] = true
		}
	}
	c.queue.mu.Unlock()
	begun := time.Now()
	if until.After(since) {
		until = since
	}
	for begin := dayOf(until.Add(-1)); begin.Add(day).After(from); begin = begin.Add(-day) {
		if time.Since(begun) > calendarTime {
			return false, nil
		}
		one, known, err := c.counted.of(ctx, begin, dayOf(from))
		if err != nil || !known {
			return false, err
		}
		for _, a := range one.alerts {
			if at := begin.Add(time.Duration(a.at) * time.Second); at.Before(since) {
				add(at, one.abouts[a.about], marked[a.id])
			}
		}
	}
	return true, nil
}
