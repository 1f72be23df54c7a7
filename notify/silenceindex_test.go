package notify

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// linear is what silences cover an alert at a time, found by going through all.
func linear(all map[string]*topics.Silence, a topics.Alert, at time.Time) (until time.Time) {
	for _, one := range all {
		if one.Until.After(until) && one.Covers(a, at) {
			until = one.Until
		}
	}
	return until
}

// Whatever is chosen and by what, and after changes and removals, the index finds what
// going through all of them finds.
func TestTheIndexMissesNoSilence(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	some := func(of ...string) (out []string) {
		for range random.IntN(3) {
			out = append(out, of[random.IntN(len(of))])
		}
		return out
	}
	s := newSilences(nil)
	for range 3000 {
		one := topics.Silence{
			ID: fmt.Sprint("s", random.IntN(300)), At: noon.Add(-time.Minute), Until: noon.Add(time.Duration(random.IntN(100)) * time.Second),
			Choice: topics.Choice{
				Rules:      some("fall", "f*", "*", "fight", "?all", "[ef]all", `f\all`, "intruder-at-night-*"),
				Cameras:    some("ward-1", "ward-*", "*", "lobby", "*-1", "ward-corridor-north-*", `war\d-1`),
				CameraTags: some("indoor", "outdoor", "night"),
			},
		}
		var value []byte
		if !one.IsZero() && random.IntN(5) > 0 {
			value, _ = topics.EncodeSilence(one)
		}
		if err := s.note(bus.Message{Key: []byte(one.ID), Value: value, Time: noon}); err != nil {
			t.Fatal(err)
		}
		a := topics.Alert{
			Rule: []string{"fall", "fight", "intruder-at-night-2"}[random.IntN(3)], Camera: []string{"ward-1", "lobby", "ward-corridor-north-3"}[random.IntN(3)],
			Tags: some("indoor", "outdoor"),
		}
		if got, want := s.covered(a, noon), linear(s.all.byID, a, noon); !got.Equal(want) {
			t.Fatalf("%s of %s with %q is silenced until %v, want %v", a.Rule, a.Camera, a.Tags, got, want)
		}
	}
	for id := range s.all.byID {
		s.remove(id)
	}
	if len(s.all.places) != 0 {
		t.Errorf("%d places are left of no silence", len(s.all.places))
	}
}

// BenchmarkSilences is what 10,000 silences that are in force cost a record, by the index
// and by going through all.
func BenchmarkSilences(b *testing.B) {
	for _, kind := range []struct {
		name   string
		choice func(i int) topics.Choice
	}{
		{"cameras", func(i int) topics.Choice { return topics.Choice{Cameras: []string{fmt.Sprint("cam-", i)}} }},
		{"rules_of_cameras", func(i int) topics.Choice {
			return topics.Choice{Rules: []string{fmt.Sprint("rule-", i%10)}, Cameras: []string{fmt.Sprint("cam-", i/10)}}
		}},
		{"globs", func(i int) topics.Choice { return topics.Choice{Cameras: []string{fmt.Sprintf("%04d-*", i)}} }},
		{"one_camera", func(i int) topics.Choice {
			return topics.Choice{Cameras: []string{"cam-7"}, Rules: []string{fmt.Sprint("rule-", i)}}
		}},
	} {
		s := newSilences(nil)
		for i := range 10_000 {
			s.all.put(topics.Silence{ID: fmt.Sprint(i), Choice: kind.choice(i), At: noon.Add(-time.Hour), Until: noon.Add(time.Hour)})
		}
		a := topics.Alert{Rule: "fall", Camera: "cam-7", Tags: []string{"indoor"}}
		b.Run(kind.name+"/index", func(b *testing.B) {
			for b.Loop() {
				s.covered(a, noon)
			}
		})
		b.Run(kind.name+"/linear", func(b *testing.B) {
			for b.Loop() {
				linear(s.all.byID, a, noon)
			}
		})
	}
}
