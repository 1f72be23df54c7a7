package console

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

func (c *Console) wordsAPI(api huma.API) {
	huma.Get(api, "/api/v1/words", c.listWords, named("list-words", "The vocabulary: its labels, who watches for them, and how the model reads them"), c.needs(viewer))
	huma.Get(api, "/api/v1/words/try", c.tryWord, named("try-word", "What a label would have done in the past that is recorded"), c.needs(viewer))
	huma.Get(api, "/api/v1/words/alerts", c.getWordAlerts, named("count-words", "The alerts of the last seven days by label, and what people said of them"), c.needs(viewer))
	huma.Get(api, "/api/v1/words/history", c.wordsHistory, named("words-history", "The edits of the vocabulary, the newest first"), c.needs(viewer))
	huma.Post(api, "/api/v1/words", c.putWord, named("put-word", "Add a label, or replace the one of its name"), c.whole(operator, wholeWords))
	huma.Post(api, "/api/v1/words/remove", c.removeWords, named("remove-words", "Remove labels"), c.whole(operator, wholeWords))
	huma.Post(api, "/api/v1/words/watch", c.watchWord, named("watch-word", "Watch for a label: add it, and a rule about it"), c.whole(admin, wholeWords))
	huma.Post(api, "/api/v1/words/restore", c.restoreWords, named("restore-words", "Restore a version of the vocabulary"), c.whole(operator, wholeWords))
}

// wholeWords is said to those who may not edit: words are for all cameras.
const wholeWords = "words are edited by those who see every camera"

// VocabularyInput is which vocabulary is meant.
type VocabularyInput struct {
	Vocabulary string `query:"vocabulary" maxLength:"64" doc:"default: that of the configuration"`
}

type wordsInput struct {
	VocabularyInput
	Text  string `query:"text" maxLength:"256" doc:"only labels with this in their texts or tags"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"500"`
}

// Words are a vocabulary.
type Words struct {
	Vocabulary   string   `json:"vocabulary"`
	Vocabularies []string `json:"vocabularies" doc:"those that the configuration and cameras name"`
	Version      string   `json:"version"`
	Words        []Word   `json:"words"`
	More         int      `json:"more,omitempty" doc:"labels that are not listed"`
	Skipped      []Skip   `json:"skipped,omitempty" doc:"labels that can't be used, the first of them"`
	InForce      []Force  `json:"in_force" doc:"the models that recognise it"`
	Cameras      int      `json:"cameras" doc:"that use the vocabulary, of those that are seen"`
	// Raise is where rules count from that say nothing else.
	Raise float64 `json:"raise"`
}

// Word is a label with what is known of it.
type Word struct {
	Label string `json:"label"`
	Definition
	Value     string    `json:"value" doc:"as Redis has it: send it as was with an edit"`
	ChangedAt time.Time `json:"changed_at,omitzero" doc:"last, as far as the history reaches"`
	ChangedBy string    `json:"changed_by,omitempty"`
	Advice    []Advice  `json:"advice,omitempty" doc:"texts that the model may read otherwise than they are meant"`
	Rules     []string  `json:"rules,omitempty" doc:"that watch for it"`
	Watched   int       `json:"watched" doc:"on how many cameras a rule watches for it"`
	Today     *Today    `json:"today,omitempty"`
}

// Definition is what a label is made of, beside its name.
type Definition struct {
	Description string   `json:"description,omitempty" maxLength:"4096" doc:"more words for the model"`
	Aliases     []string `json:"aliases,omitempty" maxItems:"32" doc:"other wordings"`
	Tags        []string `json:"tags,omitempty" maxItems:"32" doc:"for rules"`
	Background  bool     `json:"background,omitempty" doc:"a normal activity: rules never alert on it by tag or as novel"`
	Threshold   float64  `json:"threshold,omitempty" minimum:"0" maximum:"1" doc:"score to raise at, for rules without one"`
	Begins      string   `json:"begins,omitempty" maxLength:"4096" doc:"what its first moments show; with ends"`
	Ends        string   `json:"ends,omitempty" maxLength:"4096"`
}

func (d Definition) label(name string) vocab.Label {
	return vocab.Label{
		Name: name, Description: d.Description, Aliases: d.Aliases, Tags: d.Tags, Background: d.Background, Threshold: d.Threshold, Begins: d.Begins, Ends: d.Ends,
	}
}

func definition(l vocab.Label) Definition {
	return Definition{
		Description: l.Description, Aliases: l.Aliases, Tags: l.Tags, Background: l.Background, Threshold: l.Threshold, Begins: l.Begins, Ends: l.Ends,
	}
}

// Advice is about a text of a label.
type Advice struct {
	Column string `json:"column" enum:"label,description,aliases,begins,ends"`
	Text   string `json:"advice"`
}

// Skip is a label that can't be used.
type Skip struct {
	Label  string `json:"label"`
	Reason string `json:"reason"`
}

// Force is a model that recognises a version of the vocabulary.
type Force struct {
	Model    string   `json:"model_id"`
	Current  bool     `json:"current" doc:"it has this version"`
	Labels   int      `json:"labels"`
	Embedded int      `json:"embedded,omitempty" doc:"of the texts of a newer version, how many are read"`
	Texts    int      `json:"texts,omitempty"`
	Skipped  []string `json:"skipped,omitempty"`
}

