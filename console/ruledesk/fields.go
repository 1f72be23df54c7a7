package ruledesk

import (
	"fmt"
	"strings"
	"time"
)

// Fields are properties of a rule as people name them one by one. Empty: as without it.
type Fields struct {
	Actions, Tags, Cameras []string
	Contrast, Score        float64
	FalseAlarms, Clips     string
	Count                  string
	Zones                  []string
	Cooldown               time.Duration
	Severity               string
	Notify                 []string
	Verify                 string
}

// Text is the rule as it is written in Redis.
func (f *Fields) Text() string {
	var b strings.Builder
	list := func(key string, of []string) {
		if len(of) > 0 {
			texts := make([]string, len(of))
			for i, t := range of {
				texts[i] = fmt.Sprintf("%q", t)
			}
			fmt.Fprintf(&b, "%s: [%s]\n", key, strings.Join(texts, ", "))
		}
	}
	list("actions", f.Actions)
	list("tags", f.Tags)
	list("cameras", f.Cameras)
	list("zone", f.Zones)
	list("notify", f.Notify)
	for key, raise := range map[string]float64{"contrast": f.Contrast, "score": f.Score} {
		if raise != 0 {
			fmt.Fprintf(&b, "%s: {raise: %v}\n", key, raise)
		}
	}
	for _, kv := range [][2]string{{"false_alarms", f.FalseAlarms}, {"clips", f.Clips}, {"count", f.Count}, {"severity", f.Severity}, {"verify", f.Verify}} {
		if kv[1] != "" {
			fmt.Fprintf(&b, "%s: %q\n", kv[0], kv[1])
		}
	}
	if f.Cooldown != 0 {
		fmt.Fprintf(&b, "cooldown: %v\n", f.Cooldown)
	}
	return b.String()
}
