package config

import (
	"runtime"
	"strings"
	"testing"
)

// A file that is nested deeply is refused before the parser spends memory on it.
func TestDeepNestingIsRefused(t *testing.T) {
	const n = 20_000
	for name, file := range map[string]string{
		"lists":         "kafka:\n  prefix: x\nrules: " + strings.Repeat("[", n) + strings.Repeat("]", n),
		"never closed":  "kafka:\n  prefix: x\nrules: " + strings.Repeat("[", n),
		"mappings":      "kafka:\n  prefix: x\nrules: " + strings.Repeat("{a: ", n),
		"entries":       "kafka:\n  prefix: x\nrules: \n  " + strings.Repeat("- ", n) + "x",
		"in turn":       "kafka:\n  prefix: x\nrules: " + strings.Repeat("[{a: ", n),
		"within a list": "kafka:\n  prefix: x\nrules:\n" + "  - a: b\n    c: " + strings.Repeat("[", n),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Parse("f.yaml", []byte(file), nil)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.HasPrefix(err.Error(), "f.yaml:") || !strings.HasSuffix(err.Error(), ": nested too deeply") {
				t.Errorf("%.200v", err)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
				t.Errorf("%d MB were allocated for a file of %d KB", took>>20, len(file)>>10)
			}
		})
	}
}

// What is long but flat, or has brackets in texts and comments, is taken.
func TestFlatFilesAreNotDeep(t *testing.T) {
	file := "# " + strings.Repeat("[{", 100) + "\nredis:\n  password: \"" + strings.Repeat("[{", 100) + "\"\nrules:\n" +
		strings.Repeat("  - {cameras: [\"a\"], actions: [\"b\"]}\n", 200)
	if _, err := Parse("f.yaml", []byte(file), nil); err != nil {
		t.Errorf("%.200v", err)
	}
}

// What a value costs does not depend on what else is in the file: the decoder would go through
// all of it for each value that is no plain text.
func TestManyValuesAreReadInOneGo(t *testing.T) {
	type rule struct {
		Name  string  `yaml:"name"`
		Keep  Age     `yaml:"keep"`
		Sizes []Bytes `yaml:"sizes"`
	}
	text := "rules:\n" + strings.Repeat("  - name: a\n    keep: 2d\n    sizes: [1GB, 200, \"3 MiB\"]\n  - name: b\n    keep: |-\n      36h\n", 400)
	c, err := Parse("f.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var rules []rule
	_, err = c.Rules.Decode(&rules)
	runtime.ReadMemStats(&after)
	if err != nil || len(rules) != 800 || rules[798].Keep != Age(2*day) || rules[799].Keep != Age(day+day/2) || len(rules[798].Sizes) != 3 || rules[798].Sizes[2] != 3<<20 || rules[798].Sizes[1] != 200 {
		t.Fatalf("%d rules, %+v, %v", len(rules), rules[max(len(rules)-2, 0):], err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
		t.Errorf("%d MB were allocated for a file of %d KB", took>>20, len(text)>>10)
	}
}
