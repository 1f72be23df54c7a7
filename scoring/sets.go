package scoring

// sets are disjoint sets of the numbers from 0 on (union-find): each number has one of
// its set that is not larger, the smallest has itself.
type sets []int

// newSets are n sets of one number each.
func newSets(n int) sets {
	out := make(sets, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// first is the smallest number of i's set.
func (s sets) first(i int) int {
	for s[i] != i {
		s[i] = s[s[i]]
		i = s[i]
	}
	return i
}

// join makes one set of those of a and b.
func (s sets) join(a, b int) {
	x, y := s.first(a), s.first(b)
	s[max(x, y)] = min(x, y)
}
