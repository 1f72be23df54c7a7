package alerts

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/frostwatch/frostwatch/topics"
)

// maxThresholds bounds what an engine keeps of the table of thresholds.
const maxThresholds = 200_000

// Hash identifies what a rule watches for: all but its name, its severity and who is told. A
// threshold counts only for the rule that it was worked out for.
func (r Rule) Hash() string {
	r.Name, r.Severity, r.SeverityFrom, r.Escalate, r.Notify, r.Verify = "", "", nil, nil, nil, ""
	raw, err := json.Marshal(r)
	if err != nil { // a rule that was not checked, with a number that is none
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}

// SetThreshold gives the engine what keeps a rule's budget on a camera, or takes it
// away, for nil. It counts from the camera's next clip on.
func (e *Engine) SetThreshold(camera, rule string, t *topics.Threshold) {
	key := topics.RuleKey(camera, rule)
	_, known := e.thresholds[key]
	switch {
	case t == nil:
		delete(e.thresholds, key)
	case known || len(e.thresholds) < maxThresholds:
		e.thresholds[key] = *t
	}
	if c := e.cameras[camera]; c != nil {
		if w := c.byRule[rule]; w != nil && w.judge != nil {
			w.judge.own = e.own(camera, c.model, w.rule)
			c.floors.forget()
		}
	}
}

// recognisedBy takes over which model recognises a camera: thresholds that were found for it
// before it came count from its first clip on.
func (e *Engine) recognisedBy(name string, c *camera, model string) {
	if c.model == model {
		return
	}
	c.model = strings.Clone(model) // it may be part of a large text
	for _, w := range c.rules {
		w.judge.own = e.own(name, c.model, w.rule)
	}
	c.floors.forget()
}

// own are the levels that keep the budget of a rule on a camera, which a model recognises;
// nil where it has none, or they are not known.
func (e *Engine) own(camera, model string, r *rule) *Levels {
	if r.FalseAlarms == (Budget{}) {
		return nil
	}
	t, known := e.thresholds[topics.RuleKey(camera, r.Name)]
	if known && t.Next != nil && t.Next.Model == model {
		t = *t.Next
	}
	if !known || t.RuleHash != r.hash {
		return nil
	}
	return &Levels{Raise: t.Raise, Clear: t.Clear}
}
