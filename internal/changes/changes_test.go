package changes

import (
	"slices"
	"testing"
)

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
