package console

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/console/ruledesk"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

type tryRuleInput struct {
	Body struct {
		Draft
		Rule string `json:"rule" maxLength:"64" doc:"name of the rule"`
		Days int    `json:"days,omitempty" minimum:"1" maximum:"7" default:"1" doc:"how much of the past"`
	}
}

// What a rule that is tried does with an alert.
const (
	tryNew  = "new"
	tryLost = "lost"
	trySame = "same"
)

// TriedRule is what a rule would have raised, compared with the one of its name that is in
// force. Its texts are cleaned.
type TriedRule struct {
	Since        time.Time    `json:"since"`
	Until        time.Time    `json:"until"`
	Recognitions int          `json:"recognitions" doc:"that were compared"`
	New          int          `json:"new" doc:"alerts that the rule in force would not have raised"`
	Lost         int          `json:"lost" doc:"that only the rule in force would have raised"`
	Same         int          `json:"same"`
	Alerts       []TriedAlert `json:"alerts" doc:"the newest first, those that differ before others; at most 200"`
	Notes        []string     `json:"notes,omitempty" doc:"what could not be taken into account"`
}

// TriedAlert is an alert that would have been raised.
type TriedAlert struct {
	Found  string    `json:"found" enum:"new,lost,same"`
	Camera string    `json:"camera"`
	Label  string    `json:"label"`
	Value  float64   `json:"value"`
	Onset  time.Time `json:"onset"`
	Clip   string    `json:"clip_id,omitempty"`
}

type tryRuleOutput struct{ Body TriedRule }

const (
	// replayTime bounds the replay of a rule, embedTime how long an infer worker is waited
	// for that embeds its labels.
	replayTime = 90 * time.Second
	embedTime  = 10 * time.Second
	maxTried   = 200
)

