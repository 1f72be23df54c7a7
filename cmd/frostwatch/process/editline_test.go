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
		`label "wave" added, label "fall [31m" changed`: {{Label: "wave", What: vocab.Added}, {Label: "fall\x1b[31m", What: vocab.Changed}},
		// Skipped labels have a warning each.
		`label "run" removed`: {{Label: "fall", What: vocab.Skipped, Why: "unknown key"}, {Label: "run", What: vocab.Removed}},
		"":                    {{Label: "fall", What: vocab.Skipped, Why: "unknown key"}},
		"vocabulary edited, its labels are as before":                                                               nil,
		`label "x" removed, label "x" removed, label "x" removed, label "x" removed, label "x" removed, and 3 more`: many,
	} {
		if got := editLine("", changes); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWhyALabelIsSkippedIsCleaned(t *testing.T) {
	c := vocab.Change{Label: "fall\x1b[31m", What: vocab.Skipped, Why: "unknown key \"tre\x1b[31mshold\""}
	if got, want := EditText(c), `label "fall [31m" skipped: unknown key "tre [31mshold"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
