package vocab

import (
	"fmt"
	"testing"
)

func TestNumbersAreThoseOfNames(t *testing.T) {
	var n Numbers
	for round := range 3 {
		for i := range 3000 { // more than are found without the map
			if got := n.Of(fmt.Sprintf("person doing thing %d", i)); int(got) != i {
				t.Fatalf("round %d: name %d has number %d", round, i, got)
			}
		}
	}
	if a, b := n.Of(""), n.Of(""); a != 3000 || b != a || n.Len() != 3001 {
		t.Errorf("the empty name has %d and %d of %d", a, b, n.Len())
	}
}
