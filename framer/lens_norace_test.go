//go:build !race

package framer

import (
	"testing"
	"time"
)

// A view that lasts is accepted, and both are usual then.
func TestAViewThatLastsIsAccepted(t *testing.T) {
	s := newShown(t, 90*time.Second)
	s.show("learnt", 65, place(1), lensFine)
	s.show("turned", 85, place(2), lensMoved)
	s.show("accepted", 10, place(2), lensFine)
	s.show("turned back", 30, place(1), lensFine)
	s.show("and again", 30, place(2), lensFine)
	s.show("elsewhere", 30, place(3), lensMoved)
	for i := range uint64(rememberedViews) {
		s.show("a new view", 100, place(10+i), lensFine)
	}
	if n := len(s.lens.usual); n != rememberedViews {
		t.Errorf("%d views are remembered", n)
	}
	s.show("one that is forgotten", 30, place(1), lensMoved)
}
