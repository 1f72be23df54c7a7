package console

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/console/ruledesk"
	"github.com/frostwatch/frostwatch/topics"
)

// onlyAllRules is what those who see some cameras are answered.
const onlyAllRules = "rules are shown to those who see every camera"

// Ruled is a rule in a list. Its texts are cleaned.
type Ruled struct {
	Name     string            `json:"rule"`
	From     string            `json:"from" enum:"file,redis" doc:"those of the file are edited there"`
	Sentence []ruledesk.Phrase `json:"sentence" doc:"the rule as people say it; field: the key that a part of it is"`
	Severity string            `json:"severity,omitempty"`
	Skipped  string            `json:"skipped,omitempty" doc:"why it is not in force"`
	NoEffect string            `json:"no_effect,omitempty" doc:"why it can't raise everything that it names"`
	By       string            `json:"by,omitempty" doc:"who edited it last"`
	At       time.Time         `json:"edited_at,omitzero"`
	Cameras  int               `json:"cameras" doc:"that it watches"`
	States   map[string]int    `json:"states" doc:"on how many cameras it is in which state"`
	Workers  []string          `json:"skipped_by,omitempty" doc:"workers that have it not in force, and why"`
}

// RuleWorker is a worker that evaluates rules.
type RuleWorker struct {
	Worker  string `json:"worker"`
	Version string `json:"version" doc:"of the stored rules that it has in force"`
	Current bool   `json:"current" doc:"that is the present one"`
}

// Rules are all rules.
type Rules struct {
	Rules   []Ruled      `json:"rules"`
	Version string       `json:"version" doc:"of the stored rules"`
	Workers []RuleWorker `json:"workers" doc:"that evaluate rules"`
	Fault   string       `json:"fault,omitempty" doc:"what the rules could not be checked against"`
}

type rulesOutput struct{ Body Rules }

// RuleInput names a rule.
type RuleInput struct {
	Rule string `path:"rule" maxLength:"64" doc:"name of the rule"`
}

// rulesAPI adds what is asked of rules and done to them.
func (c *Console) rulesAPI(api huma.API) {
	read, edit := c.whole(viewer, onlyAllRules), c.whole(admin, onlyAllRules)
	huma.Get(api, "/api/v1/rules", c.listRules, named("list-rules", "All rules, and what they do"), read)
	huma.Get(api, "/api/v1/rulebook/alerts", c.getRuleAlerts, named("count-rules", "How many alerts each rule has raised, by weeks of a year"), read)
	huma.Get(api, "/api/v1/rulebook/names", c.getRuleNames, named("list-rule-names", "What rules may name: labels, cameras, their tags, receivers"), read)
	huma.Get(api, "/api/v1/rulebook/history", c.getRuleHistory, named("list-rule-edits", "Edits of the stored rules"), read)
	huma.Get(api, "/api/v1/explain", c.getExplained, named("explain-moment", "Why each rule raised an alert at a moment, or did not"), read)
	huma.Post(api, "/api/v1/rulebook/check", c.checkRule, named("check-rule", "Check a rule without saving it"), edit)
	huma.Post(api, "/api/v1/rulebook/try", c.tryRule, named("try-rule", "What a rule would have raised in the past"), edit)
	huma.Post(api, "/api/v1/rulebook/rollback", c.rollBackRules, named("restore-rules", "Restore a version of the stored rules"), edit)
	huma.Get(api, "/api/v1/rules/{rule}", c.getRule, named("get-rule", "A rule with its text and what it does on each camera"), read)
	huma.Get(api, "/api/v1/rules/{rule}/past", c.getRulePast, named("get-rule-past", "The values of the last day, and what came nearest to an alert"), read)
	huma.Put(api, "/api/v1/rules/{rule}", c.putRule, named("put-rule", "Add or replace a stored rule"), edit)
	huma.Delete(api, "/api/v1/rules/{rule}", c.deleteRule, named("remove-rule", "Remove a stored rule"), edit)
}

func (c *Console) rulesPage(w http.ResponseWriter, r *http.Request) {
	if !c.whoOf(r.Context()).All {
		c.refusePage(w, r, "Rules are shown to those who see every camera")
		return
	}
	c.show(w, r, http.StatusOK, view{Page: "rules", Title: "Rules"})
}

// ruled bounds what is asked of Redis, and refuses where there is none.
func (c *Console) ruled(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if c.Redis == nil {
		return nil, nil, huma.Error503ServiceUnavailable("this console has no Redis, which has the rules")
	}
	ctx, cancel := context.WithTimeout(ctx, rulesTime)
	return ctx, cancel, nil
}

// unread is the answer where rules can't be read.
func unread(err error) error {
	return huma.Error503ServiceUnavailable("the rules can't be read: " + topics.Clean(err.Error()))
}

