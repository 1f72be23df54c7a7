package process

import (
	"testing"

	"github.com/frostwatch/frostwatch/vocab"
)

func TestAnEditOfTheVocabularyIsALine(t *testing.T) {
	var many []vocab.Change
	for range 8 {
		many = append(many, vocab.Change{Label: "x", What: vocab.Removed})
	}
	for want, changes := range map[string][]vocab.Change{
		"label added: wave, label changed: fall [31m":                                                          {{Label: "wave", What: vocab.Added}, {Label: "fall\x1b[31m", What: vocab.Changed}},
		"label skipped: fall: unknown key \"tre [31mshold\"":                                                   {{Label: "fall", What: vocab.Skipped, Why: "unknown key \"tre\x1b[31mshold\""}},
		"vocabulary edited, its labels are as before":                                                          nil,
		"label removed: x, label removed: x, label removed: x, label removed: x, label removed: x, and 3 more": many,
	} {
		if got := editLine(changes); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
