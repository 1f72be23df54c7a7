package media

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

const ms = time.Millisecond

// Where stamps are right, or the file's own, they are kept as they are.
func TestClock(t *testing.T) {
	for _, c := range []struct {
		name  string
		clock clock
		fps   float64 // of a file's header
		stamp []int64 // at 1 kHz
		want  []int64 // ms; -1: skipped, -2: the one before is dropped and this is 0
	}{
		{"plain", clock{}, 0, []int64{500, 540, 580}, []int64{0, 40, 80}},
		{"first unknown", clock{}, 0, []int64{noTime, 40, 80}, []int64{0, 40, 80}},
		{"first unknown, live", clock{live: true}, 0, []int64{noTime, 40, 80}, []int64{0, 40, 80}},
		{"first unknown, RTP clock begins at 0", clock{}, 0, []int64{noTime, 0, 40}, []int64{0, -2, 40}},
		{"first unknown, far away", clock{}, 0, []int64{noTime, 90_000, 90_040}, []int64{0, -2, 40}},
		{"first unknown, far away, live", clock{live: true}, 0, []int64{noTime, 90_000, 90_040}, []int64{0, -2, 40}},
		{"one unknown", clock{}, 0, []int64{0, 40, noTime, 120}, []int64{0, 40, 80, 120}},
		{"two unknown first", clock{}, 0, []int64{noTime, noTime, 80}, []int64{0, -1, 80}},
		{"two unknown first, live", clock{live: true}, 0, []int64{noTime, noTime, 80, 120}, []int64{0, 40, 80, 120}},
		{"a recording's, none known", clock{}, 25, []int64{noTime, noTime, noTime}, []int64{0, 40, 80}},
		{"a recording's, two unknown first", clock{}, 25, []int64{noTime, noTime, 90_080, 90_120}, []int64{0, 40, 80, 120}},
		{"a live one's, none known", clock{live: true}, 25, []int64{noTime, noTime, noTime}, []int64{0, 40, 80}},
		{"a live one's, two unknown first", clock{live: true}, 20, []int64{noTime, noTime, 90_080, 90_120}, []int64{0, 50, 100, 140}},
		{"a file's, backwards", clock{plain: true}, 0, []int64{0, 40, 80, 10, 50}, []int64{0, 40, 80, 10, 50}},
		{"a recording's, backwards", clock{}, 0, []int64{0, 40, 80, 10, 50, 90, 130}, []int64{0, 40, 80, 100, 120, 120, 130}},
		{"a recording's, one far away", clock{}, 0, []int64{0, 40, -9_000_000, 120}, []int64{0, 40, 60, 120}},
		{"a recording's gap", clock{}, 0, []int64{0, 40, 9_000_000, 9_000_040}, []int64{0, 40, 9_000_000, 9_000_040}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := c.clock
			k.tick = 1e-3
			k.rated(c.fps)
			for i, stamp := range c.stamp {
				at, v := k.at(stamp, time.Duration(i)*40*ms)
				got := at.Milliseconds()
				switch v {
				case skip:
					got = -1
				case dropEarlier:
					got = -2
				}
				if got != c.want[i] {
					t.Errorf("frame %d: %d, want %d", i, got, c.want[i])
				}
			}
		})
	}
}

// camera is how a made-up camera stamps and sends its frames.
type camera struct {
	frames int
	made   func(i int) time.Duration // when frame i is made, and comes unless sent says otherwise
	stamp  func(i int, made time.Duration) time.Duration
	sent   func(i int, made time.Duration) time.Duration
}

func every(d time.Duration) func(int) time.Duration {
	return func(i int) time.Duration { return time.Duration(i) * d }
}

// play is when the clock says that each of the camera's frames is on display, at 90 kHz.
func (c camera) play() []time.Duration {
	k := clock{tick: 1. / 90_000, live: true}
	var out []time.Duration
	for i := range c.frames {
		made := c.made(i)
		stamp, sent := made, made
		if c.stamp != nil {
			stamp = c.stamp(i, made)
		}
		if c.sent != nil {
			sent = c.sent(i, made)
		}
		at, v := k.at(1_000_000+int64(math.Round(stamp.Seconds()*90_000)), sent)
		if v != keep {
			return nil
		}
		out = append(out, at)
	}
	return out
}

