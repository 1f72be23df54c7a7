package notify

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// play offers events, "camera seconds" each, in order, and returns what leaves when.
func play(p *pace, g Group, events ...string) (out []string) {
	var from, at int
	send := func(all []Event) {
		line := fmt.Sprint(at, ":")
		for _, e := range all {
			line += " " + e.Key
		}
		out = append(out, line)
	}
	advance := func(to int) {
		for ; at < to; at++ {
			for {
				all, some := p.due(noon.Add(time.Duration(at) * time.Second))
				if !some {
					break
				}
				send(all)
			}
		}
	}
	for i, text := range events {
		var camera string
		if _, err := fmt.Sscanf(text, "%s %d", &camera, &from); err != nil {
			panic(err)
		}
		advance(from)
		e := Event{Key: fmt.Sprint(camera, i), Alert: topics.Alert{Camera: camera}}
		if p.offer(e, g.of(e.Alert), int64(i), noon.Add(time.Duration(at)*time.Second)) {
			send([]Event{e})
		}
	}
	advance(1000)
	return out
}

func TestPace(t *testing.T) {
	for _, c := range []struct {
		name   string
		group  Group
		limit  Limit
		events []string
		want   []string
	}{
		{"none", Group{}, Limit{}, []string{"a 0", "a 0", "b 1"}, []string{"0: a0", "0: a1", "1: b2"}},
		{
			"by camera", Group{30 * time.Second, "camera"}, Limit{},
			[]string{"a 0", "a 1", "b 2", "a 5", "a 40", "a 100"},
			[]string{"0: a0", "2: b2", "30: a1 a3", "60: a4", "100: a5"},
		},
		{"all together", Group{10 * time.Second, ""}, Limit{}, []string{"a 0", "b 1", "c 2"}, []string{"0: a0", "10: b1 c2"}},
		{"limit", Group{}, Limit{2, time.Minute}, []string{"a 0", "b 0", "c 1", "d 2", "e 3"}, []string{"0: a0", "0: b1", "30: c2 d3 e4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPace(c.group.Every, newLimiter(c.limit))
			if got := play(p, c.group, c.events...); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// What is held is not committed, and is bounded.
func TestHeldEventsAreNotCommitted(t *testing.T) {
	p := newPace(time.Minute, newLimiter(Limit{}))
	if !p.offer(Event{}, "a", 5, noon) || p.first(6) != 6 {
		t.Error("the first is held")
	}
	for i := range maxTogether {
		if p.full() {
			t.Fatalf("full after %d", i)
		}
		p.offer(Event{}, "a", int64(6+i), noon)
	}
	if at := p.first(200); at != 6 || !p.full() {
		t.Errorf("commits %d, want 6; full %v", at, p.full())
	}
}
