package ruledesk

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/frostwatch/frostwatch/alerts"
)

// Change sets some properties of a rule's text. nil: as it is; empty: as without it.
type Change struct {
	Actions     *[]string `json:"actions,omitempty" maxItems:"200" doc:"labels"`
	Cameras     *[]string `json:"cameras,omitempty" maxItems:"200" doc:"patterns, such as ward-*"`
	CameraTags  *[]string `json:"camera_tags,omitempty" maxItems:"200" doc:"of cameras"`
	Notify      *[]string `json:"notify,omitempty" maxItems:"200" doc:"receivers"`
	Clips       *string   `json:"clips,omitempty" maxLength:"40" doc:"such as 2 of 3"`
	FalseAlarms *string   `json:"false_alarms,omitempty" maxLength:"60" doc:"a budget, such as 1 per week, in place of a threshold"`
	Contrast    *float64  `json:"contrast,omitempty" doc:"that it is raised from, in place of a budget"`
	Severity    *string   `json:"severity,omitempty" maxLength:"40"`
}

// In is a rule's text with the change. What the text has beside it stays, comments too.
// A text that is no rule is refused: what anyone may have written is checked first.
func (c Change) In(name, text string) (string, error) {
	if c == (Change{}) {
		return text, nil
	}
	if plain := strings.ReplaceAll(text, "\r\n", "\n"); plain != text {
		out, err := c.In(name, plain)
		return strings.ReplaceAll(out, "\n", "\r\n"), err
	}
	if head, rest := beginning(text); head != "" {
		out, err := c.In(name, rest)
		return head + out, err
	}
	var keys yaml.MapSlice
	comments := yaml.CommentMap{}
	if strings.TrimSpace(text) != "" {
		if _, err := alerts.ParseRuleFrom("", name, text); err != nil {
			return "", err
		}
		if err := yaml.UnmarshalWithOptions([]byte(text), &keys, yaml.CommentToMap(comments)); err != nil {
			return "", fmt.Errorf("the rule's text is no YAML: %s", yaml.FormatError(err, false, false))
		}
	}
	e := edited{slices.Clone(keys)}
	list(&e, "actions", c.Actions)
	list(&e, "cameras", c.Cameras)
	list(&e, "camera_tags", c.CameraTags)
	list(&e, "notify", c.Notify)
	e.word("clips", c.Clips)
	e.word("severity", c.Severity)
	if c.FalseAlarms != nil && *c.FalseAlarms != "" {
		e.drop("contrast", "score", "similarity")
	}
	e.word("false_alarms", c.FalseAlarms)
	if c.Contrast != nil {
		e.drop("false_alarms", "score", "similarity")
		e.contrast(*c.Contrast)
	}
	out, err := yaml.MarshalWithOptions(e.keys, yaml.WithComment(comments))
	if err != nil {
		return "", err
	}
	// The library writes some texts, such as one with a tab, so that it reads them otherwise.
	plain, err := json.Marshal(plainOf(e.keys))
	if err != nil {
		return "", err
	}
	if kept, ok := inPlace(name, text, string(plain), keys, e.keys); ok {
		return kept, nil
	}
	if !sameRule(name, string(out), string(plain)) {
		return string(plain), nil
	}
	return string(out), nil
}

// plainOf are keys and values without their order, as JSON takes them.
func plainOf(value any) any {
	of, is := value.(yaml.MapSlice)
	if !is {
		return value
	}
	out := map[string]any{}
	for _, k := range of {
		out[fmt.Sprint(k.Key)] = plainOf(k.Value)
	}
	return out
}

// sameRule is whether two texts come to the same rule. Where the second is none, a mistake is
// left for who checks the first.
func sameRule(name, a, b string) bool {
	want, err := alerts.ParseRule(name, b)
	if err != nil {
		return true
	}
	got, err := alerts.ParseRule(name, a)
	return err == nil && reflect.DeepEqual(got, want)
}

// edited are the keys of a rule's text, in their order.
type edited struct{ keys yaml.MapSlice }

func (e *edited) at(key string) int {
	for i, k := range e.keys {
		if k.Key == key {
			return i
		}
	}
	return -1
}

func (e *edited) drop(keys ...string) {
	for _, key := range keys {
		if i := e.at(key); i >= 0 {
			e.keys = append(e.keys[:i:i], e.keys[i+1:]...)
		}
	}
}

func (e *edited) set(key string, value any) {
	if i := e.at(key); i >= 0 {
		e.keys[i].Value = value
		return
	}
	e.keys = append(e.keys, yaml.MapItem{Key: key, Value: value})
}

func (e *edited) word(key string, text *string) {
	switch {
	case text == nil:
	case strings.TrimSpace(*text) == "":
		e.drop(key)
	default:
		e.set(key, strings.TrimSpace(*text))
	}
}

func list(e *edited, key string, texts *[]string) {
	switch {
	case texts == nil:
	case len(*texts) == 0:
		e.drop(key)
	default:
		e.set(key, *texts)
	}
}

// contrast sets what the rule raises at, and keeps what the text says of when it clears,
// where that is below.
func (e *edited) contrast(raise float64) {
	levels := yaml.MapSlice{{Key: "raise", Value: raise}}
	if i := e.at("contrast"); i >= 0 {
		if was, is := e.keys[i].Value.(map[string]any); is {
			if low, has := number(was["clear"]); has && low <= raise {
				levels = append(levels, yaml.MapItem{Key: "clear", Value: low})
			}
		}
	}
	e.set("contrast", levels)
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case uint64:
		return float64(n), true
	case int64:
		return float64(n), true
	}
	return 0, false
}

// FieldsOf are the properties of a rule that a Change sets, as they are.
func FieldsOf(r alerts.Rule) Change {
	texts := func(of []string) *[]string {
		out := append([]string{}, of...)
		return &out
	}
	c := Change{Actions: texts(r.Actions), Cameras: texts(r.Cameras), CameraTags: texts(r.CameraTags), Notify: texts(r.Notify), Severity: &r.Severity}
	if r.Stream == nil {
		clips, err := r.Clips.MarshalText()
		text, budget := string(clips), r.FalseAlarms.String()
		if err == nil {
			c.Clips = &text
		}
		c.FalseAlarms = &budget
		if r.Measure() == alerts.ByContrast && budget == "" {
			level := r.Levels().Raise
			if level == 0 {
				level = alerts.DefaultContrast
			}
			c.Contrast = &level
		}
	}
	return c
}
