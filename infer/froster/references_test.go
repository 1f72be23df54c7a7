package froster

import (
	"slices"
	"strings"
	"testing"
)

func TestNeutralSentences(t *testing.T) {
	tokens, err := NewTokenizer(77)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, s := range NeutralSentences() {
		if s == "" || s != strings.TrimSpace(s) || seen[strings.ToLower(s)] {
			t.Errorf("line %d: %q is empty, a duplicate, or has white space around it", i+1, s)
		}
		seen[strings.ToLower(s)] = true
		if _, err := tokens.Encode("a demonstration of a person performing " + s + "."); err != nil {
			t.Errorf("line %d: %v", i+1, err)
		}
	}
	if len(seen) < 100 {
		t.Errorf("%d sentences", len(seen))
	}
}

func TestReferenceTexts(t *testing.T) {
	older := &Bundle{BaseClasses: []string{"walking"}}
	if got := older.ReferenceTexts(); got[0] != "walking" || !slices.Equal(got[1:], NeutralSentences()) {
		t.Errorf("a bundle without sentences has %d references", len(got))
	}
	own := &Bundle{BaseClasses: []string{"walking"}, References: []string{"rain on a lens"}}
	if got := own.ReferenceTexts(); !slices.Equal(got, []string{"walking", "rain on a lens"}) {
		t.Errorf("got %q", got)
	}
}
