package alerts

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// crowd is a rule that counts cameras.
func crowd(cameras int, within time.Duration) Rule {
	return Rule{Name: "crowd", Actions: []string{"running"}, Count: &Count{cameras, within}}
}

// sees is the sighting of a camera, of the clip that ends so many seconds after t0.
func sees(set *RuleSet, camera string, second float64) topics.Sighting {
	end := t0.Add(time.Duration(second * float64(time.Second)))
	return topics.Sighting{Rule: "crowd", RuleHash: set.find("crowd").hash, Seen: &topics.Seen{
		Camera: camera, Start: end.Add(-4 * time.Second), End: end, Label: topics.LabelScore{Label: "running", Contrast: .9},
		Measure: "contrast", Threshold: .5, ClipID: fmt.Sprintf("%s-%v", camera, second),
	}}
}

func reaches(partition int, second float64) topics.Sighting {
	return topics.Sighting{Rule: "crowd", Partition: partition, Through: t0.Add(time.Duration(second * float64(time.Second)))}
}

// counted writes down alerts, as "raised at 8 by c since a-0: a b c" or "cleared at 13".
func counted(all []topics.Alert) (out []string) {
	for _, a := range all {
		second := a.At.Sub(t0).Seconds()
		if a.State == topics.AlertRaised {
			out = append(out, fmt.Sprintf("raised at %v by %s since %s: %s", second, a.Camera, a.OnsetClip, strings.Join(a.Cameras, " ")))
		} else {
			out = append(out, fmt.Sprintf("cleared at %v", second))
		}
	}
	return out
}

// seeAll shows a counter records an hour after what they are about.
func seeAll(c *Counter, all ...topics.Sighting) (out []topics.Alert) {
	for i, s := range all {
		out = append(out, c.See(s, t0.Add(time.Hour+time.Duration(i)*time.Millisecond))...)
	}
	return out
}