// Whatever a camera stamps, its frames are shown when they were made, in order and
// without a leap.
func TestOddStamps(t *testing.T) {
	const hour = time.Hour
	plain := func(_ int, made time.Duration) time.Duration { return made }
	for _, c := range []struct {
		name   string
		camera camera
		off    time.Duration // by which times may be wrong
	}{
		{"as they should be", camera{400, every(100 * ms), plain, plain}, 0},
		{"one far in the past each two seconds", camera{400, every(100 * ms), func(i int, made time.Duration) time.Duration {
			if i%20 == 13 {
				return made - 3*hour
			}
			return made
		}, nil}, 50 * ms},
		{"one far in the future each two seconds", camera{400, every(100 * ms), func(i int, made time.Duration) time.Duration {
			if i%20 == 13 {
				return made + 3*hour
			}
			return made
		}, nil}, 50 * ms},
		{"two far away, differently", camera{400, every(100 * ms), func(i int, made time.Duration) time.Duration {
			if i%20 == 13 || i%20 == 14 {
				return made + time.Duration(i%3-1)*hour + hour/2
			}
			return made
		}, nil}, 150 * ms},
		{"one a tenth of a millisecond before the last", camera{400, every(100 * ms), func(i int, made time.Duration) time.Duration {
			if i%20 == 13 {
				return made - 100*ms - ms/10
			}
			return made
		}, nil}, 50 * ms},
		{"two alike", camera{400, every(100 * ms), func(i int, made time.Duration) time.Duration { return made - time.Duration(i%2)*100*ms }, nil}, 50 * ms},
		{"all alike", camera{400, every(100 * ms), func(int, time.Duration) time.Duration { return 0 }, nil}, 160 * ms},
		{"all alike from some time on", camera{400, every(100 * ms), func(_ int, made time.Duration) time.Duration { return min(made, 20*time.Second) }, nil}, 260 * ms},
		{"in the order of sending", camera{400, every(100 * ms), func(i int, _ time.Duration) time.Duration {
			return []time.Duration{0, 3, 2, 4, 1}[i%5]*100*ms + time.Duration(i/5)*500*ms
		}, nil}, 210 * ms},
		{"beginning anew each 15 s", camera{400, every(100 * ms), func(i int, _ time.Duration) time.Duration { return time.Duration(i%150) * 100 * ms }, nil}, 110 * ms},
		{"set back two seconds", camera{400, every(100 * ms), func(i int, made time.Duration) time.Duration {
			return made - time.Duration(i/200)*2*time.Second
		}, nil}, 110 * ms},
		{"set forth two hours", camera{400, every(100 * ms), func(i int, made time.Duration) time.Duration {
			return made + time.Duration(i/200)*2*hour
		}, nil}, 110 * ms},
		{"a frame a second", camera{60, every(time.Second), plain, plain}, 0},
		{"two a second, unevenly", camera{100, func(i int) time.Duration {
			return time.Duration(i/2)*time.Second + time.Duration(i%2)*360*ms
		}, plain, plain}, 0},
		{"a frame in two seconds while nothing happens", camera{400, func(i int) time.Duration {
			return time.Duration(i/160)*35*time.Second + time.Duration(min(i%160, 150))*100*ms + time.Duration(max(i%160-150, 0))*2*time.Second
		}, plain, plain}, 0},
		{"silent for half a minute", camera{400, func(i int) time.Duration { return time.Duration(i)*100*ms + time.Duration(i/120)*30*time.Second }, plain, plain}, 0},
		{"in bunches of five", camera{400, every(100 * ms), plain, func(_ int, made time.Duration) time.Duration { return made.Truncate(500*ms) + 500*ms }}, 0},
		{"in bunches of a second and more", camera{400, every(100 * ms), plain, func(_ int, made time.Duration) time.Duration { return made.Truncate(1300*ms) + 1300*ms }}, 0},
		{"a bunch of five with one stamp", camera{400, every(100 * ms), func(_ int, made time.Duration) time.Duration { return made.Truncate(500 * ms) }, func(_ int, made time.Duration) time.Duration { return made.Truncate(500*ms) + 500*ms }}, 410 * ms},
		{"the last eight seconds at once", camera{400, every(100 * ms), plain, func(_ int, made time.Duration) time.Duration { return max(0, made-8*time.Second) }}, 0},
		{"held up for eight seconds on the way", camera{400, every(100 * ms), plain, func(_ int, made time.Duration) time.Duration {
			if made > 10*time.Second && made < 18*time.Second {
				return 18 * time.Second
			}
			return made
		}}, 0},
		{"held up, and eight seconds lost", camera{400, func(i int) time.Duration { return time.Duration(i)*100*ms + time.Duration(i/110)*8*time.Second }, plain, func(i int, made time.Duration) time.Duration {
			if i >= 100 && i < 110 {
				return 19 * time.Second
			}
			return made
		}}, 0},
		{"25 stamped, 21 come", camera{800, every(time.Second / 21), func(i int, _ time.Duration) time.Duration { return time.Duration(i) * 40 * ms }, nil}, 1700 * ms},
		{"20 stamped, 10 come", camera{800, every(100 * ms), func(i int, _ time.Duration) time.Duration { return time.Duration(i) * 50 * ms }, nil}, 3500 * ms},
		{"5 stamped, 10 come", camera{800, every(100 * ms), func(i int, _ time.Duration) time.Duration { return time.Duration(i) * 200 * ms }, nil}, 7 * time.Second},
		{"a clock that is a hundredth slow", camera{2000, every(100 * ms), func(i int, _ time.Duration) time.Duration { return time.Duration(i) * 99 * ms }, nil}, 2000 * ms},
		{"jitter of a tenth", camera{800, every(40 * ms), plain, func(i int, made time.Duration) time.Duration { return made + time.Duration(i*7919%100)*ms }}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			times := c.camera.play()
			if len(times) != c.camera.frames {
				t.Fatal("frames are passed over")
			}
			last := time.Duration(0)
			for i, at := range times {
				if at < last {
					t.Fatalf("frame %d runs backwards, from %v to %v", i, last, at)
				}
				last = at
				if made := c.camera.made(i); (at - made).Abs() > c.off+ms/10 {
					t.Fatalf("frame %d is shown at %v, and was made at %v", i, at, made)
				}
			}
		})
	}
}

