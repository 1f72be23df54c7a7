package scoring

import (
	"cmp"
	"slices"
)

// ranking keeps the best of many labels, offered in order, without sorting them
// all.
type ranking struct {
	size int
	held []ranked // at most twice the size, the best among them
	bar  float64  // what does not exceed it is not among the best
	full bool     // there is a bar
}

type ranked struct {
	label      int
	similarity float64
}

func (r *ranking) offer(label int, similarity float64) {
	if r.size == 0 || r.full && similarity <= r.bar {
		return
	}
	if r.held = append(r.held, ranked{label, similarity}); len(r.held) >= 2*r.size {
		r.cut()
	}
}

func (r *ranking) cut() {
	slices.SortFunc(r.held, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.similarity, a.similarity), cmp.Compare(a.label, b.label))
	})
	if len(r.held) >= r.size {
		r.held = r.held[:r.size]
		r.bar, r.full = r.held[r.size-1].similarity, true
	}
}

// list is the best first; of equal ones the first offered.
func (r *ranking) list() []ranked {
	if r.size > 0 {
		r.cut()
	}
	return r.held
}