func TestCameras(t *testing.T) {
	set := ruleSet(t, crowd(3, 10*time.Second))
	see := func(camera string, second float64) topics.Sighting { return sees(set, camera, second) }
	for _, c := range []struct {
		name string
		all  []topics.Sighting
		want []string
	}{
		{"enough within the time", []topics.Sighting{see("a", 0), see("b", 5), see("c", 10)}, []string{"raised at 10 by c since a-0: a b c", "cleared at 10"}},
		{"too few", []topics.Sighting{see("a", 0), see("b", 5), see("a", 6), see("b", 7)}, nil},
		{"too far apart", []topics.Sighting{see("a", 0), see("b", 5), see("c", 10.001)}, nil},
		{"they go on seeing it", []topics.Sighting{see("a", 0), see("b", 1), see("c", 2), see("a", 8), see("b", 10), see("c", 12), see("a", 14)}, []string{"raised at 2 by c since a-0: a b c", "cleared at 20"}},
		{"a fourth takes the place of one", []topics.Sighting{see("a", 0), see("b", 5), see("c", 6), see("d", 9), see("c", 11)}, []string{"raised at 6 by c since a-0: a b c", "cleared at 15"}},
		{"twice", []topics.Sighting{see("a", 0), see("b", 1), see("c", 2), see("a", 20), see("b", 21), see("c", 22)},
			[]string{"raised at 2 by c since a-0: a b c", "cleared at 10", "raised at 22 by c since a-20: a b c", "cleared at 30"}},
		{"one has seen it for long", []topics.Sighting{see("a", 0), see("a", 9), see("a", 18), see("b", 19), see("c", 20)}, []string{"raised at 20 by c since a-18: a b c", "cleared at 28"}},
		{"what was seen before the clear counts for no other alert", []topics.Sighting{see("a", 0), see("b", 1), see("c", 2), see("d", 10.5), see("e", 14)}, []string{"raised at 2 by c since a-0: a b c", "cleared at 10"}},
		{"repeated", []topics.Sighting{see("a", 0), see("b", 1), see("c", 2), see("c", 2), see("b", 1)}, []string{"raised at 2 by c since a-0: a b c", "cleared at 10"}},
	} {
		if got := counted(CountAll(set, c.all, t0.Add(time.Minute))); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// Sightings of cameras in several partitions, each partition in its order, raise and clear
// the same alerts however the partitions are mixed, as long as none is further behind the
// others than what happens is apart.
func TestTheOrderOfSightingsDoesNotMatter(t *testing.T) {
	for seed := range 100 {
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		set := ruleSet(t, crowd(2+random.IntN(3), 10*time.Second))
		all := happenings(set, random)
		want := CountAll(set, slices.Clone(all), t0.Add(time.Hour))
		got := seeAll(NewCounter(set), mixed(all, random)...)
		if len(want) != len(got) {
			t.Fatalf("seed %d: in order %q, mixed %q", seed, counted(want), counted(got))
		}
		for i, w := range want {
			// An alert that was raised by those that came first is not raised again by
			// those from before it.
			if w.State == topics.AlertRaised && got[i].At.Before(w.At) || w.State == topics.AlertCleared && !got[i].At.Equal(w.At) || got[i].State != w.State {
				t.Fatalf("seed %d: in order %q, mixed %q", seed, counted(want), counted(got))
			}
		}
	}
}

// happenings are sightings of up to six cameras that raise five alerts in order, each two
// minutes after the one before.
func happenings(set *RuleSet, random *rand.Rand) (all []topics.Sighting) {
	for len(all) < 5*20 {
		began := float64(len(all)) * 6
		var burst []topics.Sighting
		for range 20 {
			burst = append(burst, sees(set, string(rune('a'+random.IntN(6))), began+30*random.Float64()))
		}
		together := newPresence(10 * time.Second)
		for _, s := range burst {
			together.add(s.Seen)
		}
		n := set.find("crowd").Count.Cameras
		found, at := together.enough(time.Time{}, time.Time{}, n, nil)
		again, _ := together.enough(time.Time{}, together.last(at, n).Add(1), n, nil)
		if found != nil && again == nil {
			slices.SortFunc(burst, func(a, b topics.Sighting) int { return a.Seen.End.Compare(b.Seen.End) })
			all = append(all, burst...)
		}
	}
	return all
}

// mixed deals sightings to three partitions, by camera, which take turns at random, each
// with how far it has come. Now and then they repeat one.
func mixed(all []topics.Sighting, random *rand.Rand) (out []topics.Sighting) {
	parts := make([][]topics.Sighting, 3)
	for i := range parts {
		out = append(out, reaches(i, -1))
	}
	for _, s := range all {
		i := int(s.Seen.Camera[0]) % len(parts)
		s.Partition = i
		parts[i] = append(parts[i], s)
	}
	for {
		var oldest time.Time
		for _, p := range parts {
			if len(p) > 0 && (oldest.IsZero() || p[0].Seen.End.Before(oldest)) {
				oldest = p[0].Seen.End
			}
		}
		if oldest.IsZero() {
			break
		}
		i := random.IntN(len(parts))
		for range random.IntN(9) {
			if len(parts[i]) == 0 || parts[i][0].Seen.End.Sub(oldest) > time.Minute {
				break
			}
			s := parts[i][0]
			if parts[i] = parts[i][1:]; random.IntN(5) == 0 {
				out = append(out, s)
			}
			if out = append(out, s); random.IntN(2) == 0 {
				out = append(out, topics.Sighting{Rule: "crowd", Partition: i, Through: s.Seen.End})
			}
		}
	}
	for i := range parts {
		out = append(out, reaches(i, 3000))
	}
	return out
}

func TestAnAlertIsRaisedAtOnceAndClearedOnceAllHaveComeThatFar(t *testing.T) {
	set := ruleSet(t, crowd(2, 10*time.Second))
	c := NewCounter(set)
	a, b := sees(set, "a", 0), sees(set, "b", 5)
	b.Partition = 1
	steps := []struct {
		record topics.Sighting
		want   []string
	}{
		{reaches(0, -5), nil},
		{b, nil},
		{a, []string{"raised at 5 by b since a-0: a b"}}, // although it is the earlier one
		{reaches(0, 60), nil},                            // partition 1 has come to 5
		{reaches(1, 9), nil},
		{sees(set, "a", 8), nil}, // late: it was known that partition 0 is past it, and extends the alert
		{reaches(1, 14.9), nil},
		{reaches(1, 15), []string{"cleared at 15"}},
		{sees(set, "a", 14), nil}, // too late
		{sees(set, "a", 20), nil},
	}
	for i, s := range steps {
		if got := counted(seeAll(c, s.record)); !slices.Equal(got, s.want) {
			t.Errorf("step %d: got %q, want %q", i, got, s.want)
		}
	}
}
