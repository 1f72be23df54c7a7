package calibrate

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// explained is how far back a replay begins whose last moment is explained.
	explained = time.Hour
	// shown is how many clips are shown at least, and at most.
	shown, shownMost = 3, 20
)

// Moment is what is to be explained.
type Moment struct {
	ReplayOptions // its range and cameras are set by Explain
	Camera        string
	At            time.Time
}

// Explained says what was seen of a camera at a moment, and what each rule made of
// it.
type Explained struct {
	Camera string    `json:"camera"`
	At     time.Time `json:"at"`
	// Clip is the newest that shows the moment; empty: none does. Before and After
	// are the ends of the last clip before the moment and of the first one after
	// it, within an hour.
	Clip   string          `json:"clip_id,omitempty"`
	Start  time.Time       `json:"start,omitzero"`
	End    time.Time       `json:"end,omitzero"`
	Epoch  time.Time       `json:"epoch,omitzero"` // when the unbroken stream began that the clip is of
	Before time.Time       `json:"before,omitzero"`
	After  time.Time       `json:"after,omitzero"`
	Model  string          `json:"model_id,omitempty"`
	Vocab  topics.VocabRef `json:"vocabulary,omitzero"`
	Rules  []RuleExplained `json:"rules"`
	// Raised are the alerts of the camera, alone or with others, that were open after
	// the clip, or at the moment where there is none.
	Raised []Compared `json:"raised"`
	Filled Filled     `json:"computed_from_embeddings"`
}

// RuleExplained is what a rule made of a clip.
type RuleExplained struct {
	Rule    string `json:"rule"`
	Watches bool   `json:"watches"` // the camera
	Why     string `json:"why"`
	// Clips are the last that the decision rests on, the one that shows the moment
	// last.
	Clips []alerts.Trace `json:"clips,omitempty"`
}

// Explain replays the rules up to a moment.
func Explain(ctx context.Context, m Moment) (*Explained, error) {
	e := &explaining{Moment: m, traces: map[string][]alerts.Trace{}, out: Explained{Camera: m.Camera, At: m.At}}
	p := newPlayer(m.Rules, m.Thresholds, e.trace)
	words := m.Words.filler(m.Rules, m.Zones)
	g := archive.Range{
		Since: m.At.Add(-explained), Until: m.At.Add(explained), Cameras: []string{m.Camera}, Ends: m.Words != nil && m.Words.ends,
	}
	if _, err := m.Past.Labels(ctx, g, func(l archive.Labelled) error {
		e.one.Lock() // a camera's clips are in one partition, unless their number was changed
		defer e.one.Unlock()
		return e.batch(p, words, l)
	}); err != nil {
		return nil, err
	}
	e.out.Filled = words.count
	if err := e.raised(ctx); err != nil {
		return nil, err
	}
	e.conclude()
	return &e.out, nil
}

type explaining struct {
	Moment
	traces map[string][]alerts.Trace // by rule, the last ones
	one    sync.Mutex
	tags   []string // of the camera
	out    Explained
}

// batch takes the clips that began before the moment.
func (e *explaining) batch(p *player, words *filler, l archive.Labelled) error {
	n := slices.IndexFunc(l.Records, func(r archive.Record[topics.Recognition]) bool { return r.Value.Start.After(e.At) })
	over := n >= 0
	if over {
		if end := l.Records[n].Value.End; e.out.After.IsZero() || end.Before(e.out.After) {
			e.out.After = end
		}
		l.Records = l.Records[:n]
	}
	if err := words.fill(l); err != nil {
		return err
	}
	for i := range l.Records {
		r := &l.Records[i]
		e.see(&r.Value)
		p.see(r.Time, &r.Value)
	}
	if over {
		return archive.ErrStop
	}
	return nil
}

func (e *explaining) trace(t alerts.Trace) {
	keep := min(max(t.Remembers, shown), shownMost)
	e.traces[t.Rule] = append(e.traces[t.Rule], t)
	e.traces[t.Rule] = e.traces[t.Rule][max(0, len(e.traces[t.Rule])-keep):]
}