// A stream without stamps is shown at the rate that its header says, unless frames come
// at another.
func TestStreamsWithoutStamps(t *testing.T) {
	for _, fps := range []float64{0, 10, 25} {
		k := clock{tick: 1. / 90_000, live: true}
		k.rated(fps)
		last := time.Duration(0)
		for i := range 400 {
			made := time.Duration(i) * 100 * ms
			at, v := k.at(noTime, made.Truncate(400*ms))
			if v != keep || at < last || (at-made).Abs() > 4*time.Second {
				t.Fatalf("%v fps: frame %d is shown at %v after %v, and was made at %v", fps, i, at, last, made)
			}
			if fps == 10 && (at-made).Abs() > ms {
				t.Fatalf("frame %d is shown at %v, and was made at %v", i, at, made)
			}
			last = at
		}
	}
}

// Stamps that run at another rate than frames come stop counting, and count again once
// they are right.
func TestArrivalsTakeTheStampsPlace(t *testing.T) {
	const wrong, frames = 200, 800 // for 20 s stamps gain a fifth
	times := camera{frames, every(100 * ms), func(i int, made time.Duration) time.Duration {
		return made + time.Duration(min(i, wrong))*20*ms
	}, func(i int, made time.Duration) time.Duration {
		return made + time.Duration(i*7919%50)*ms // jitter, which stamps don't have
	}}.play()
	step := func(i int) time.Duration { return times[i] - times[i-1] }
	uneven := func(from, to int) (n int) {
		for i := from; i < to; i++ {
			if (step(i) - 100*ms).Abs() > ms {
				n++
			}
		}
		return n
	}
	if n := uneven(100, 200); n < 50 {
		t.Errorf("stamps that run fast are believed: %d uneven steps", n)
	}
	if gained := times[200] - times[100] - 10*time.Second; gained.Abs() > 100*ms {
		t.Errorf("in ten seconds %v were gained", gained)
	}
	if n := uneven(400, frames); n > 0 {
		t.Errorf("stamps that are right again are not believed: %d uneven steps", n)
	}
}

// Any stamps and arrivals: times never run backwards, nor further ahead than stamps of
// frames that come at once may.
func checkClock(t *testing.T, live bool, fps uint8, steps []byte) {
	k := clock{tick: 1. / 90_000, live: live}
	k.rated(float64(fps))
	stamp, came, last, lastCame := int64(0), time.Duration(0), time.Duration(0), time.Duration(0)
	for i := 0; i+1 < len(steps); i += 2 {
		came += time.Duration(steps[i+1]) * 4 * ms
		var given int64
		switch s := steps[i]; {
		case s < 200:
			stamp += (int64(s) - 20) * 450
			given = stamp
		case s < 210:
			given = noTime
		case s < 220:
			given = math.MinInt64 + 1 + int64(s)
		case s < 230:
			given = math.MaxInt64 - int64(s)
		case s < 240:
			given = stamp + int64(s-235)<<40
		default:
			stamp += int64(s-248) << 50
			given = stamp
		}
		at, v := k.at(given, came)
		if v == skip {
			continue
		}
		if at < last || v == dropEarlier && last > 0 {
			t.Fatalf("frame %d: from %v to %v", i/2, last, at)
		}
		if most := leapMost + came - lastCame + time.Second; live && at-last > most+came {
			t.Fatalf("frame %d: from %v to %v in %v", i/2, last, at, came-lastCame)
		}
		last, lastCame = at, came
	}
}

func FuzzClock(f *testing.F) {
	f.Add(true, uint8(0), []byte{38, 25, 38, 25, 218, 25, 38, 25})
	f.Add(false, uint8(25), []byte{205, 0, 250, 0, 38, 0, 5, 9})
	f.Fuzz(checkClock)
}

func TestAnyStampsGiveTimesInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		steps := make([]byte, 2+r.IntN(400))
		odd := r.IntN(60)
		for i := range steps {
			steps[i] = byte(38 - 13*(i%2)) // 40 ms, 100 ms
			if r.IntN(60) < odd {
				steps[i] = byte(r.IntN(256))
			}
		}
		checkClock(t, r.IntN(3) > 0, uint8(r.IntN(60)), steps)
	}
}
