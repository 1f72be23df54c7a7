package framer_test

import (
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/framer"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/topics"
)

// A broker that is away for longer than cameras' queues bridge costs no camera
// more video than that and three seconds. What is lost is read from the numbers
// in the film's frames, and is what is counted as lost. The cameras' streams go
// on all the while.
func TestABrokerThatIsAwayCostsNoMoreThanItsAbsence(t *testing.T) {
	const (
		frames    = 30 * framer.FilmRate
		allowance = 3 * time.Second
	)
	film := framer.NumberedFilm(t, frames)
	for _, c := range []struct {
		name       string
		lasts      time.Duration // and what the broker takes to stop and start
		away, back func(*kafkatest.Kafka, testing.TB)
	}{
		{"restarted", 5 * time.Second, (*kafkatest.Kafka).Stop, (*kafkatest.Kafka).Start},
		// For longer than the group waits for its members.
		{"frozen", 9500 * time.Millisecond, (*kafkatest.Kafka).Freeze, (*kafkatest.Kafka).Thaw},
	} {
		t.Run(c.name, func(t *testing.T) {
			kafka := kafkatest.NewKafka(t)
			r := newRig(t, kafka.Addr(), func(o *framer.Options) {
				o.Window, o.ShortSide, o.Queue = time.Second, 32, 2
			})
			cameras := []string{"a", "b", "c"}
			sim := simulate(t, func(add func(string, string, camsim.FileOptions)) {
				for _, name := range cameras {
					add(name, film, camsim.FileOptions{OnDemand: true, Loops: 1})
				}
			})
			for _, name := range cameras {
				r.put(t, topics.Camera{Name: name, URL: sim.URL(name)})
			}
			each := func(ok func(name string) bool) func() bool {
				return func() bool { return !slices.ContainsFunc(cameras, func(name string) bool { return !ok(name) }) }
			}
			r.until(t, "clips", time.Minute, each(func(name string) bool { return len(r.clips[name]) >= 3 }))
			gone := time.Now()
			c.away(kafka, t)
			time.Sleep(c.lasts)
			c.back(kafka, t)
			back := time.Now()
			r.until(t, "the film's end", 2*time.Minute, each(func(name string) bool {
				last := r.clips[name][len(r.clips[name])-1]
				return last.Start > (frames/framer.FilmRate-2)*time.Second && r.status[name].State != topics.StreamStreaming
			}))
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, name := range cameras {
				lost := hole(t, r.clips[name], frames)
				gaps := r.gaps(t, name)
				t.Logf("%s: away for %v, %.2f s in no clip; counted %v", name, back.Sub(gone), lost, gaps)
				if most := (back.Sub(gone) + allowance).Seconds(); lost > most || lost < 1 {
					t.Errorf("%s: %.2f s of the film are in no clip, want at most %.2f and more than the queue bridges", name, lost, most)
				}
				counted := 0.
				for reason, d := range gaps {
					if reason != "not connected" { // before the film and at its end
						counted += d
					}
				}
				// A hole begins and ends within a frame of where the numbers say.
				if d := counted - lost; d > 2./framer.FilmRate || d < -2./framer.FilmRate {
					t.Errorf("%s: %.2f s of the film are in no clip, and %.2f are counted: %v", name, lost, counted, gaps)
				}
			}
		})
	}
}

// hole is how many seconds of the film between the first clip and the last are in
// none. All clips must be of one stream.
func hole(t *testing.T, clips []topics.Clip, frames int) float64 {
	t.Helper()
	for _, c := range clips {
		if !c.Epoch.Equal(clips[0].Epoch) {
			t.Errorf("clip %s: the stream was opened anew", c.ID)
		}
	}
	in := framer.Covered(t, clips, frames)
	first := slices.Index(in, true)
	last := len(in) - 1
	for !in[last] {
		last--
	}
	n := 0
	for _, yes := range in[first:last] {
		if !yes {
			n++
		}
	}
	return float64(n) / framer.FilmTicks / framer.FilmRate
}
