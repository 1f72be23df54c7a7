package bus

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
)

// protocolName names this way of assigning partitions. All members of a group must
// support it.
const protocolName = "frostwatch-lease"

// claim is what a member says about itself when it joins. It travels as JSON. The
// zero value is that of a new member.
type claim struct {
	// Held are the partitions that it holds, each with the newest generation under
	// which it was assigned to the member.
	Held map[int]int `json:"held,omitempty"`
	// Steady is set if the member was in the group before and the coordinator has
	// answered it all along: members that are missing now have died or left.
	Steady bool `json:"steady,omitempty"`
	// Silence is set, in milliseconds, if the coordinator gave no answer for so long
	// that members which are missing may only be late: it is for how much longer
	// they are waited for.
	Silence int64 `json:"silence_ms,omitempty"`
	// Age is for how long, in milliseconds, the member has been in the group.
	Age int64 `json:"age_ms,omitempty"`
}

// provenTime is how old a member must be before others release partitions to it:
// one that dies earlier, as a worker that fails at its start again and again, then
// moves no camera at all. It is the time in which the coordinator would have noticed
// that it is dead.
const provenTime = sessionTime

// share is a member's assignment.
type share struct {
	Generation int `json:"generation"` // of the whole group
	// Release are partitions that the member holds and that others are to have: it
	// finishes its work on them and joins again without them. Until then nobody else
	// is assigned them.
	Release []int `json:"release,omitempty"`
	// Wait is set, in milliseconds, while partitions without a holder are kept for a
	// member that may come back.
	Wait int64 `json:"wait_ms,omitempty"`
	// Again is after what time, in milliseconds, the leader assigns anew; 0: not
	// before members come or go.
	Again int64 `json:"again_ms,omitempty"`

	partitions []int
}

// maxUserData bounds what a member or the leader writes in JSON: in memory it can take
// twenty-five times its bytes. The claim to 10,000 partitions has 250 KB.
const maxUserData = 1 << 20 // bytes

func decode[T any](b []byte) (out T) {
	if len(b) > maxUserData {
		return out
	}
	_ = json.Unmarshal(b, &out) // a claim that can't be read is that of a new member
	return out
}

func encode(v any) []byte {
	b, _ := json.Marshal(v) // of numbers alone
	return b
}

// assign divides n partitions among members so that as few as possible move. A
// proven member keeps what it holds, up to its part if the proven ones share all;
// what exceeds that is released first, and assigned to another once its holder has
// joined without it. Others keep what they hold until they are proven. A partition
// that two members claim stays with the claim of the newer generation. Partitions
// that nobody claims are assigned at once to those that have the fewest, or wait (see
// missing). now is the least generation.
func assign(members map[string]claim, n, now int) map[string]share {
	ids := slices.Sorted(maps.Keys(members))
	held, free := holdings(members, ids, n)
	// The members that hold most get the larger parts, where parts can't be equal.
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(len(held[b]), len(held[a])) })
	proven, again := provenMembers(members)
	var wait int64
	if len(free) > 0 {
		wait = missing(members)
	}
	if wait > 0 && (again == 0 || wait < again) {
		again = wait
	}
	out := map[string]share{}
	rank := 0 // among the proven
	for _, id := range ids {
		keep := len(held[id])
		if proven[id] {
			keep = min(keep, part(n, len(proven), rank))
			rank++
		}
		out[id] = share{Generation: nextGeneration(members, now), Wait: wait, Again: again, partitions: held[id][:keep:keep], Release: held[id][keep:]}
	}
	if wait > 0 {
		return out
	}
	for _, p := range free {
		least := slices.MinFunc(ids, func(a, b string) int { return cmp.Compare(len(out[a].partitions), len(out[b].partitions)) })
		s := out[least]
		s.partitions = append(s.partitions, p)
		out[least] = s
	}
	return out
}

// part is how many of n partitions the member at a rank gets if so many members
// share them.
func part(n, members, rank int) int {
	if rank < n%members {
		return n/members + 1
	}
	return n / members
}

// provenMembers are those that others release partitions to, and in how many
// milliseconds that changes (0: not by itself). In a group that is new as a whole
// all count.
func provenMembers(members map[string]claim) (proven map[string]bool, again int64) {
	proven = map[string]bool{}
	for id, c := range members {
		left := provenTime.Milliseconds() - c.Age
		switch {
		case left <= 0:
			proven[id] = true
		case again == 0 || left < again:
			again = left
		}
	}
	if len(proven) > 0 {
		return proven, again
	}
	for id := range members {
		proven[id] = true
	}
	return proven, 0
}

// holdings are the partitions that each member holds, and those that none does.
func holdings(members map[string]claim, ids []string, n int) (held map[string][]int, free []int) {
	held = map[string][]int{}
	for p := range n {
		newest, holder := -1, ""
		for _, id := range ids {
			if g, ok := members[id].Held[p]; ok && g > newest {
				newest, holder = g, id
			}
		}
		if holder == "" {
			free = append(free, p)
		} else {
			held[holder] = append(held[holder], p)
		}
	}
	return held, free
}

// nextGeneration is at least now, and newer than all that are claimed.
func nextGeneration(members map[string]claim, now int) int {
	for _, c := range members {
		for _, g := range c.Held {
			now = max(now, g+1)
		}
	}
	return now
}

// missing is for how much longer, in milliseconds, members that are not there may
// come back. If one member has been in contact with the coordinator all along, the
// others were too or are dead, and nobody is waited for. Otherwise the first member
// that came back decides, so that a group whose members come back one after the
// other does not wait each time anew.
func missing(members map[string]claim) int64 {
	var wait int64
	for _, c := range members {
		switch {
		case c.Steady:
			return 0
		case c.Silence > 0 && (wait == 0 || c.Silence < wait):
			wait = c.Silence
		}
	}
	return wait
}
