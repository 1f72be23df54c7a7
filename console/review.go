package console

import (
	"cmp"
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/topics"
)

// Item is an alert in a list. Its texts are cleaned.
type Item struct {
	ID        string    `json:"alert_id"`
	Camera    string    `json:"camera"`
	Cameras   []string  `json:"cameras,omitempty" doc:"of a rule that counts cameras: the first of those that showed it"`
	Tags      []string  `json:"tags,omitempty" doc:"of the camera"`
	Rule      string    `json:"rule"`
	Severity  string    `json:"severity"`
	About     string    `json:"about" doc:"the label, or what has not been seen"`
	State     string    `json:"state" enum:"open,cleared"`
	Onset     time.Time `json:"onset"`
	At        time.Time `json:"at" doc:"when it was raised"`
	ClearedAt time.Time `json:"cleared_at,omitzero"`
	Measure   string    `json:"measure,omitempty" doc:"what the rule compares"`
	Value     float64   `json:"value,omitempty"`
	Threshold float64   `json:"threshold,omitempty"`
	Evidence  bool      `json:"evidence,omitempty" doc:"there were pictures of it, which Kafka keeps for 90 days"`
	Mark      *Said     `json:"mark,omitempty"`
	Later     bool      `json:"later,omitempty" doc:"who asks has set it aside"`
	Verdict   string    `json:"verdict,omitempty" doc:"what a second opinion said"`
}

// Said is what a person said of an alert.
type Said struct {
	True bool      `json:"true"`
	By   string    `json:"by,omitempty"`
	Note string    `json:"note,omitempty"`
	At   time.Time `json:"at"`
}

// itemCameras bounds the cameras of an item.
const itemCameras = 20

func item(v alertlog.View, o opinions) Item {
	out := Item{
		ID: v.ID, Camera: topics.Clean(v.Camera), Cameras: cleaned(v.Cameras[:min(len(v.Cameras), itemCameras)]), Tags: cleaned(v.Tags), Rule: topics.Clean(v.Rule), Severity: topics.Clean(v.Severity),
		About: topics.Clean(v.About()), State: v.Word(), Onset: v.Onset, At: v.At, Measure: topics.Clean(v.Measure), Threshold: v.Threshold,
		Evidence: v.Evidence != nil, Later: o.mark == nil && o.later,
	}
	if v.ClearedAt != nil {
		out.ClearedAt = *v.ClearedAt
	}
	if v.Measure != "stream" && !v.Absent {
		out.Value = v.Value()
		out.Measure = cmp.Or(out.Measure, "score") // older alerts name none
	}
	if m := o.mark; m != nil {
		out.Mark = &Said{True: m.True, By: topics.Clean(m.By), Note: topics.Clean(m.Note), At: m.At}
	}
	if o.verdict != nil {
		out.Verdict = topics.Clean(o.verdict.String())
	}
	return out
}

type alertsOutput struct {
	Body struct {
		Alerts []Item `json:"alerts" doc:"the newest first"`
		Next   string `json:"next,omitempty" doc:"cursor of the next page, which may be empty where much was looked through"`
		Left   int    `json:"left" doc:"alerts of the last day that who asks has neither decided nor set aside"`
		More   bool   `json:"more,omitempty" doc:"of a day with very many alerts only the newest are listed"`
		Day    Day    `json:"day" doc:"the last day"`
		Fault  string `json:"fault,omitempty" doc:"why alerts may be missing"`
	}
}

// Day is what became of the last day's alerts.
type Day struct {
	Alerts int    `json:"alerts"`
	True   int    `json:"true"`
	False  int    `json:"false"`
	Later  int    `json:"later"`
	Most   string `json:"most,omitempty" doc:"the camera with the most"`
	MostN  int    `json:"most_alerts,omitempty"`
}

// reviewAPI adds what is asked and said of alerts.
func (c *Console) reviewAPI(api huma.API) {
	huma.Get(api, "/api/v1/alerts", c.listAlerts, named("list-alerts", "Alerts, the newest first"), c.needs(viewer))
	huma.Get(api, "/api/v1/alerts/calendar", c.getCalendar, named("get-calendar", "How many alerts of each day of a month nobody has decided"), c.needs(viewer))
	huma.Get(api, "/api/v1/alerts/{id}", c.getAlert, named("get-alert", "An alert, and why it was raised"), c.needs(viewer))
	huma.Get(api, "/api/v1/alerts/{id}/lead", c.getLead, named("get-lead", "The clips that led to an alert"), c.needs(viewer))
	huma.Get(api, "/api/v1/alerts/{id}/strip", c.getStrip, named("get-strip", "Four small pictures of an alert as a JPEG"), c.needs(viewer))
	huma.Get(api, "/api/v1/alerts/{id}/loop", c.getAlertLoop, named("get-alert-loop", "The pictures of the clip that raised an alert, one below the other in a JPEG"), c.needs(viewer))
	huma.Get(api, "/api/v1/alerts/{id}/film", c.getFilm, named("get-film", "The film of an alert as MP4; ranges are served"), c.needs(viewer))
	huma.Get(api, "/api/v1/alerts/{id}/export", c.getExport, named("get-export", "An alert with its pictures and its film as a ZIP file"), c.needs(viewer))
	huma.Post(api, "/api/v1/alerts/{id}/mark", c.postMark, named("mark-alert", "Say whether an alert was true"), c.needs(operator))
	huma.Post(api, "/api/v1/alerts/marks", c.postMarks, named("mark-alerts", "Say of several alerts whether they were true"), c.needs(operator))
	huma.Post(api, "/api/v1/decisions/{decision}/undo", c.postUndo, named("undo-decision", "Take back what was said of alerts"), c.needs(operator))
	huma.Post(api, "/api/v1/alerts/{id}/silence", c.postSilence, named("silence-alert", "Silence an alert's rule on its camera"), c.needs(operator))
}