func (c *Console) listRules(ctx context.Context, _ *struct{}) (*rulesOutput, error) {
	ctx, cancel, err := c.ruled(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	k, err := c.rules.checked.Get(ctx)
	if err != nil {
		return nil, unread(err)
	}
	edits, force, fault := c.aroundRules(ctx, &k)
	out := &rulesOutput{Rules{Rules: []Ruled{}, Version: k.version, Workers: []RuleWorker{}, Fault: fault}}
	for _, f := range force {
		out.Body.Workers = append(out.Body.Workers, RuleWorker{f.Worker, f.Version, f.Version == k.version})
	}
	now := time.Now()
	for _, r := range k.all.Rules() {
		out.Body.Rules = append(out.Body.Rules, c.ruledOf(&k, r, edits, force, now))
	}
	for _, s := range k.skipped {
		one := Ruled{Name: topics.Clean(s.Rule), From: "redis", Sentence: []ruledesk.Phrase{}, Skipped: k.skippedWhy(s.Rule), States: map[string]int{}}
		one.By, one.At = edits[s.Rule].By, edits[s.Rule].At
		out.Body.Rules = append(out.Body.Rules, one)
	}
	slices.SortStableFunc(out.Body.Rules, func(a, b Ruled) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// aroundRules is who edited rules last, which workers have them in force, and what is not
// known. What can't be read of these hides no rule.
func (c *Console) aroundRules(ctx context.Context, k *checked) (edits map[string]lastEdit, force []alerts.InForce, fault string) {
	edits, err := c.rules.edits.Get(ctx)
	if err != nil {
		fault = "who edited rules is not known: " + topics.Clean(err.Error())
	}
	if force, err = c.rules.desk("", "").Store.InForce(ctx); err != nil {
		fault = "which workers have the rules in force is not known: " + topics.Clean(err.Error())
	}
	if note := k.around.Note(); note != "" && fault == "" {
		fault = strings.TrimSpace(note)
	}
	return edits, force, fault
}

// ruledOf is a rule that is in force, as it is listed.
func (c *Console) ruledOf(k *checked, r alerts.Rule, edits map[string]lastEdit, force []alerts.InForce, now time.Time) Ruled {
	one := Ruled{Name: topics.Clean(r.Name), From: "redis", Sentence: ruledesk.Sentence(r), Severity: ruledesk.SeverityText(r.Severity, r.SeverityFrom), States: map[string]int{}}
	if k.ofFile[r.Name] {
		one.From = "file"
	} else {
		one.By, one.At = edits[r.Name].By, edits[r.Name].At
	}
	if err := k.idle[r.Name]; err != nil {
		one.NoEffect = topics.Clean(err.Error())
	}
	for _, o := range c.onCameras(k, r.Name, now) {
		one.Cameras++
		one.States[o.State]++
	}
	for _, f := range force {
		if why := f.Skipped[r.Name]; why != "" {
			one.Workers = append(one.Workers, topics.Clean(f.Worker+": "+why))
		}
	}
	return one
}

// RuleDetail is all that is known of a rule.
type RuleDetail struct {
	Ruled
	Text string `json:"text,omitempty" doc:"as it is stored: YAML or JSON"`
	// Base is compared when the rule is saved: what somebody else has saved meanwhile is
	// not overwritten.
	Base     string              `json:"base,omitempty"`
	Fields   ruledesk.Change     `json:"fields" doc:"of the sentence"`
	Unknown  []ruledesk.Stranger `json:"unknown,omitempty" doc:"names in it that nothing has"`
	OnCamera []OnCamera          `json:"on_cameras" doc:"at most 500"`
	More     int                 `json:"more_cameras,omitempty"`
}

type ruleOutput struct{ Body RuleDetail }

// maxOnCameras bounds the cameras of an answer.
const maxOnCameras = 500

func noRule(name string) error {
	return huma.Error404NotFound("there is no rule " + topics.Clean(name))
}

func (c *Console) getRule(ctx context.Context, in *RuleInput) (*ruleOutput, error) {
	ctx, cancel, err := c.ruled(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	k, err := c.rules.checked.Get(ctx)
	if err != nil {
		return nil, unread(err)
	}
	content, err := c.rules.desk("", "").Store.Read(ctx)
	if err != nil {
		return nil, unread(err)
	}
	edits, force, _ := c.aroundRules(ctx, &k)
	text, stored := content.Entries[in.Rule]
	out := &ruleOutput{RuleDetail{OnCamera: []OnCamera{}}}
	d := &out.Body
	r, inForce := ruleOf(k.all, in.Rule)
	switch {
	case inForce:
		d.Ruled, d.Fields = c.ruledOf(&k, r, edits, force, time.Now()), ruledesk.FieldsOf(r)
		d.OnCamera, d.Unknown = c.onCameras(&k, in.Rule, time.Now()), k.around.Strangers(r)
		d.More = max(len(d.OnCamera)-maxOnCameras, 0)
		d.OnCamera = d.OnCamera[:min(len(d.OnCamera), maxOnCameras)]
	case stored:
		d.Ruled = Ruled{Name: topics.Clean(in.Rule), From: "redis", Sentence: []ruledesk.Phrase{}, Skipped: k.skippedWhy(in.Rule), States: map[string]int{}, By: edits[in.Rule].By, At: edits[in.Rule].At}
	default:
		return nil, noRule(in.Rule)
	}
	if stored && !k.ofFile[in.Rule] {
		d.Text, d.Base = text, sumOf([]byte(text))
	}
	return out, nil
}

// ruleOf is a rule by its name.
func ruleOf(set *alerts.RuleSet, name string) (alerts.Rule, bool) {
	all := set.Rules()
	if i := slices.IndexFunc(all, func(r alerts.Rule) bool { return r.Name == name }); i >= 0 {
		return all[i], true
	}
	return alerts.Rule{}, false
}

type ruleNamesOutput struct{ Body ruledesk.Known }

// getRuleNames is what rules may name, at most ruledesk.MaxNames of a kind.
func (c *Console) getRuleNames(ctx context.Context, _ *struct{}) (*ruleNamesOutput, error) {
	ctx, cancel, err := c.ruled(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	k, err := c.rules.checked.Get(ctx)
	if err != nil {
		return nil, unread(err)
	}
	return &ruleNamesOutput{k.around.Known()}, nil
}
