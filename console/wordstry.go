package console

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/console/words"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

type tryWordInput struct {
	VocabularyInput
	Label string `query:"label" required:"true" minLength:"1" maxLength:"256"`
	// Of a label of the vocabulary nothing else needs to be said.
	Plain       bool     `query:"plain" doc:"the label is what is said here alone, also where the vocabulary has one of its name"`
	Description string   `query:"description" maxLength:"4096"`
	Aliases     []string `query:"alias,explode" maxItems:"32"`
	Begins      string   `query:"begins" maxLength:"4096"`
	Ends        string   `query:"ends" maxLength:"4096"`
	PastInput
	Raise  float64 `query:"raise" minimum:"0.0001" maximum:"1" default:"0.2" doc:"contrast from which on a clip counts"`
	Budget string  `query:"budget" maxLength:"64" default:"1 per week" doc:"false alarms that a camera may raise, for the thresholds that would keep it"`
}

// TriedWord is what a label would have done.
type TriedWord struct {
	Label   string           `json:"label"`
	Texts   []string         `json:"texts" doc:"that the model reads"`
	Known   bool             `json:"known" doc:"the vocabulary has a label of this name"`
	Since   time.Time        `json:"since"`
	Until   time.Time        `json:"until"`
	Raise   float64          `json:"raise"`
	Budget  string           `json:"budget"`
	Verdict string           `json:"verdict,omitempty" doc:"how far it stands out from what cameras usually show"`
	Meaning string           `json:"meaning,omitempty"`
	Clips   int              `json:"clips" doc:"that were compared"`
	Alerts  int              `json:"alerts" doc:"that a rule on it would have raised"`
	Added   *int             `json:"added,omitempty" doc:"of these, how many the label would not have raised as the vocabulary has it; absent: it has none of this name"`
	Lost    *int             `json:"lost,omitempty" doc:"alerts that it would raise no longer"`
	Cameras []TriedCamera    `json:"cameras" doc:"where it comes highest first"`
	Newest  []TriedWordAlert `json:"newest" doc:"of the alerts"`
	Closest []Hit            `json:"closest" doc:"clips, whether or not they would have counted"`
	Nearest []Beside         `json:"nearest" doc:"the labels that say the most similar"`
	Advice  []Advice         `json:"advice,omitempty"`
	Other   int              `json:"other_models,omitempty" doc:"recordings by other models, which can't be compared"`
	Unkept  string           `json:"unkept,omitempty" doc:"why no thresholds for the budget are given"`
	Note    string           `json:"note,omitempty" doc:"why nothing is known"`
}

// TriedCamera is how well a camera can tell a label.
type TriedCamera struct {
	Camera  string  `json:"camera"`
	Verdict string  `json:"verdict"`
	Meaning string  `json:"meaning"`
	Clips   int     `json:"clips"`
	Over    int     `json:"over" doc:"clips that reach raise"`
	Times   int     `json:"times" doc:"how often they do: those close to each other count once"`
	Highest float64 `json:"highest" doc:"contrast"`
	Alerts  int     `json:"alerts"`
	// Keeps is the contrast that would keep the budget, by what was recorded in this time.
	Keeps    *float64 `json:"keeps,omitempty"`
	Learning bool     `json:"learning,omitempty" doc:"too little is recorded: keeps is a default"`
}

// TriedWordAlert is one that would have been raised.
type TriedWordAlert struct {
	Camera   string     `json:"camera"`
	Onset    time.Time  `json:"onset"`
	Cleared  *time.Time `json:"cleared_at,omitempty"`
	Contrast float64    `json:"contrast"`
	Clip     string     `json:"clip_id" doc:"it would have begun with"`
}

// Beside is another label.
type Beside struct {
	Label  string  `json:"label"`
	Cosine float64 `json:"cosine" doc:"of the most similar texts"`
}

type triedOutput struct{ Body TriedWord }

const (
	// closest is how many clips are listed.
	closest = 8
	// maxTriedClips bounds the cameras and alerts that are listed.
	maxTriedClips = 100
	// maxKept bounds the cameras for which thresholds are found, those where the label comes
	// highest: the past is read once for them.
	maxKept = 4
	// maxNearest bounds the labels beside it.
	maxNearest = 5
)