func (c *Console) listAlerts(ctx context.Context, in *alertsInput) (*alertsOutput, error) {
	f, err := in.filter()
	if err != nil {
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	out := &alertsOutput{}
	b := &out.Body
	p := page{filter: f, see: c.sightOf(ctx), items: []Item{}, now: time.Now()}
	if err := c.fill(ctx, &p); err != nil {
		b.Fault = c.reason(ctx, err)
	}
	b.Alerts, b.Next, b.More = p.items, p.next, p.more
	b.Left, _ = c.queue.left(p.see, p.now, true)
	b.Day = c.queue.day(p.see, p.now)
	if b.Fault == "" {
		b.Fault = topics.Clean(c.wallFault(ctx))
	}
	if b.Fault == "" && !c.queue.isWhole() {
		b.Fault = "the console has begun to read them just now"
	}
	return out, nil
}

// page is a page of a list that is being filled.
type page struct {
	filter alertFilter
	see    sight
	now    time.Time

	items []Item
	last  place
	next  string
	more  bool
}

// full is whether the page has all that it may have.
func (p *page) full() bool { return len(p.items) >= p.filter.Limit }

// passes is whether an alert is nothing for the page, nor for its cursor.
func (p *page) passes(v alertlog.View, of func() about) bool {
	return p.filter.passed(v) || !p.see.who.All && !p.see.alert(of())
}

// take lists an alert that belongs on the page.
func (p *page) take(v alertlog.View, o opinions) {
	if p.filter.takes(v) && p.filter.decided(o) {
		p.items = append(p.items, item(v, o))
	}
	p.last = place{v.At, v.ID}
}

const (
	// maxDays bounds the days that are looked through for one page, and after listTime no
	// other is begun: the next page goes on from there.
	maxDays  = 31
	listTime = 10 * time.Second
)

// fill fills a page: from memory, then from the days before.
func (c *Console) fill(ctx context.Context, p *page) error {
	since, more := c.queue.fill(p)
	if more || p.filter.from.IsZero() || !p.filter.from.Before(since) {
		return nil
	}
	begun := time.Now()
	end := since
	if to := p.filter.to; !to.IsZero() && to.Before(end) {
		end = to
	}
	if a := p.filter.after; a != nil && a.at.Before(end) {
		end = a.at.Add(1)
	}
	begin := dayOf(end.Add(-1))
	for n := 0; begin.Add(day).After(p.filter.from); n, begin = n+1, begin.Add(-day) {
		if n == maxDays || n > 0 && time.Since(begun) > listTime {
			p.next = place{begin.Add(day), ""}.cursor()
			return nil
		}
		one, err := c.days.of(ctx, begin)
		if err != nil {
			return err
		}
		p.more = p.more || one.more
		for _, v := range one.views {
			if !v.At.Before(since) || p.passes(v, func() about { return aboutOf(v.Alert) }) {
				continue
			}
			if p.full() {
				p.next = p.last.cursor()
				return nil
			}
			p.take(v, c.queue.opinionsOf(p.see.who.Name, v.ID))
		}
	}
	return nil
}

// fill fills a page with what is kept; more: it is full, and there is more.
func (q *queue) fill(p *page) (since time.Time, more bool) {
	recent := p.now.Add(-queueAge)
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := len(q.order) - 1; i >= 0; i-- {
		one := q.order[i]
		v := one.View
		open := q.open[v.OpenKey()] == v.ID
		if p.filter.from.IsZero() && v.At.Before(recent) && !open || !p.filter.from.IsZero() && v.At.Before(q.since) || p.passes(v, func() about { return one.about }) {
			continue
		}
		if p.full() {
			p.next = p.last.cursor()
			return q.since, true
		}
		p.take(v, opinions{q.marks.get(v.ID), q.verdicts.get(v.ID), q.later[p.see.who.Name][v.ID]})
	}
	return q.since, false
}

// day is what became of the last day's alerts that somebody sees.
func (q *queue) day(see sight, now time.Time) (d Day) {
	q.mu.Lock()
	defer q.mu.Unlock()
	from, by := now.Add(-queueAge), map[string]int{}
	for i := len(q.order) - 1; i >= 0 && !q.order[i].At.Before(from); i-- {
		v := q.order[i]
		if !see.alert(v.about) {
			continue
		}
		d.Alerts++
		switch m := q.marks.get(v.ID); {
		case m != nil && m.True:
			d.True++
		case m != nil:
			d.False++
		case q.later[see.who.Name][v.ID]:
			d.Later++
		}
		if by[v.Camera]++; by[v.Camera] > d.MostN {
			d.Most, d.MostN = topics.Clean(v.Camera), by[v.Camera]
		}
	}
	return d
}
