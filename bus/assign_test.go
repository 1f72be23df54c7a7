package bus

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// settleAll joins members again and again, as they do, until nothing is released.
func settleAll(t *testing.T, members map[string]claim, n int) (shares map[string]share, rounds int) {
	t.Helper()
	for rounds = 1; ; rounds++ {
		shares = assign(members, n, 1000)
		given := map[int]string{}
		again := false
		next := map[string]claim{}
		for id, s := range shares {
			held := map[int]int{}
			for _, p := range s.partitions {
				if other := given[p]; other != "" {
					t.Fatalf("%d is given to %s and %s", p, other, id)
				}
				given[p] = id
				held[p] = s.Generation
			}
			next[id] = claim{Held: held}
			again = again || len(s.Release) > 0
		}
		for id, s := range shares {
			for _, p := range s.Release {
				if given[p] != "" {
					t.Fatalf("%d is given to %s before %s has let go of it", p, given[p], id)
				}
			}
		}
		if members = next; !again {
			return shares, rounds
		}
	}
}

func TestSharesAreEvenAndMoveLittle(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := 1 + r.IntN(30)
		members := map[string]claim{"m0": {}}
		before := map[int]string{}
		for step := range 6 {
			if r.IntN(3) == 0 && len(members) > 1 {
				for id := range members {
					delete(members, id)
					break
				}
			} else {
				members[fmt.Sprintf("m%d-%d", step, seed)] = claim{}
			}
			shares, rounds := settleAll(t, members, n)
			if rounds > 2 {
				t.Fatalf("it takes %d rounds to settle", rounds)
			}
			least, most, moved, given := n, 0, 0, 0
			for id, s := range shares {
				least, most, given = min(least, len(s.partitions)), max(most, len(s.partitions)), given+len(s.partitions)
				held := map[int]int{}
				for _, p := range s.partitions {
					held[p] = s.Generation
					if _, alive := shares[before[p]]; alive && before[p] != id {
						moved++
					}
					before[p] = id
				}
				members[id] = claim{Held: held}
			}
			// One member more or less moves no more than that one's part.
			if given != n || most-least > 1 || moved > n/len(shares)+1 {
				t.Fatalf("seed %d: %d of %d given, from %d to %d each, %d moved between the living", seed, given, n, least, most, moved)
			}
		}
	}
}

func TestTheNewerClaimCounts(t *testing.T) {
	shares := assign(map[string]claim{"awake": {Held: map[int]int{0: 7, 1: 7}}, "woken": {Held: map[int]int{0: 5}}}, 2, 1)
	if s := shares["woken"]; len(s.Release) != 0 || len(s.partitions) != 0 || s.Generation != 8 {
		t.Errorf("the woken worker gets %+v", s)
	}
	if s := shares["awake"]; len(s.partitions) != 1 || len(s.Release) != 1 {
		t.Errorf("the other gets %+v", s)
	}
}

// What nobody claims is assigned at once, unless the coordinator was silent for all:
// then the holders may be on their way back.
func TestPartitionsWaitOnlyForMembersThatMayComeBack(t *testing.T) {
	holds := func(c claim, partitions ...int) claim {
		c.Held = map[int]int{}
		for _, p := range partitions {
			c.Held[p] = 7
		}
		return c
	}
	steady, silent := claim{Steady: true}, claim{Silence: 5000}
	for _, c := range []struct {
		name    string
		members map[string]claim
		want    map[string]int // partitions of each
		wait    int64
	}{
		{"a new group", map[string]claim{"a": {}, "b": {}}, map[string]int{"a": 3, "b": 3}, 0},
		{"the first one back after a freeze", map[string]claim{"a": holds(silent, 0, 1)}, map[string]int{"a": 2}, 5000},
		{"a new member meanwhile", map[string]claim{"a": holds(silent, 0, 1), "new": {}}, map[string]int{"a": 2, "new": 0}, 5000},
		{"the second one back", map[string]claim{"a": holds(claim{Silence: 4000}, 0, 1), "b": holds(silent, 2, 3)}, map[string]int{"a": 2, "b": 2}, 4000},
		{"all are back", map[string]claim{"a": holds(claim{Silence: 3000}, 0, 1), "b": holds(claim{Silence: 4000}, 2, 3), "c": holds(silent, 4, 5)}, map[string]int{"a": 2, "b": 2, "c": 2}, 0},
		{"waited long enough", map[string]claim{"a": holds(steady, 0, 1), "b": holds(claim{Silence: 900}, 2, 3)}, map[string]int{"a": 3, "b": 3}, 0},
		{"one has died while the coordinator answered", map[string]claim{"a": holds(steady, 0, 1), "b": holds(steady, 2, 3)}, map[string]int{"a": 3, "b": 3}, 0},
		{"one has slept, and another has died", map[string]claim{"a": holds(silent, 0, 1), "b": holds(steady, 2, 3)}, map[string]int{"a": 3, "b": 3}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			shares := assign(c.members, 6, 1000)
			for id, want := range c.want {
				s := shares[id]
				if len(s.partitions) != want || len(s.Release) != 0 || s.Wait != c.wait || s.Again != c.wait {
					t.Errorf("%s gets %v, releases %v and waits %d ms; want %d partitions and %d ms", id, s.partitions, s.Release, s.Wait, want, c.wait)
				}
				for p := range c.members[id].Held {
					if !slices.Contains(s.partitions, p) {
						t.Errorf("%s loses partition %d", id, p)
					}
				}
			}
		})
	}
}

