package infer

import (
	"fmt"
	"image/color"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

// readBus notes which clips were read, by offset.
type readBus struct {
	*bus.Client
	mu   sync.Mutex
	seen map[int64]bool
}

func (b *readBus) Age(m bus.Message) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen[m.Offset] = true
	return b.Client.Age(m)
}

func (b *readBus) read() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.seen)
}

// After an hour away the newest clips are recognised at once and the others are not
// even read, so that a backlog delays no alert. The same holds for a new group.
func TestBacklogIsSkippedUnread(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{false, true} {
		t.Run(fmt.Sprintf("group known %v", known), func(t *testing.T) {
			r := newRig(t, 1)
			frame := jpegOf(t, 48, 32, color.White)
			now := time.Now()
			o := r.options(r.model("first").recogniser())
			if known {
				r.sendAt("b", clipOf(t, "b", 0, frame, now), now.Add(-2*time.Hour))
				before := o
				before.MaxAge = 0
				runUntil(t, before, func() bool { return len(r.read(topics.Actions)) == 1 })
				o.First = r.model("second").recogniser()
			}
			const old, fresh = 1200, 3
			for n := range old {
				r.sendAt("a", clipOf(t, "a", n, frame, now), now.Add(-time.Hour+time.Duration(n)*time.Second))
			}
			for n := range fresh {
				r.send("a", clipOf(t, "a", old+n, frame, now))
			}
			reads := &readBus{Client: r.newClient(), seen: map[int64]bool{}}
			count, meter := counted()
			var log stagetest.Log
			o.Bus, o.Meter, o.Logger = reads, meter, log.Logger()
			runUntil(t, o, func() bool {
				return len(r.recognitions()["a"]) == fresh && log.Contains("keeping up with the cameras again")
			})
			for i, rec := range r.recognitions()["a"] {
				if rec.Sequence != uint64(old+i) {
					t.Errorf("clip %d was recognised", rec.Sequence)
				}
			}
			if n := reads.read(); n > 10 {
				t.Errorf("%d clips were read to get at %d", n, fresh)
			}
			if got := count(t)["frostwatch.infer.clips_dropped"]; got != old {
				t.Errorf("%d clips are counted as skipped, of %d", got, old)
			}
			for _, want := range []string{`level=WARN msg="falling behind the cameras" partition=0`, "skipped=1200 max_age=1m0s", "add an infer worker", "behind_for="} {
				if !log.Contains(want) {
					t.Errorf("the log lacks %q:\n%s", want, log.String())
				}
			}
		})
	}
}

// After a backlog the stage continues with clips of half the allowed age: otherwise
// a worker that can't keep up would stay as late as is allowed. Without a backlog
// clips of that age are recognised.
func TestBacklogIsSkippedToHalfTheAge(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	frame, now := jpegOf(t, 48, 32, color.White), time.Now()
	n := 0
	send := func(clips int, age time.Duration) {
		for range clips {
			r.sendAt("a", clipOf(t, "a", n, frame, now), time.Now().Add(-age))
			n++
		}
	}
	count, meter := counted()
	o := r.options(r.model("first").recogniser())
	o.Meter = meter
	send(5, 2*o.MaxAge)
	send(3, o.MaxAge*2/3)
	send(2, 0)
	runUntil(t, o, func() bool { return len(r.read(topics.Actions)) >= 2 })
	if got := r.recognitions()["a"]; len(got) != 2 || got[0].Sequence != 8 {
		t.Errorf("%d clips were recognised after a backlog, the first is %d", len(got), got[0].Sequence)
	}
	if got := count(t)["frostwatch.infer.clips_dropped"]; got != 8 {
		t.Errorf("%d clips are counted as skipped", got)
	}
	send(2, o.MaxAge*2/3)
	send(1, 0)
	o.First = r.model("second").recogniser()
	runUntil(t, o, func() bool { return len(r.read(topics.Actions)) >= 5 })
	if got := count(t)["frostwatch.infer.clips_dropped"]; got != 8 {
		t.Errorf("without a backlog %d more were skipped", got-8)
	}
}

