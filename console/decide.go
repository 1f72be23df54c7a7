package console

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/topics"
)

// What people may say of an alert. Later is a note to oneself: it is no mark.
const (
	sayTrue  = "true"
	sayFalse = "false"
	sayLater = "later"
	sayNone  = "none"
)

// decision is what somebody said of alerts at once, so that it can be taken back.
type decision struct {
	id, by string
	made   []made
}

// made is what became of one alert.
type made struct {
	id            string
	about         about
	before, after position
}

// position is what is said of an alert: a mark, or that it is set aside.
type position struct {
	mark  *topics.Mark
	later bool
}

func (p position) same(o position) bool {
	if p.later != o.later || (p.mark == nil) != (o.mark == nil) {
		return false
	}
	return p.mark == nil || p.mark.True == o.mark.True && p.mark.By == o.mark.By && p.mark.Note == o.mark.Note && p.mark.At.Equal(o.mark.At)
}

const (
	// maxDecisions bounds those that can be taken back, the newest, and maxMade their alerts
	// together.
	maxDecisions = 1000
	maxMade      = 20_000
	// decidingAtOnce bounds the edits that wait for each other.
	decidingAtOnce = 32
	// decideTime bounds one.
	decideTime = 20 * time.Second
)

// Marking is what is said of alerts.
type Marking struct {
	Mark string `json:"mark" enum:"true,false,later,none" doc:"none takes back what was said"`
	Note string `json:"note,omitempty" maxLength:"500" doc:"why, for people"`
}

type markInput struct {
	ID   string `path:"id" maxLength:"1025" doc:"id of the alert"`
	Body Marking
}

type marksInput struct {
	Body struct {
		Marking
		Alerts []string `json:"alerts" minItems:"1" maxItems:"500" doc:"ids"`
	}
}

// Decided is what became of a decision.
type Decided struct {
	Decision string   `json:"decision,omitempty" doc:"by which it can be taken back"`
	Alerts   int      `json:"alerts" doc:"to which it applies"`
	Failed   []Failed `json:"failed,omitempty"`
	Left     int      `json:"left" doc:"alerts of the last day that are left to who asks"`
}

// Failed is an alert to which a decision does not apply.
type Failed struct {
	ID     string `json:"alert_id"`
	Reason string `json:"reason"`
}

type decidedOutput struct{ Body Decided }

func (c *Console) postMark(ctx context.Context, in *markInput) (*decidedOutput, error) {
	v, err := c.lookUp(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return c.decide(ctx, []alertlog.View{v}, in.Body, nil)
}

func (c *Console) postMarks(ctx context.Context, in *marksInput) (*decidedOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, decideTime)
	defer cancel()
	slices.Sort(in.Body.Alerts)
	var views []alertlog.View
	var failed []Failed
	for _, id := range slices.Compact(in.Body.Alerts) {
		v, err := c.lookUp(ctx, id)
		if err != nil {
			failed = append(failed, Failed{topics.Clean(id), topics.Clean(err.Error())})
			continue
		}
		views = append(views, v)
	}
	return c.decide(ctx, views, in.Body.Marking, failed)
}

// turn lets one edit through at a time, and gives it decideTime, waiting included; done
// ends it.
func (c *Console) turn(all context.Context) (ctx context.Context, done func(), err error) {
	select {
	case c.waiting <- struct{}{}:
	default:
		return nil, nil, huma.Error429TooManyRequests("too many decisions at once: try again")
	}
	ctx, cancel := context.WithTimeout(all, decideTime)
	select {
	case c.deciding <- struct{}{}:
		return ctx, func() { <-c.deciding; <-c.waiting; cancel() }, nil
	case <-ctx.Done():
		<-c.waiting
		cancel()
		return nil, nil, huma.Error503ServiceUnavailable("other decisions take too long: try again soon")
	}
}

// decide says something of alerts.
func (c *Console) decide(ctx context.Context, views []alertlog.View, m Marking, failed []Failed) (*decidedOutput, error) {
	ctx, done, err := c.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	by := c.whoOf(ctx)
	d := decision{id: rand.Text(), by: by.Name}
	now := time.Now().UTC().Truncate(time.Millisecond)
	for _, v := range views {
		o := c.queue.opinionsOf(by.Name, v.ID)
		one := made{id: v.ID, about: aboutOf(v.Alert), before: position{o.mark, o.later}}
		switch m.Mark {
		case sayTrue, sayFalse:
			mark := v.NewMark(m.Mark == sayTrue, now)
			mark.Note, mark.By = m.Note, by.Name
			if err := mark.Validate(); err != nil {
				failed = append(failed, Failed{topics.Clean(v.ID), topics.Clean(err.Error())})
				continue
			}
			one.after.mark = &mark
		case sayLater:
			if o.mark != nil {
				failed = append(failed, Failed{topics.Clean(v.ID), "somebody has decided it"})
				continue
			}
			one.after.later = true
		}
		d.made = append(d.made, one)
	}
	if err := c.apply(ctx, by.Name, d.made, func(m made) position { return m.after }); err != nil {
		return nil, err
	}
	if len(d.made) > 0 {
		c.audit(ctx, "mark alerts", "as", m.Mark, "alerts", idsOf(d.made), "count", len(d.made))
		c.remember(d)
	} else {
		d.id = ""
	}
	left, _ := c.queue.left(c.sightOf(ctx), time.Now(), true)
	return &decidedOutput{Decided{Decision: d.id, Alerts: len(d.made), Failed: failed, Left: left}}, nil
}