type wordsOutput struct{ Body Words }

// wordsTime bounds how long Redis is waited for.
const wordsTime = 15 * time.Second

// words are the store of vocabularies, as somebody edits it, and the vocabulary's name.
func (c *Console) words(ctx context.Context, name string) (*vocab.Store, string, error) {
	if c.Redis == nil {
		return nil, "", huma.Error503ServiceUnavailable("this console has no Redis, where words are")
	}
	name = cmp.Or(name, c.Config.Vocab.Name)
	if !slices.Contains(c.vocabularies(), name) {
		return nil, "", huma.Error404NotFound("neither the configuration nor a camera names the vocabulary " + topics.Clean(name))
	}
	return vocab.NewStore(c.Redis, c.Config.Redis.Prefix).By(c.whoOf(ctx).Name, "console"), name, nil
}

// vocabularies are those that there are for this console: the default one first.
func (c *Console) vocabularies() []string {
	names := map[string]bool{}
	for _, s := range c.Config.Vocab.Sets {
		names[s.Name] = true
	}
	all, _ := c.cameras.List() // before it is read there are none
	for _, e := range all {
		names[c.Config.Vocab.Of(e.Camera)] = true
	}
	delete(names, c.Config.Vocab.Name)
	return append([]string{c.Config.Vocab.Name}, slices.Sorted(maps.Keys(names))...)
}

func unreadWords(err error) error {
	return huma.Error503ServiceUnavailable("The vocabulary can't be read: " + topics.Clean(err.Error()))
}

func (c *Console) listWords(ctx context.Context, in *wordsInput) (*wordsOutput, error) {
	s, name, err := c.words(ctx, in.Vocabulary)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, wordsTime)
	defer cancel()
	v, err := s.List(ctx, name)
	if err != nil {
		return nil, unreadWords(err)
	}
	force, err := s.InForce(ctx, name)
	if err != nil {
		return nil, unreadWords(err)
	}
	out := &wordsOutput{Words{
		Vocabulary: name, Vocabularies: c.vocabularies(), Version: v.Version, Words: []Word{}, InForce: inForce(v, force), Raise: alerts.DefaultContrast,
	}}
	for _, p := range v.Problems[:min(len(v.Problems), 20)] {
		out.Body.Skipped = append(out.Body.Skipped, Skip{topics.Clean(p.Label), topics.Clean(p.Err.Error())})
	}
	var labels []vocab.Label
	for _, l := range v.Labels {
		switch {
		case !says(l, in.Text):
		case len(labels) >= in.Limit:
			out.Body.More++
		default:
			labels = append(labels, l)
		}
	}
	out.Body.Words, out.Body.Cameras = c.describe(ctx, s, v, labels)
	return out, nil
}

// says is whether a text is in a label.
func says(l vocab.Label, text string) bool {
	text = strings.ToLower(strings.TrimSpace(text))
	return text == "" || slices.ContainsFunc(slices.Concat(l.Read(), l.Tags), func(t string) bool { return strings.Contains(strings.ToLower(t), text) })
}

// inForce is which models recognise a vocabulary.
func inForce(v vocab.Vocabulary, all []vocab.InForce) []Force {
	out := []Force{}
	for _, f := range all {
		one := Force{Model: topics.Clean(f.Model), Current: f.Version == v.Version, Labels: f.Labels, Skipped: cleaned(f.Skipped)}
		if f.Pending != nil {
			one.Embedded, one.Texts = f.Pending.Embedded, f.Pending.Texts
		}
		out = append(out, one)
	}
	return out
}

// describe adds to labels of a vocabulary what is known of them.
func (c *Console) describe(ctx context.Context, s *vocab.Store, v vocab.Vocabulary, labels []vocab.Label) ([]Word, int) {
	names := make([]string, len(labels))
	for i, l := range labels {
		names[i] = l.Name
	}
	who := c.whoOf(ctx)
	changed, advice, today := c.changed(ctx, s, v.Name), c.advice(ctx, v), c.wall.today(who, names, time.Now())
	rules, cameras := c.watching(ctx, v.Name)
	out := []Word{}
	for _, l := range labels {
		value, err := l.Value()
		if err != nil { // it was parsed, so it can be written
			continue
		}
		w := Word{Label: l.Name, Definition: definition(l), Value: value, Advice: advice[l.Name]}
		if e, known := changed[l.Name]; known {
			w.ChangedAt, w.ChangedBy = e.Time.UTC(), topics.Clean(e.By)
		}
		if t, known := today[l.Name]; known {
			w.Today = &t
		}
		w.Rules, w.Watched = rules.of(l)
		out = append(out, w)
	}
	return out, cameras
}

// changed is the last edit of each label, as far as the history reaches.
func (c *Console) changed(ctx context.Context, s *vocab.Store, name string) map[string]vocab.Edit {
	out := map[string]vocab.Edit{}
	past, err := s.Past(ctx, name)
	if err != nil { // the words are worth showing all the same
		c.Logger.WarnContext(ctx, "the history of the vocabulary can't be read", "vocabulary", name, "error", topics.Clean(err.Error()))
		return out
	}
	for _, e := range past.Edits {
		for _, change := range e.Changes {
			out[strings.TrimSpace(change.Label)] = e
		}
	}
	return out
}
