package console

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/topics"
)

type explainInput struct {
	Camera string    `query:"camera" required:"true" maxLength:"64"`
	At     time.Time `query:"at" required:"true" doc:"the moment, RFC 3339"`
}

// MomentExplained is what rules made of a moment, as `frostwatch alerts explain` says it.
// Its texts are cleaned.
type MomentExplained struct {
	Camera string       `json:"camera"`
	At     time.Time    `json:"at"`
	Clip   string       `json:"clip_id,omitempty" doc:"the newest that shows the moment"`
	Start  time.Time    `json:"start,omitzero"`
	End    time.Time    `json:"end,omitzero"`
	Before time.Time    `json:"before,omitzero" doc:"end of the last clip before it"`
	After  time.Time    `json:"after,omitzero"`
	Rules  []MomentRule `json:"rules"`
	Notes  []string     `json:"notes,omitempty"`
}

// MomentRule is what a rule made of it.
type MomentRule struct {
	Rule    string       `json:"rule"`
	Watches bool         `json:"watches"`
	Why     string       `json:"why"`
	Clips   []MomentClip `json:"clips,omitempty" doc:"that the decision rests on, the oldest first"`
}

// MomentClip is a clip with the label that came nearest.
type MomentClip struct {
	End   time.Time `json:"end"`
	Label string    `json:"label,omitempty"`
	Value float64   `json:"value"`
	Raise float64   `json:"raise"`
}

type explainOutput struct{ Body MomentExplained }

