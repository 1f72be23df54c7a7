package console

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/console/ruledesk"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Draft is a rule as somebody would have it.
type Draft struct {
	Text   string          `json:"text" maxLength:"16384" doc:"YAML or JSON with the keys of a rule in the configuration file, without name"`
	Fields ruledesk.Change `json:"fields,omitzero" doc:"set in the text"`
}

// text is the draft's rule with its fields set.
func (d Draft) text(name string) (string, alerts.Rule, error) {
	text, err := d.Fields.In(name, d.Text)
	if err != nil {
		return "", alerts.Rule{}, wrongRule(err)
	}
	r, err := alerts.ParseRuleFrom("", name, text)
	if err != nil {
		return text, r, wrongRule(err)
	}
	return text, r, nil
}

// wrongRule is the answer to a mistake in a rule, which names the field and what is allowed.
func wrongRule(err error) error {
	return huma.Error422UnprocessableEntity(topics.Clean(strings.ReplaceAll(err.Error(), "\n", "; ")))
}

type checkInput struct {
	Body struct {
		Draft
		Rule string `json:"rule" maxLength:"64" doc:"name of the rule"`
	}
}

type checkOutput struct {
	Body struct {
		Wrong    string              `json:"wrong,omitempty" doc:"what is wrong, with the field and what is allowed; the rest is then empty"`
		Text     string              `json:"text" doc:"with the fields set"`
		Sentence []ruledesk.Phrase   `json:"sentence"`
		Fields   ruledesk.Change     `json:"fields"`
		Watches  string              `json:"watches,omitempty" doc:"which cameras, in words"`
		NoEffect string              `json:"no_effect,omitempty" doc:"why it could not raise everything that it names"`
		Unknown  []ruledesk.Stranger `json:"unknown,omitempty" doc:"names in it that nothing has"`
	}
}