func (c *Console) tryWord(ctx context.Context, in *tryWordInput) (*triedOutput, error) {
	var budget alerts.Budget
	if err := budget.UnmarshalText([]byte(in.Budget)); err != nil {
		return nil, huma.Error422UnprocessableEntity("budget: " + topics.Clean(err.Error()))
	}
	s, name, err := c.words(ctx, in.Vocabulary)
	if err != nil {
		return nil, err
	}
	a, err := c.asker()
	if err != nil {
		return nil, err
	}
	g, none, err := c.pastAsked(ctx, in.PastInput, a.Now)
	if err != nil {
		return nil, err
	}
	ctx, done, err := c.ask(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	v, err := s.List(ctx, name)
	if err != nil {
		return nil, unreadWords(err)
	}
	t, err := c.trialOf(ctx, a, g, v, in)
	if err != nil {
		return nil, err
	}
	t.budget = budget
	if none {
		err = calibrate.ErrNothing
	} else {
		err = c.try(ctx, t)
	}
	if errors.Is(err, calibrate.ErrNothing) {
		t.Note, err = nothing, nil
	}
	if err != nil {
		return nil, c.unasked(ctx, err)
	}
	return &triedOutput{t.TriedWord}, nil
}

// wordTrial is a label that is tried.
type wordTrial struct {
	words.Asker
	TriedWord
	label  vocab.Label
	was    *vocab.Label // as the vocabulary has it
	others []vocab.Label
	rng    archive.Range
	budget alerts.Budget
}

func (c *Console) trialOf(ctx context.Context, a words.Asker, g archive.Range, v vocab.Vocabulary, in *tryWordInput) (*wordTrial, error) {
	label := vocab.Label{Name: in.Label, Description: in.Description, Aliases: in.Aliases, Begins: in.Begins, Ends: in.Ends}
	if !in.Plain && in.Description == "" && len(in.Aliases) == 0 && in.Begins == "" && in.Ends == "" {
		label = words.Label(v.Labels, in.Label)
	}
	label, err := c.soundLabel(ctx, label)
	if err != nil {
		return nil, err
	}
	t := &wordTrial{Asker: a, label: label, rng: g}
	for _, l := range v.Labels {
		if vocab.SameLabel(l.Name, label.Name) {
			t.was = &l
		} else {
			t.others = append(t.others, l)
		}
	}
	t.TriedWord = TriedWord{
		Label: topics.Clean(label.Name), Texts: cleaned(label.Texts()), Known: t.was != nil, Since: g.Since, Until: g.Until, Raise: in.Raise, Budget: in.Budget,
		Cameras: []TriedCamera{}, Newest: []TriedWordAlert{}, Closest: []Hit{}, Nearest: []Beside{},
	}
	return t, nil
}

// try asks the past, in this order: how high the label comes, which alerts a rule on it
// would have raised, and from where on it would keep the budget.
func (c *Console) try(ctx context.Context, t *wordTrial) error {
	reader, err := c.readerOf(ctx, c.Config.Vocab.Name)
	if err != nil {
		return err
	}
	checked, err := t.Check(ctx, words.CheckOptions{Label: t.label, Others: t.others, Reader: reader, Range: t.rng, Raise: t.Raise, Closest: closest})
	if err != nil {
		return err
	}
	t.Verdict, t.Meaning, t.Clips = string(checked.Verdict), checked.Verdict.Meaning(), checked.Clips
	t.Closest = c.hits(ctx, checked.Closest)
	for _, n := range checked.Other {
		t.Other += n
	}
	for _, l := range checked.Labels[:min(len(checked.Labels), maxNearest)] {
		t.Nearest = append(t.Nearest, Beside{topics.Clean(l.Label), l.Cosine})
	}
	for _, one := range checked.Advice {
		t.Advice = append(t.Advice, Advice{one.Column, topics.Clean(one.Text)})
	}
	raised, err := t.alerts(ctx, t.label, checked.Model)
	if err != nil {
		return err
	}
	t.raised(raised)
	for _, one := range checked.Cameras[:min(len(checked.Cameras), maxTriedClips)] {
		t.Cameras = append(t.Cameras, TriedCamera{
			Camera: topics.Clean(one.Camera), Verdict: string(one.Verdict), Meaning: one.Verdict.Meaning(), Clips: one.Clips, Over: one.Over, Times: one.Times, Highest: one.Highest,
			Alerts: len(of(raised, one.Camera)),
		})
	}
	if t.was != nil {
		before := raised
		if !slices.Equal(t.was.Read(), t.label.Read()) {
			if before, err = t.alerts(ctx, *t.was, checked.Model); err != nil {
				return err
			}
		}
		lost, added := words.Differences(before, raised)
		t.Lost, t.Added = ptr(len(lost)), ptr(len(added))
	}
	return t.kept(ctx, checked)
}

func ptr[T any](v T) *T { return &v }

func of(all []words.Alert, camera string) (out []words.Alert) {
	for _, a := range all {
		if a.Camera == camera {
			out = append(out, a)
		}
	}
	return out
}

// alerts are those that a rule on a label would have raised.
func (t *wordTrial) alerts(ctx context.Context, label vocab.Label, m calibrate.Model) ([]words.Alert, error) {
	ready, err := t.WordsFor(ctx, m, label)
	if err != nil {
		return nil, err
	}
	rule := alerts.Rule{Name: "try", Actions: []string{label.Name}, Contrast: &alerts.Levels{Raise: t.Raise}}
	tried, err := calibrate.Try(ctx, calibrate.TryOptions{Past: t.Past, Words: ready, Rule: rule, Range: t.rng})
	if err != nil {
		return nil, fmt.Errorf("try a rule on %.80q: %w", label.Name, err)
	}
	return words.Alerts(tried), nil
}

// raised takes over the alerts, and lists the newest.
func (t *wordTrial) raised(all []words.Alert) {
	t.Alerts = len(all)
	for _, a := range slices.Backward(all) {
		if len(t.Newest) >= maxTriedClips {
			return
		}
		t.Newest = append(t.Newest, TriedWordAlert{topics.Clean(a.Camera), a.Onset, a.Cleared, a.Contrast, topics.Clean(a.OnsetClip)})
	}
}

// kept finds what would keep the budget on the cameras where the label comes highest.
func (t *wordTrial) kept(ctx context.Context, checked words.Checked) error {
	at := map[string]*TriedCamera{}
	for i := range t.Cameras[:min(len(t.Cameras), maxKept)] {
		at[checked.Cameras[i].Camera] = &t.Cameras[i]
	}
	found, err := t.Kept(ctx, t.label, t.budget, slices.Sorted(maps.Keys(at)), t.Since, checked.Model)
	if ctx.Err() != nil {
		return err
	}
	if err != nil { // the rest is worth showing
		t.Unkept = topics.Clean(err.Error())
	}
	for _, one := range found {
		if camera := at[one.Camera]; camera != nil {
			camera.Keeps, camera.Learning = ptr(one.Raise), one.Learning
		}
	}
	return nil
}
