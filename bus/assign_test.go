package bus

import (
	"fmt"
	"math/rand/v2"
	"testing"

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
			next[id] = claim{held}
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
				members[id] = claim{held}
			}
			// One member more or less moves no more than that one's part.
			if given != n || most-least > 1 || moved > n/len(shares)+1 {
				t.Fatalf("seed %d: %d of %d given, from %d to %d each, %d moved between the living", seed, given, n, least, most, moved)
			}
		}
	}
}

func TestTheNewerClaimCounts(t *testing.T) {
	shares := assign(map[string]claim{"awake": {map[int]int{0: 7, 1: 7}}, "woken": {map[int]int{0: 5}}}, 2, 1)
	if s := shares["woken"]; len(s.Release) != 0 || len(s.partitions) != 0 || s.Generation != 8 {
		t.Errorf("the woken worker gets %+v", s)
	}
	if s := shares["awake"]; len(s.partitions) != 1 || len(s.Release) != 1 {
		t.Errorf("the other gets %+v", s)
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
