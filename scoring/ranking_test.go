package scoring

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRankingIsTheHeadOfTheSortedList(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		all := make([]ranked, random.IntN(60))
		for i := range all {
			all[i] = ranked{i, float64(random.IntN(20)) - 10} // many are equal
		}
		r := ranking{size: random.IntN(70)}
		for _, a := range all {
			r.offer(a.label, a.similarity)
		}
		want := slices.SortedStableFunc(slices.Values(all), func(a, b ranked) int { return cmp.Compare(b.similarity, a.similarity) })
		want = want[:min(r.size, len(want))]
		if got := r.list(); !slices.Equal(got, want) {
			t.Fatalf("the best %d of %v: got %v, want %v", r.size, all, got, want)
		}
	}
}
