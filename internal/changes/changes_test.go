package changes

import (
	"slices"
	"testing"
)

// A program that edits a thousand at once gets no thousand lines.
func TestLinesAreBounded(t *testing.T) {
	lines := Names{Added: make([]string, 1000), Removed: []string{"a"}}.Lines("rule")
	if len(lines) != 22 || lines[20] != "980 more rules added" || lines[21] != "rule a removed" {
		t.Errorf("%d lines: %q", len(lines), lines)
	}
}

// Each change is told apart, in the order of the lists.
func TestBetween(t *testing.T) {
	type thing struct {
		name   string
		values []int
	}
	of := func(one thing) (string, any) { return one.name, one.values }
	before := []thing{{"same", []int{1}}, {"gone", nil}, {"edited", []int{2}}, {"also gone", nil}}
	now := []thing{{"new", nil}, {"edited", []int{3}}, {"same", []int{1}}}
	want := []string{"rule new added", "rule edited changed", "rule gone removed", "rule also gone removed"}
	if got := Between(before, now, of).Lines("rule"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Between(before, before, of).Lines("rule"); got != nil {
		t.Errorf("of no change: %q", got)
	}
}