// If the model is too slow, the stage skips to new clips once clips are older than
// allowed, also after it has read some of the partition.
func TestBacklogIsSkippedWhileReading(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	frame := jpegOf(t, 48, 32, color.White)
	slow := r.model("slow")
	slow.gate = make(chan struct{})
	o := r.options(slow.recogniser())
	o.MaxAge, o.MaxBatch = 8*time.Second, 1
	count, meter := counted()
	o.Meter = meter
	_, stop := start(t, o)
	const old = 300
	sent := time.Now()
	for n := range old {
		r.send("a", clipOf(t, "a", n, frame, sent))
		if n == 0 {
			<-slow.begun
		}
	}
	last := time.Now()
	stagetest.Await(t, "the clips to age", func() bool { return time.Since(last) > o.MaxAge })
	r.send("a", clipOf(t, "a", old, frame, sent))
	close(slow.gate)
	stagetest.Await(t, "the newest clip", func() bool {
		got := r.recognitions()["a"]
		return len(got) > 0 && got[len(got)-1].Sequence == old
	})
	if err := stop(); err != nil {
		t.Error(err)
	}
	recognised := int64(len(r.recognitions()["a"]))
	// Only the clip in the run and the newest one are recognised: clips that became
	// too old in the stage's own queues are skipped as well.
	if skipped := count(t)["frostwatch.infer.clips_dropped"]; recognised != 2 || recognised+skipped != old+1 {
		t.Errorf("%d clips were recognised and %d skipped, of %d", recognised, skipped, old+1)
	}
}

// The time that a clip waited in its sender counts towards its age.
func TestClipsThatWaitedInTheirSenderAreOld(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	frame := jpegOf(t, 48, 32, color.White)
	// Captured by the sender's clock, which is an hour behind.
	now := time.Now().Add(-time.Hour)
	r.send("a", clipOf(t, "a", 7, frame, now), topics.HeaderQueued, "61000")
	r.send("a", clipOf(t, "a", 0, frame, now), topics.HeaderQueued, "500")
	count, meter := counted()
	o := r.options(r.model("first").recogniser())
	var log stagetest.Log
	o.Meter, o.Logger = meter, log.Logger()
	// What is skipped is reported, not only counted.
	runUntil(t, o, func() bool { return len(r.read(topics.Actions)) > 0 && log.Contains("skipped=1 max_age=1m0s") })
	r.wantEach(map[string]int{"a": 1})
	if got := count(t)["frostwatch.infer.clips_dropped"]; got != 1 {
		t.Errorf("%d skipped, want the one that waited for 61 s", got)
	}
}

// A worker that was paused sends the clips it had when it wakes up. Another worker
// has their camera by now and has sent newer ones.
func TestClipsOfAnOvertakenSenderAreDiscarded(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	frame := jpegOf(t, 48, 32, color.White)
	now := time.Now()
	for i, generation := range []string{"5", "5", "", "7", "5", "6", "7", "8"} {
		var headers []string
		if generation != "" {
			headers = []string{topics.HeaderGeneration, generation}
		}
		r.send("a", clipOf(t, "a", i, frame, now), headers...)
	}
	r.send("b", clipOf(t, "b", 0, frame, now), topics.HeaderGeneration, "5") // another camera
	count, meter := counted()
	o := r.options(r.model("first").recogniser())
	o.Meter = meter
	runUntil(t, o, func() bool { return len(r.read(topics.Actions)) == 7 })
	var got []uint64
	for _, rec := range r.recognitions()["a"] {
		got = append(got, rec.Sequence)
	}
	if fmt.Sprint(got) != "[0 1 2 3 6 7]" || len(r.recognitions()["b"]) != 1 {
		t.Errorf("recognised clips %v of a and %d of b", got, len(r.recognitions()["b"]))
	}
	if n := count(t)["frostwatch.infer.clips_dropped"]; n != 2 || len(r.read(topics.DeadLetter)) != 0 {
		t.Errorf("%d discarded, %d dead letters", n, len(r.read(topics.DeadLetter)))
	}
}

// If the senders' group is deleted, its generations start from one again.
func TestGenerationsMayBeginAgain(t *testing.T) {
	s, at := newSenders(), time.Now()
	from := func(generation string, at time.Time) bus.Message {
		return bus.Message{Time: at, Headers: []bus.Header{{Key: topics.HeaderGeneration, Value: []byte(generation)}}}
	}
	for i, c := range []struct {
		generation string
		after      time.Duration
		want       bool
	}{{"9", 0, false}, {"2", time.Second, true}, {"2", sureFor - 1, true}, {"2", sureFor, false}, {"1", sureFor + time.Second, true}, {"no number", 0, false},
		{"9223372036854775807", sureFor + 2*time.Second, false}, {"2", sureFor + 3*time.Second, false}} {
		if got := s.overtaken("a", from(c.generation, at.Add(c.after))); got != c.want {
			t.Errorf("record %d: overtaken %v", i, got)
		}
	}
	for i := range 3 * maxSenders {
		s.overtaken(fmt.Sprint("camera-", i), from("1", at))
	}
	if len(s) > maxSenders {
		t.Errorf("%d cameras are remembered", len(s))
	}
}