// see notes a clip that began before the moment.
func (e *explaining) see(v *topics.Recognition) {
	e.out.Clip, e.tags = "", v.Tags
	if v.End.Before(e.At) {
		e.out.Before = v.End
		return
	}
	e.out.Clip, e.out.Start, e.out.End, e.out.Epoch, e.out.Model, e.out.Vocab = v.ClipID, v.Start, v.End, v.Epoch, v.Model, v.Vocab
}

// conclude says what each rule decided.
func (e *explaining) conclude() {
	for _, rule := range e.Rules.Rules() {
		traces := e.traces[rule.Name]
		r := RuleExplained{Rule: rule.Name, Clips: traces, Watches: len(traces) > 0}
		switch {
		case rule.Stream != nil && rule.Watches(e.Camera, e.tags):
			r.Watches, r.Why = true, "it is about the camera's stream, and looks at no clips"
		case e.out.Clip == "":
			r.Why = "no clip shows this moment"
		case !r.Watches:
			r.Why = "it does not watch this camera"
		case traces[len(traces)-1].Clip != e.out.Clip:
			r.Why = "it did not watch this camera any more"
		default:
			r.Why = e.decided(rule, traces)
		}
		e.out.Rules = append(e.out.Rules, r)
	}
}

// decided says what a rule made of the clip that shows the moment, and whether that is
// what happened: then the rule may not have been there, or may have been another.
func (e *explaining) decided(rule alerts.Rule, traces []alerts.Trace) string {
	last := traces[len(traces)-1]
	why := last.Why
	i := slices.IndexFunc(traces, func(t alerts.Trace) bool { return t.Fresh })
	if i > 0 && len(traces)-i < last.Remembers && last.Open == nil {
		why += fmt.Sprintf("; the stream began anew at %s, and clips before that don't count", e.out.Epoch.UTC().Format(time.RFC3339))
	}
	if rule.Count != nil { // its alerts are not of this camera alone
		return why
	}
	was := slices.IndexFunc(e.out.Raised, func(a Compared) bool { return a.Rule == rule.Name })
	open := last.Open
	if last.Alert != nil {
		open = last.Alert
	}
	now := open != nil && open.State != topics.AlertCleared
	switch {
	case was >= 0 && (!now || open.ID != e.out.Raised[was].ID):
		why += fmt.Sprintf("; in fact alert %s was open: this is replayed from an hour before, by the rules of now", e.out.Raised[was].ID)
	case was < 0 && now:
		why += "; in fact no alert of it was open: this is replayed from an hour before, by the rules of now"
	}
	return why
}

// raised reads the alerts that were open at the moment. Most last for minutes: one
// that was raised more than a week before is not found.
func (e *explaining) raised(ctx context.Context) error {
	var all []topics.Alert
	g := archive.Range{Since: e.At.Add(-7 * 24 * time.Hour), Until: e.At.Add(24 * time.Hour), Cameras: []string{e.Camera}, Late: LateAlerts}
	if len(e.Rules.Counting()) > 0 { // their alerts are of several cameras, and recorded under one
		g.Cameras = nil
	}
	_, err := e.Past.Alerts(ctx, g, func(r archive.Record[topics.Alert]) error {
		if own := r.Value.Camera == e.Camera || slices.Contains(r.Value.Cameras, e.Camera); own && len(all) < maxAlerts {
			all = append(all, r.Value)
		}
		return nil
	})
	inOrder(all)
	e.out.Raised = []Compared{}
	after := e.At // when what the clip shows has been decided
	if e.out.Clip != "" {
		after = e.out.End
	}
	for _, a := range spans(all) {
		if !a.Raised.After(after) && (a.Cleared == nil || a.Cleared.After(after)) {
			a.Found = InLive
			e.out.Raised = append(e.out.Raised, a)
		}
	}
	return err
}
