package media

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A machine that is too busy to decode at once for some seconds, again and again, gets
// frames later and later, and then all that it had missed. Their stamps were right, and
// are believed most of the time.
func TestABusyMachineDoesNotMakeStampsWrong(t *testing.T) {
	const films, frames = 100, 1200
	given := 0
	for seed := range uint64(films) {
		r := rand.New(rand.NewPCG(seed, 9))
		k := clock{tick: 1. / 90_000, live: true}
		now, busy, until := time.Duration(0), 0., time.Duration(0)
		for i := range frames {
			made := time.Duration(i) * 100 * ms
			if made >= until { // a frame takes up to three times as long as it may
				busy, until = 1.6*r.Float64(), made+time.Duration(1+r.IntN(6))*time.Second
			}
			now = max(now, made) + time.Duration(2*busy*r.Float64()*float64(100*ms))
			k.at(int64(made.Seconds()*90_000), now)
			if k.byArrival {
				given++
			}
		}
	}
	if share := float64(given) / (films * frames); share > .4 {
		t.Errorf("%.0f%% of the frames are shown at their arrival", 100*share)
	}
}

// A camera that pauses while its pictures are decoded late was silent for as long as its
// stamps say, although less time than that has passed between two of its frames.
func TestAPauseIsBelievedOfFramesThatAreLate(t *testing.T) {
	const late, pause, busyFor = 6 * time.Second, 4 * time.Second, 20 * time.Second
	k := clock{tick: 1. / 90_000, live: true}
	show := func(made, came time.Duration) time.Duration {
		at, _ := k.at(int64(made.Seconds()*90_000), came)
		return at
	}
	made := time.Duration(0)
	for ; made < 30*time.Second; made += 100 * ms {
		show(made, made)
	}
	for until := made + busyFor; made < until; made += 100 * ms {
		show(made, made+late)
	}
	came := made + late
	made += pause
	if at := show(made, came); (at - made).Abs() > ms {
		t.Errorf("a frame of %v that came at %v is shown at %v", made, came, at)
	}
}

// Jitter does not hide that fewer frames come than are stamped.
func TestAWrongRateIsNoticedInJitter(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		k := clock{tick: 1. / 90_000, live: true}
		given := time.Duration(0)
		for i := range 2000 {
			came := time.Duration(i)*time.Second/21 + time.Duration(r.IntN(60))*ms
			k.at(int64(i)*3600, came)
			if k.byArrival && given == 0 {
				given = came
			}
		}
		if given == 0 || given > 20*time.Second || !k.byArrival {
			t.Errorf("noticed after %v, and in force at the end: %v", given, k.byArrival)
		}
	}
}
