package bus

import (
	"cmp"
	"encoding/json"
	"slices"
)

// protocolName is that of the way in which partitions are given out. All members
// of a group must know it.
const protocolName = "frostwatch-lease"

// claim is what a member says when it joins: the partitions that it holds, and
// under which generation it was given or left each. It travels as JSON.
type claim struct {
	Held map[int]int `json:"held,omitempty"`
}

// share is what a member gets.
type share struct {
	Generation int `json:"generation"` // of the whole group
	// Release are the partitions that it has held and that others are to have: it
	// may finish with them, and joins again without them. Until then nobody else
	// gets them.
	Release []int `json:"release,omitempty"`

	partitions []int
}

func decode[T any](b []byte) (out T) {
	_ = json.Unmarshal(b, &out) // who says nothing that can be read holds nothing
	return out
}

func encode(v any) []byte {
	b, _ := json.Marshal(v) // of numbers alone
	return b
}

// assign gives out n partitions to members, so that as few as possible move: each
// keeps what it holds, up to its part; what is beyond is released first, and given
// to another when its holder has let go of it. A partition that two claim is that
// of the newer generation.
func assign(members map[string]claim, n, now int) map[string]share {
	ids := make([]string, 0, len(members))
	for id := range members {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	generation := now
	holder := make([]string, n)
	held := map[string][]int{}
	for p := range n {
		newest := -1
		for _, id := range ids {
			g, ok := members[id].Held[p]
			if ok && g > newest {
				newest, holder[p] = g, id
			}
		}
		if holder[p] != "" {
			held[holder[p]] = append(held[holder[p]], p)
		}
	}
	for _, id := range ids {
		for _, g := range members[id].Held {
			generation = max(generation, g+1)
		}
	}
	// Who holds most keeps the larger parts, where the parts can't be equal.
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(len(held[b]), len(held[a])) })
	out := map[string]share{}
	part := func(i int) int {
		if i < n%len(ids) {
			return n/len(ids) + 1
		}
		return n / len(ids)
	}
	for i, id := range ids {
		keep := min(len(held[id]), part(i))
		out[id] = share{Generation: generation, partitions: slices.Clone(held[id][:keep]), Release: held[id][keep:]}
	}
	next := 0
	for p := range n {
		if holder[p] != "" {
			continue
		}
		for len(out[ids[next]].partitions) >= part(next) {
			next++
		}
		s := out[ids[next]]
		s.partitions = append(s.partitions, p)
		out[ids[next]] = s
	}
	return out
}