// tryRule replays a rule and the one in force over the past.
func (c *Console) tryRule(ctx context.Context, in *tryRuleInput) (*tryRuleOutput, error) {
	soon, cancel, err := c.ruled(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	_, rule, err := in.Body.text(in.Body.Rule)
	if err != nil {
		return nil, err
	}
	k, err := c.rules.checked.Get(soon)
	if err != nil {
		return nil, unread(err)
	}
	if rule.Stream != nil {
		return nil, huma.Error422UnprocessableEntity("a rule about streams rests on no clips, and can't be tried on them")
	}
	trial, err := ruledesk.NewTrial(k.all, rule)
	if err != nil {
		return nil, wrongRule(err)
	}
	ctx, done, err := c.replaying(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	out := &tryRuleOutput{TriedRule{Alerts: []TriedAlert{}}}
	until := time.Now()
	g := archive.Range{Since: until.AddDate(0, 0, -in.Body.Days), Until: until, Cameras: k.globsOf(trial.Rules)}
	o, notes := c.replay(ctx, &k, trial.Rules, g)
	out.Body.Notes = notes
	known, want := trial.Thresholds(o.Thresholds, k.around.Cameras)
	o.Thresholds = known
	if len(want) > 0 {
		found, err := c.budgets(ctx, &k, trial, want, g)
		o.Thresholds = append(o.Thresholds, found...)
		if err != nil {
			out.Body.Notes = append(out.Body.Notes, "its budget could not be worked out everywhere, so it counts from the default there: "+topics.Clean(err.Error()))
		}
	}
	replayed, err := calibrate.Replay(ctx, o)
	if err != nil {
		return nil, replayFailed(err)
	}
	out.Body.Since, out.Body.Until, out.Body.Recognitions = replayed.First, replayed.Last, replayed.Recognitions
	out.Body.compare(trial.Split(replayed.Alerts))
	return out, nil
}

// globsOf are the cameras that any of the rules watches; nil: all, or none is known.
func (k *checked) globsOf(rules *alerts.RuleSet) []string {
	var out []string
	for camera, tags := range k.around.Cameras {
		if slices.ContainsFunc(rules.Rules(), func(r alerts.Rule) bool { return r.Watches(camera, tags) }) {
			out = append(out, globOf(camera))
		}
	}
	if len(out) == len(k.around.Cameras) {
		return nil
	}
	slices.Sort(out)
	return out
}

// compare counts and lists the alerts.
func (t *TriedRule) compare(would, does []topics.Alert) {
	clips := map[string]string{}
	for _, a := range slices.Concat(would, does) {
		if a.State == topics.AlertRaised {
			clips[a.ID] = a.Clip
		}
	}
	names := map[string]string{calibrate.InBoth: trySame, calibrate.InBacktest: tryNew, calibrate.InLive: tryLost}
	for _, a := range calibrate.Compare(would, does) {
		found := names[a.Found]
		switch found {
		case tryNew:
			t.New++
		case tryLost:
			t.Lost++
		default:
			t.Same++
		}
		t.Alerts = append(t.Alerts, TriedAlert{Found: found, Camera: topics.Clean(a.Camera), Label: topics.Clean(a.Label), Value: a.Value, Onset: a.Onset, Clip: topics.Clean(clips[a.ID])})
	}
	slices.SortStableFunc(t.Alerts, func(a, b TriedAlert) int {
		rank := func(o TriedAlert) int { return map[string]int{trySame: 1}[o.Found] }
		return cmp.Or(rank(a)-rank(b), b.Onset.Compare(a.Onset))
	})
	t.Alerts = t.Alerts[:min(len(t.Alerts), maxTried)]
}

// replaying bounds the replays of the past: how many there are, and how long one takes. It
// ends when the browser goes.
func (c *Console) replaying(all context.Context) (ctx context.Context, done func(), err error) {
	back, err := c.share(all, c.replays)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(all, replayTime)
	select {
	case c.rules.trying <- struct{}{}:
		return ctx, func() { <-c.rules.trying; cancel(); back() }, nil
	case <-ctx.Done():
		cancel()
		back()
		return nil, nil, huma.Error503ServiceUnavailable("others try rules on the past: try again soon")
	}
}

func replayFailed(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return huma.Error503ServiceUnavailable("there is too much of the past: choose fewer days, or fewer cameras")
	}
	return huma.Error503ServiceUnavailable("the past can't be read: " + topics.Clean(err.Error()))
}

// replay is what rules are replayed with; notes say what is missing.
func (c *Console) replay(ctx context.Context, k *checked, rules *alerts.RuleSet, g archive.Range) (o calibrate.ReplayOptions, notes []string) {
	o = calibrate.ReplayOptions{
		Past: c.Past, Rules: rules, Since: g.Since, Until: g.Until, Cameras: g.Cameras, Thresholds: c.wall.thresholds(),
		Zones: func(camera string) map[string]topics.Polygon { return k.around.Zones[camera] },
	}
	ctx, cancel := context.WithTimeout(ctx, embedTime)
	defer cancel()
	table := map[string]topics.Camera{}
	all, err := c.tableOfCameras(ctx)
	for _, one := range all {
		table[one.Name] = one
	}
	if err == nil {
		o.Words, err = k.around.Ready(table, rules, true, func(labels []vocab.Label) (*calibrate.Words, error) {
			m, err := calibrate.Newest(ctx, c.Past, g, g.Until)
			if err != nil {
				return nil, err
			}
			e, err := c.embedder(m)
			if err != nil {
				return nil, err
			}
			return calibrate.NewWords(ctx, e, m, labels)
		})
	}
	if err != nil {
		notes = append(notes, "only values that were recorded are used, others can't be computed: "+topics.Clean(err.Error()))
	}
	return o, notes
}

func (c *Console) embedder(m calibrate.Model) (calibrate.Embedder, error) {
	a, err := c.asker()
	if err != nil {
		return nil, err
	}
	return a.Remote(m)
}

// budgets works out from where on a rule counts that would keep its budget.
func (c *Console) budgets(ctx context.Context, k *checked, t *ruledesk.Trial, want map[string][]alerts.Budgeted, g archive.Range) ([]topics.Threshold, error) {
	m, err := calibrate.Newest(ctx, c.Past, g, g.Until)
	if err != nil {
		return nil, err
	}
	return calibrate.Thresholds(ctx, calibrate.DialOptions{
		Past: ruledesk.Lately{Past: c.Past, Since: g.Until.AddDate(0, 0, -7)}, Model: m, Embedder: c.embedder, Now: g.Until, Wanted: want,
		Words: func(camera string) *vocab.Vocabulary { return k.around.Contents.Words(k.around.Vocabularies[camera]) },
		Zones: func(camera string) map[string]topics.Polygon { return k.around.Zones[camera] },
		Fleet: t.Fleet(k.around.Cameras), Known: c.wall.thresholds(), Marks: c.queue.allMarks(), Least: calibrate.LeastContrast,
	})
}

// thresholds are those that keep budgets.
func (w *wall) thresholds() []topics.Threshold {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]topics.Threshold, 0, len(w.limits))
	for _, t := range w.limits {
		out = append(out, t)
	}
	return out
}

// allMarks are what people said of alerts.
func (q *queue) allMarks() []topics.Mark {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make([]topics.Mark, 0, len(q.marks.of))
	for _, m := range q.marks.of {
		if !m.gone {
			out = append(out, m.T)
		}
	}
	return out
}