// checkRule says what is wrong with a rule, or what it is.
func (c *Console) checkRule(ctx context.Context, in *checkInput) (*checkOutput, error) {
	ctx, cancel, err := c.ruled(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	out := &checkOutput{}
	out.Body.Sentence = []ruledesk.Phrase{}
	text, r, err := in.Body.text(in.Body.Rule)
	if err != nil {
		out.Body.Wrong = err.Error()
		return out, nil
	}
	k, err := c.rules.checked.Get(ctx)
	if err != nil {
		return nil, unread(err)
	}
	out.Body.Text, out.Body.Sentence, out.Body.Fields = text, ruledesk.Sentence(r), ruledesk.FieldsOf(r)
	if k.around.Cameras != nil {
		out.Body.Watches = ruledesk.WatchedText(r, k.around.Cameras)
	}
	out.Body.Unknown = k.around.Strangers(r)
	// Alone: what it does to other rules is said once it is saved.
	r.InhibitedBy = nil
	if alone, err := alerts.NewRuleSet(r); err == nil {
		if why := alone.WithoutEffect(k.around.Surroundings)[r.Name]; why != nil {
			out.Body.NoEffect = topics.Clean(why.Error())
		}
	}
	return out, nil
}

type putRuleInput struct {
	RuleInput
	Body struct {
		Draft
		Base string `json:"base,omitempty" maxLength:"64" doc:"of the rule as it was read; what somebody else has saved since is then not overwritten"`
		New  bool   `json:"new,omitempty" doc:"refused where there is such a rule"`
	}
}

// EditedRule is what an edit of rules did. Its texts are cleaned.
type EditedRule struct {
	What    string   `json:"what" doc:"added, changed, is as it was, removed or restored"`
	Watches string   `json:"watches,omitempty"`
	Without string   `json:"no_effect,omitempty"`
	Others  []string `json:"others,omitempty" doc:"rules that it keeps from taking full effect"`
	Force   string   `json:"in_force" doc:"where it is in force, in words"`
	Whole   bool     `json:"in_force_everywhere"`
	Version string   `json:"version" doc:"of the stored rules"`
}

type editedRuleOutput struct{ Body EditedRule }

// putRule stores a rule, as `frostwatch rule add` does.
func (c *Console) putRule(all context.Context, in *putRuleInput) (*editedRuleOutput, error) {
	if c.Redis == nil {
		return nil, huma.Error503ServiceUnavailable("this console has no Redis, which has the rules")
	}
	text, _, err := in.Body.text(in.Rule)
	if err != nil {
		return nil, err
	}
	desk := c.rules.desk(c.whoOf(all).Name, "console")
	what, err := c.put(all, desk, in, text)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(all, decideTime)
	defer cancel()
	out := &editedRuleOutput{EditedRule{What: what}}
	if e, err := desk.Effect(ctx, in.Rule, desk.Around(ctx)); err == nil { // it is stored all the same
		out.Body.Watches, out.Body.Without = e.Watches, e.Without
		for _, o := range e.Others {
			out.Body.Others = append(out.Body.Others, o.Rule+": "+o.Why)
		}
	}
	return out, c.inForce(ctx, desk, &out.Body, in.Rule)
}

// put stores it when it is its turn.
func (c *Console) put(all context.Context, desk *ruledesk.Desk, in *putRuleInput, text string) (what string, err error) {
	ctx, done, err := c.turn(all)
	if err != nil {
		return "", err
	}
	defer done()
	content, err := desk.Store.Read(ctx)
	if err != nil {
		return "", unread(err)
	}
	before, was := content.Entries[in.Rule]
	switch {
	case in.Body.New && was:
		return "", huma.Error409Conflict("there is a rule " + topics.Clean(in.Rule) + ": choose another name")
	case in.Body.Base != "" && (!was || sumOf([]byte(before)) != in.Body.Base):
		return "", huma.Error409Conflict("somebody has changed or removed the rule since it was opened: open it again")
	}
	if what, err = desk.Put(ctx, in.Rule, text); err != nil {
		return "", wrongRule(err)
	}
	if what != "is as it was" {
		c.audit(ctx, "put rule", "rule", topics.Clean(in.Rule), "did", what)
	}
	return what, nil
}

// inForce waits until the workers have an edit in force, and says which have.
func (c *Console) inForce(ctx context.Context, desk *ruledesk.Desk, e *EditedRule, names ...string) error {
	if err := c.rules.refresh(ctx); err != nil {
		return unread(err)
	}
	f, err := desk.AwaitForce(ctx, names...)
	if err != nil {
		return unread(err)
	}
	var b strings.Builder
	f.Write(&b)
	e.Force, e.Whole, e.Version = strings.TrimSpace(b.String()), f.Whole(), f.Version
	return nil
}

type deleteRuleInput struct {
	RuleInput
}

// deleteRule removes a rule, as `frostwatch rule rm` does.
func (c *Console) deleteRule(all context.Context, in *deleteRuleInput) (*editedRuleOutput, error) {
	return c.editRules(all, "removed", func(ctx context.Context, desk *ruledesk.Desk) error {
		absent, err := desk.Store.Remove(ctx, in.Rule)
		if err != nil {
			return unread(err)
		}
		if len(absent) > 0 {
			return huma.Error404NotFound(topics.Clean(desk.NotThere(ctx, absent).Error()))
		}
		c.audit(ctx, "remove rule", "rule", topics.Clean(in.Rule))
		return nil
	})
}

// editRules does an edit when it is its turn, and says where it is in force.
func (c *Console) editRules(all context.Context, what string, do func(context.Context, *ruledesk.Desk) error) (*editedRuleOutput, error) {
	if c.Redis == nil {
		return nil, huma.Error503ServiceUnavailable("this console has no Redis, which has the rules")
	}
	desk := c.rules.desk(c.whoOf(all).Name, "console")
	ctx, done, err := c.turn(all)
	if err != nil {
		return nil, err
	}
	err = do(ctx, desk)
	done()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(all, decideTime)
	defer cancel()
	out := &editedRuleOutput{EditedRule{What: what}}
	return out, c.inForce(ctx, desk, &out.Body)
}

type rollbackInput struct {
	Body struct {
		Version string `json:"version" minLength:"1" maxLength:"64" doc:"as the history has it"`
	}
}

// rollBackRules restores a version of all stored rules, as `frostwatch rule rollback` does.
func (c *Console) rollBackRules(all context.Context, in *rollbackInput) (*editedRuleOutput, error) {
	return c.editRules(all, "restored", func(ctx context.Context, desk *ruledesk.Desk) error {
		past, err := desk.Store.Past(ctx)
		if err != nil {
			return unread(err)
		}
		entries, to, err := ruledesk.VersionOf(past, in.Body.Version)
		if err != nil {
			return wrongRule(err)
		}
		if err := desk.Store.By(c.whoOf(ctx).Name, "console, to "+to).Restore(ctx, entries); err != nil {
			return unread(err)
		}
		c.audit(ctx, "restore rules", "version", to)
		return nil
	})
}

type ruleHistoryInput struct {
	Rule string `query:"rule" maxLength:"64" doc:"only what was done to this rule"`
}

// RuleEdit is an edit of the stored rules.
type RuleEdit struct {
	Time    time.Time    `json:"time"`
	By      string       `json:"by,omitempty"`
	Note    string       `json:"note,omitempty"`
	Version string       `json:"version" doc:"of the rules after it"`
	Begins  bool         `json:"begins,omitempty" doc:"the history begins here"`
	Changes []RuleChange `json:"changes" doc:"at most 20"`
	More    int          `json:"more_changes,omitempty"`
}

// RuleChange is what an edit did to a rule: its texts before and after, absent where there
// was none.
type RuleChange struct {
	Rule   string  `json:"rule"`
	Before *string `json:"before,omitempty"`
	After  *string `json:"after,omitempty"`
}

type ruleHistoryOutput struct {
	Body struct {
		Edits []RuleEdit `json:"edits" doc:"the newest first, at most 100"`
		Now   string     `json:"version" doc:"of the rules now"`
	}
}

const (
	maxRuleEdits   = 100
	maxRuleChanges = 20
)

func (c *Console) getRuleHistory(ctx context.Context, in *ruleHistoryInput) (*ruleHistoryOutput, error) {
	ctx, cancel, err := c.ruled(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	past, err := c.rules.desk("", "").Store.Past(ctx)
	if err != nil {
		return nil, unread(err)
	}
	out := &ruleHistoryOutput{}
	out.Body.Edits = []RuleEdit{}
	if n := len(past.Edits); n > 0 {
		out.Body.Now = topics.Clean(past.Edits[n-1].Version)
	}
	for _, e := range slices.Backward(past.Edits) {
		one := RuleEdit{Time: e.Time.UTC(), By: topics.Clean(e.By), Note: topics.Clean(e.Note), Version: topics.Clean(e.Version), Begins: e.Begins, Changes: []RuleChange{}}
		for _, ch := range e.Changes {
			if in.Rule != "" && ch.Label != in.Rule {
				continue
			}
			if len(one.Changes) == maxRuleChanges {
				one.More++
				continue
			}
			one.Changes = append(one.Changes, ruleChange(ch))
		}
		if len(one.Changes) > 0 || in.Rule == "" {
			out.Body.Edits = append(out.Body.Edits, one)
		}
		if len(out.Body.Edits) == maxRuleEdits {
			break
		}
	}
	return out, nil
}

func ruleChange(ch vocab.EntryChange) RuleChange { // JSON escapes what must not reach a terminal
	return RuleChange{Rule: topics.Clean(ch.Label), Before: ch.Before, After: ch.After}
}
