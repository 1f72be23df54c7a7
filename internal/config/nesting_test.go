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