// Nobody gives up a partition for a member that may fail at once.
func TestPartitionsAreReleasedToProvenMembersOnly(t *testing.T) {
	holds := func(age time.Duration, partitions ...int) claim {
		c := claim{Steady: age > 0, Age: age.Milliseconds(), Held: map[int]int{}}
		for _, p := range partitions {
			c.Held[p] = 7
		}
		return c
	}
	const old, young = time.Hour, 2 * time.Second
	type shares map[string][2]int // partitions, released
	for _, c := range []struct {
		name    string
		members map[string]claim
		want    shares
		again   time.Duration
	}{
		{"a group that begins", map[string]claim{"a": holds(young, 0, 1, 2, 3, 4, 5), "new": {}}, shares{"a": {3, 3}, "new": {0, 0}}, 0},
		{"a new member", map[string]claim{"a": holds(old, 0, 1, 2, 3, 4, 5), "new": {}}, shares{"a": {6, 0}, "new": {0, 0}}, provenTime},
		{"it is proven", map[string]claim{"a": holds(old, 0, 1, 2, 3, 4, 5), "new": holds(provenTime)}, shares{"a": {3, 3}, "new": {0, 0}}, 0},
		{"what an old one left", map[string]claim{"a": holds(old, 0, 1, 2), "new": holds(young)}, shares{"a": {3, 0}, "new": {3, 0}}, provenTime - young},
		{"one proven, one not", map[string]claim{"a": holds(old, 0, 1, 2, 3, 4, 5), "b": holds(provenTime), "new": holds(young)}, shares{"a": {3, 3}, "b": {0, 0}, "new": {0, 0}}, provenTime - young},
		{"one that holds without being proven", map[string]claim{"a": holds(old, 0), "b": holds(young, 1, 2, 3, 4, 5), "new": {}}, shares{"a": {1, 0}, "b": {5, 0}, "new": {0, 0}}, provenTime - young},
	} {
		t.Run(c.name, func(t *testing.T) {
			for id, s := range assign(c.members, 6, 1000) {
				if got := [2]int{len(s.partitions), len(s.Release)}; got != c.want[id] || s.Again != c.again.Milliseconds() {
					t.Errorf("%s gets %v, releases %v, again in %d ms; want %v and %v", id, s.partitions, s.Release, s.Again, c.want[id], c.again)
				}
			}
		})
	}
}

func TestKeysGoWhereJavasClientPutsThem(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		key := make([]byte, r.IntN(40))
		for i := range key {
			key[i] = byte(r.Uint32())
		}
		n := 1 + r.IntN(50)
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		if got, want := partitionOfKey(key, n), (kafka.Murmur2Balancer{Consistent: true}).Balance(kafka.Message{Key: key}, all...); got != want {
			t.Fatalf("key %x of %d partitions: %d, want %d", key, n, got, want)
		}
	}
}

// Whoever may join the group writes a claim. One of 10,000 partitions is read; one
// that no member writes counts as that of a new member, before it takes memory.
func TestHugeClaimsAreNotDecoded(t *testing.T) {
	held := map[int]int{}
	for p := range 10_000 {
		held[p] = int(time.Now().UnixMilli())
	}
	if got := decode[claim](encode(claim{Held: held, Steady: true})); len(got.Held) != len(held) || !got.Steady {
		t.Errorf("a claim to %d partitions was read as one to %d", len(held), len(got.Held))
	}
	huge := []byte(`{"held":{"0":0` + strings.Repeat(`,"x":0`, 4<<20/6) + `}}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := decode[claim](huge)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; len(got.Held) != 0 || took > 1<<20 {
		t.Errorf("a claim of %d bytes was read as %d partitions, in %d bytes", len(huge), len(got.Held), took)
	}
}