func (c *Console) getExplained(ctx context.Context, in *explainInput) (*explainOutput, error) {
	soon, cancel, err := c.ruled(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	if _, _, known := c.tile(ctx, in.Camera); !known {
		return nil, noCamera(in.Camera)
	}
	k, err := c.rules.checked.Get(soon)
	if err != nil {
		return nil, unread(err)
	}
	ctx, done, err := c.replaying(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	o, notes := c.replay(ctx, &k, k.all, archive.Range{Since: in.At.Add(-time.Hour), Until: in.At.Add(time.Hour), Cameras: []string{in.Camera}})
	e, err := calibrate.Explain(ctx, calibrate.Moment{ReplayOptions: o, Camera: in.Camera, At: in.At})
	if err != nil {
		return nil, replayFailed(err)
	}
	out := &explainOutput{MomentExplained{
		Camera: topics.Clean(e.Camera), At: e.At.UTC(), Clip: topics.Clean(e.Clip), Start: e.Start, End: e.End, Before: e.Before, After: e.After, Rules: []MomentRule{}, Notes: notes,
	}}
	for _, r := range e.Rules {
		out.Body.Rules = append(out.Body.Rules, momentRule(r))
	}
	slices.SortStableFunc(out.Body.Rules, func(a, b MomentRule) int { // those that watch the camera first
		return cmp.Compare(map[bool]int{false: 1}[a.Watches], map[bool]int{false: 1}[b.Watches])
	})
	return out, nil
}

func momentRule(r calibrate.RuleExplained) MomentRule {
	one := MomentRule{Rule: topics.Clean(r.Rule), Watches: r.Watches, Why: topics.Clean(r.Why)}
	for _, t := range r.Clips {
		clip := MomentClip{End: t.End}
		if len(t.Labels) > 0 {
			l := t.Labels[0]
			clip.Label, clip.Value, clip.Raise = topics.Clean(l.Label), l.Value, l.Raise
		}
		one.Clips = append(one.Clips, clip)
	}
	return one
}

type rulePastInput struct {
	RuleInput
	Camera string `query:"camera" maxLength:"64" doc:"only this one"`
}

// RulePast is what a rule has compared in the last day.
type RulePast struct {
	Since  time.Time   `json:"since"`
	Until  time.Time   `json:"until"`
	Clips  int         `json:"clips"`
	Raise  []float64   `json:"raise" doc:"from where on the rule counts: the lowest and the highest of its cameras"`
	Points []PastPoint `json:"points" doc:"the highest value of each 15 minutes"`
	Misses []Miss      `json:"misses" doc:"what came nearest without being counted, at most five"`
	Notes  []string    `json:"notes,omitempty"`
}

// PastPoint is the highest value of some minutes.
type PastPoint struct {
	At     time.Time `json:"at"`
	Value  float64   `json:"value"`
	Alerts int       `json:"alerts,omitempty" doc:"that began in it"`
}

// Miss is a clip that the rule almost counted.
type Miss struct {
	Camera string    `json:"camera"`
	Clip   string    `json:"clip_id"`
	End    time.Time `json:"end"`
	Label  string    `json:"label"`
	Value  float64   `json:"value"`
	Raise  float64   `json:"raise"`
}

type rulePastOutput struct{ Body RulePast }

const (
	pastStep = 15 * time.Minute
	misses   = 5
	// missApart is how far two misses of a camera are apart, so that they are not one scene.
	missApart = time.Minute
)

// getRulePast replays a rule over the last day, and looks at what it compares.
func (c *Console) getRulePast(ctx context.Context, in *rulePastInput) (*rulePastOutput, error) {
	soon, cancel, err := c.ruled(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	k, err := c.rules.checked.Get(soon)
	if err != nil {
		return nil, unread(err)
	}
	rule, there := ruleOf(k.all, in.Rule)
	switch {
	case !there:
		return nil, noRule(in.Rule)
	case rule.Stream != nil:
		return nil, huma.Error422UnprocessableEntity("a rule about streams compares no values")
	}
	rule.InhibitedBy = nil
	only, err := alerts.NewRuleSet(rule)
	if err != nil {
		return nil, wrongRule(err)
	}
	ctx, done, err := c.replaying(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	g := archive.Range{Since: time.Now().Add(-day), Until: time.Now(), Cameras: k.globsOf(only)}
	if in.Camera != "" {
		g.Cameras = []string{globOf(in.Camera)}
	}
	o, notes := c.replay(ctx, &k, only, g)
	p := &pastValues{points: map[time.Time]*PastPoint{}}
	o.Trace = p.take
	replayed, err := calibrate.Replay(ctx, o)
	if err != nil {
		return nil, replayFailed(err)
	}
	out := &rulePastOutput{p.result()}
	out.Body.Since, out.Body.Until, out.Body.Notes = replayed.First, replayed.Last, notes
	return out, nil
}

// globOf is the pattern that a name alone matches.
func globOf(name string) string {
	var b []byte
	for i := range len(name) {
		if c := name[i]; c == '*' || c == '?' || c == '[' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, name[i])
	}
	return string(b)
}

// pastValues is what a rule compares, one call of take at a time.
type pastValues struct {
	clips     int
	low, high float64
	points    map[time.Time]*PastPoint
	misses    []Miss
}

func (p *pastValues) take(t alerts.Trace) {
	if len(t.Labels) == 0 {
		return
	}
	p.clips++
	l := t.Labels[0]
	if p.low == 0 || l.Raise < p.low {
		p.low = l.Raise
	}
	p.high = max(p.high, l.Raise)
	at := t.End.Truncate(pastStep)
	point := p.points[at]
	if point == nil {
		point = &PastPoint{At: at.UTC()}
		p.points[at] = point
	}
	point.Value = max(point.Value, l.Value)
	if t.Alert != nil && t.Alert.State == topics.AlertRaised {
		point.Alerts++
	}
	if l.Value < l.Raise && l.Value > 0 && t.Open == nil {
		p.miss(Miss{Camera: topics.Clean(t.Camera), Clip: topics.Clean(t.Clip), End: t.End.UTC(), Label: topics.Clean(l.Label), Value: l.Value, Raise: l.Raise})
	}
}

// miss keeps the nearest.
func (p *pastValues) miss(m Miss) {
	nearer := func(a, b Miss) int { return cmp.Compare(b.Value-b.Raise, a.Value-a.Raise) }
	if len(p.misses) == misses && nearer(m, p.misses[misses-1]) >= 0 {
		return
	}
	for i, o := range p.misses {
		if o.Camera == m.Camera && o.End.Sub(m.End).Abs() < missApart {
			if nearer(m, o) >= 0 {
				return
			}
			p.misses = slices.Delete(p.misses, i, i+1)
			break
		}
	}
	p.misses = append(p.misses, m)
	slices.SortStableFunc(p.misses, nearer)
	p.misses = p.misses[:min(len(p.misses), misses)]
}

func (p *pastValues) result() RulePast {
	out := RulePast{Clips: p.clips, Raise: []float64{}, Points: []PastPoint{}, Misses: append([]Miss{}, p.misses...)}
	if p.clips > 0 {
		out.Raise = []float64{p.low, p.high}
	}
	for _, one := range p.points {
		out.Points = append(out.Points, *one)
	}
	slices.SortFunc(out.Points, func(a, b PastPoint) int { return a.At.Compare(b.At) })
	return out
}
