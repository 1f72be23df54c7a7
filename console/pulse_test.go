package console

import (
	"math"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// The last hour says how many clips came and were missed, how late, and how many cameras
// streamed; what anybody may have written moves none of it.
func TestTheLastHourIsCounted(t *testing.T) {
	p := newPulse()
	start := time.Now().Truncate(time.Minute).Add(-30 * time.Minute)
	epoch := start.Add(-time.Hour)
	clip := func(camera string, n uint64, at time.Time, late time.Duration) {
		p.note(&topics.Recognition{Camera: camera, Epoch: epoch, Sequence: n, End: at.Add(-late), Model: "m", Vocab: topics.VocabRef{Version: "v"}, Timings: topics.Timings{Model: 40}}, at)
	}
	for s := range 120 { // two minutes
		now := start.Add(time.Duration(s) * time.Second)
		p.look(Line{Streaming: 1, Cameras: 2}, now)
		if s%2 == 0 && s != 20 && s != 22 {
			clip("lobby", uint64(s/2), now, 2*time.Second)
		}
	}
	clip("yard", 7, start.Add(61*time.Second), 30*time.Second)
	clip("yard", 7, start.Add(62*time.Second), 30*time.Second)
	clip("yard", 1_000_000, start.Add(63*time.Second), 0)
	clip("x", 1, start.Add(63*time.Second), 2*time.Hour)
	clip("x", 1, start.Add(63*time.Second), -2*time.Hour)
	now := start.Add(2 * time.Minute)
	all := p.minutes(now)
	if len(all) != 2 || !all[0].At.Equal(start) {
		t.Fatalf("%+v", all)
	}
	one, two := all[0], all[1]
	if one.Rate != 28.0/60 || one.Missed != 2 || one.Late != 2 || one.Worst != 2 || one.Run != 40 || one.Streaming != 1 || one.Cameras != 2 {
		t.Errorf("%+v", one)
	}
	if two.Rate != 33.0/60 || two.Missed != 0 || two.Worst != 30 || math.Abs(two.Late-(60+60)/33.0) > 1e-9 {
		t.Errorf("%+v", two)
	}
	var l Line
	if p.say(&l, now); l.Rate != two.Rate || l.Model != "m" || l.Vocabulary != "v" {
		t.Errorf("%+v", l)
	}
	if p.say(&l, now.Add(5*time.Minute)); len(p.minutes(now.Add(3*time.Hour))) > 0 {
		t.Errorf("what is older than an hour is shown: %+v", p.minutes(now.Add(3*time.Hour)))
	}
}
