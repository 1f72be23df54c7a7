package config

import (
	"strings"
	"testing"
)

// Where keys are free, values are still checked, and variables replaced.
func TestFreeKeys(t *testing.T) {
	type item struct {
		Headers map[string]Secret `yaml:"headers"`
	}
	env := func(string) (string, bool) { return "s3cret", true }
	c, err := Parse("f.yaml", []byte("rules:\n  - headers: {X-Token: \"a ${PW}\"}\n"), env)
	if err != nil {
		t.Fatal(err)
	}
	var items []item
	if _, err := c.Rules.Decode(&items); err != nil || items[0].Headers["X-Token"].Reveal() != "a s3cret" {
		t.Errorf("%v: %d items", err, len(items))
	}
	c, err = Parse("f.yaml", []byte("rules:\n  - headers: {X-Token: [a]}\n"), env)
	if err == nil {
		_, err = c.Rules.Decode(&items)
	}
	if err == nil || !strings.Contains(err.Error(), "f.yaml:2: rules[0].headers.X-Token: a list: want a text") {
		t.Errorf("error %v", err)
	}
}