// remember keeps a decision, so that it can be taken back.
func (c *Console) remember(d decision) {
	c.decisions = append(c.decisions, d)
	alerts := 0
	for i := len(c.decisions) - 1; i >= 0; i-- {
		if alerts += len(c.decisions[i].made); alerts > maxMade || len(c.decisions)-i > maxDecisions {
			c.decisions = slices.Clone(c.decisions[i+1:])
			return
		}
	}
}

// idsOf names the alerts of a decision, the first few of many.
func idsOf(all []made) string {
	var ids []string
	for _, m := range all[:min(len(all), 3)] {
		ids = append(ids, topics.Clean(m.id))
	}
	text := fmt.Sprint(ids)
	if len(all) > 3 {
		text += fmt.Sprintf(" and %d more", len(all)-3)
	}
	return text
}

// apply records what is said of alerts from now on.
func (c *Console) apply(ctx context.Context, by string, all []made, to func(made) position) error {
	var put, remove []topics.Mark
	for _, m := range all {
		after := to(m)
		if after.mark != nil {
			put = append(put, *after.mark)
		} else if now := c.queue.opinionsOf(by, m.id).mark; now != nil {
			remove = append(remove, *now)
		}
	}
	for _, step := range []struct {
		marks []topics.Mark
		do    func(context.Context, ...topics.Mark) ([]topics.RecordRef, error)
		gone  bool
	}{{put, c.Alerts.PutMarks, false}, {remove, c.Alerts.RemoveMarks, true}} {
		if len(step.marks) == 0 {
			continue
		}
		refs, err := step.do(ctx, step.marks...)
		if err != nil {
			return huma.Error503ServiceUnavailable("what was decided can't be recorded: " + topics.Clean(err.Error()))
		}
		c.queue.marked(step.marks, refs, step.gone)
	}
	c.queue.aside(by, all, to)
	return nil
}

// marked takes over what was recorded from here, before it is read back.
func (q *queue) marked(marks []topics.Mark, refs []topics.RecordRef, gone bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, m := range marks {
		q.marks.put(m.Alert, saying[mark]{T: m, at: m.At, from: refs[i], gone: gone})
		q.bump(m.Alert)
	}
}

// aside takes over what somebody has set aside, or no longer.
func (q *queue) aside(by string, all []made, to func(made) position) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range all {
		q.setLater(by, m.id, to(m).later)
		q.bump(m.id)
	}
}

type undoInput struct {
	Decision string   `path:"decision" maxLength:"64" doc:"as it was answered"`
	Body     struct{} `doc:"an empty object"`
}

// postUndo takes a decision back, but not what others have said since.
func (c *Console) postUndo(ctx context.Context, in *undoInput) (*decidedOutput, error) {
	ctx, done, err := c.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	by, see := c.whoOf(ctx), c.sightOf(ctx)
	// Of alerts that they see no longer, nothing can be taken back.
	at := slices.IndexFunc(c.decisions, func(d decision) bool {
		return d.id == in.Decision && d.by == by.Name && !slices.ContainsFunc(d.made, func(m made) bool { return !see.alert(m.about) })
	})
	if at < 0 {
		return nil, huma.Error404NotFound("this decision can't be taken back any more: say something else of the alert instead")
	}
	var back []made
	var failed []Failed
	for _, m := range c.decisions[at].made {
		o := c.queue.opinionsOf(by.Name, m.id)
		if !m.after.same(position{o.mark, o.later}) {
			failed = append(failed, Failed{topics.Clean(m.id), "something else was decided since"})
			continue
		}
		back = append(back, m)
	}
	if err := c.apply(ctx, by.Name, back, func(m made) position { return m.before }); err != nil {
		return nil, err
	}
	if len(back) > 0 {
		c.audit(ctx, "undo", "alerts", idsOf(back), "count", len(back))
	}
	c.decisions = slices.Delete(c.decisions, at, at+1)
	left, _ := c.queue.left(see, time.Now(), true)
	return &decidedOutput{Decided{Alerts: len(back), Failed: failed, Left: left}}, nil
}
