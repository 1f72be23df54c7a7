package console

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/console/ruledesk"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

type watchWordInput struct {
	VocabularyInput
	Body struct {
		Label string `json:"label" maxLength:"256" doc:"is added, if the vocabulary does not have it"`
		Definition
		Rule        string   `json:"rule" minLength:"1" maxLength:"128" doc:"name of the rule, which must be new"`
		Cameras     []string `json:"cameras,omitempty" maxItems:"500" doc:"names or globs (default: every camera)"`
		FalseAlarms string   `json:"false_alarms" maxLength:"64" doc:"that a camera may raise, such as 1 per week"`
		Severity    string   `json:"severity,omitempty" enum:"info,warning,critical" doc:"default: warning"`
		Clips       string   `json:"clips,omitempty" maxLength:"32" doc:"how many of the last clips must reach it, such as 2 of 3 (default: 1 of 1)"`
	}
}

// Watching is what became of words that are watched for from now on.
type Watching struct {
	Rule    string `json:"rule"`
	Added   bool   `json:"added" doc:"the label was not in the vocabulary, and is now"`
	Watches string `json:"watches,omitempty" doc:"which cameras, in words"`
	Without string `json:"without,omitempty" doc:"what keeps the rule from taking full effect"`
	Note    string `json:"note,omitempty" doc:"what it could not be checked against"`
}

type watchingOutput struct{ Body Watching }

// watchWord adds a label, where the vocabulary does not have it, and a rule about it with a
// budget of false alarms, as `vocab add` and `rule add` do.
func (c *Console) watchWord(ctx context.Context, in *watchWordInput) (*watchingOutput, error) {
	s, name, err := c.words(ctx, in.Vocabulary)
	if err != nil {
		return nil, err
	}
	label, err := c.soundLabel(ctx, in.Body.label(in.Body.Label))
	if err != nil {
		return nil, err
	}
	fields := ruledesk.Fields{Actions: []string{label.Name}, Cameras: in.Body.Cameras, FalseAlarms: in.Body.FalseAlarms, Severity: in.Body.Severity, Clips: in.Body.Clips}
	text := fields.Text()
	if _, err := alerts.ParseRule(in.Body.Rule, text); err != nil {
		return nil, huma.Error422UnprocessableEntity(topics.Clean(err.Error()))
	}
	desk := c.rules.desk(c.whoOf(ctx).Name, "console, watch for this")
	ctx, done, err := c.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	stored, err := desk.Store.Read(ctx)
	if err != nil {
		return nil, huma.Error503ServiceUnavailable("the rules can't be read: " + topics.Clean(err.Error()))
	}
	if _, taken := stored.Entries[in.Body.Rule]; taken || slices.Contains(c.wall.inForce().Names(), in.Body.Rule) {
		return nil, huma.Error409Conflict("there is a rule " + topics.Clean(in.Body.Rule) + " already: choose another name")
	}
	added, err := c.addWord(ctx, s, name, label)
	if err != nil {
		return nil, err
	}
	if _, err := desk.Put(ctx, in.Body.Rule, text); err != nil {
		why := topics.Clean(err.Error())
		if added {
			why = fmt.Sprintf("%q was added, but its rule was not: %s", topics.Clean(label.Name), why)
		}
		return nil, huma.Error503ServiceUnavailable(why)
	}
	c.audit(ctx, "watch for", "rule", in.Body.Rule, "text", topics.Clean(strings.ReplaceAll(text, "\n", "; ")))
	return c.nowWatching(ctx, desk, in.Body.Rule, added)
}

// addWord adds a label that the vocabulary does not have.
func (c *Console) addWord(ctx context.Context, s *vocab.Store, name string, label vocab.Label) (added bool, err error) {
	v, err := s.List(ctx, name)
	if err != nil {
		return false, unreadWords(err)
	}
	if v.Has(label.Name) {
		return false, nil
	}
	if err := s.Put(ctx, name, label); err != nil {
		return false, huma.Error503ServiceUnavailable("The vocabulary can't be edited: " + topics.Clean(err.Error()))
	}
	c.audit(ctx, "put word", "vocabulary", name, "labels", topics.Clean(fmt.Sprintf("added %q", label.Name)))
	return true, nil
}

func (c *Console) nowWatching(ctx context.Context, desk *ruledesk.Desk, rule string, added bool) (*watchingOutput, error) {
	out := &watchingOutput{Watching{Rule: topics.Clean(rule), Added: added}}
	around := desk.Around(ctx)
	effect, err := desk.Effect(ctx, rule, around)
	if err != nil { // the rule is there all the same
		out.Body.Note = topics.Clean(err.Error())
		return out, nil
	}
	out.Body.Watches, out.Body.Without, out.Body.Note = effect.Watches, effect.Without, topics.Clean(around.Note())
	return out, nil
}
