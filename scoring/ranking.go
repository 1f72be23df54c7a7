package scoring

import (
	"cmp"
	"slices"
)

// ranking finds the size most similar of many labels without sorting them all.
// Labels are offered in the order of their indexes.
type ranking struct {
	size int
	held []ranked // fewer than twice size; the best so far are among them
	bar  float64  // only a higher similarity can still be among the best
	full bool     // bar is set
}

type ranked struct {
	label      int
	similarity float64
}

// compare puts the more similar first, and of equal ones the one with the lower
// index.
func (r ranked) compare(o ranked) int {
	return cmp.Or(cmp.Compare(o.similarity, r.similarity), cmp.Compare(r.label, o.label))
}

func (r *ranking) offer(label int, similarity float64) {
	if r.size == 0 || r.full && similarity <= r.bar {
		return
	}
	if r.held = append(r.held, ranked{label, similarity}); len(r.held) >= 2*r.size {
		r.cut()
	}
}

// cut sorts the labels held and keeps the best.
func (r *ranking) cut() {
	slices.SortFunc(r.held, ranked.compare)
	if len(r.held) >= r.size {
		r.held = r.held[:r.size]
		r.bar, r.full = r.held[r.size-1].similarity, true
	}
}

// list returns the best labels, the most similar first; of equal ones, the one
// that was offered first.
func (r *ranking) list() []ranked {
	if r.size > 0 {
		r.cut()
	}
	return r.held
}
