package media

import "testing"

func TestClock(t *testing.T) {
	for _, c := range []struct {
		name  string
		fps   float64 // of a file's header
		stamp []int64 // at 1 kHz
		want  []int64 // ms; -1: skipped, -2: the one before is dropped and this is 0
	}{
		{"plain", 0, []int64{500, 540, 580}, []int64{0, 40, 80}},
		{"first unknown", 0, []int64{noTime, 40, 80}, []int64{0, 40, 80}},
		{"first unknown, RTP clock begins at 0", 0, []int64{noTime, 0, 40}, []int64{0, -2, 40}},
		{"first unknown, far away", 0, []int64{noTime, 90_000, 90_040}, []int64{0, -2, 40}},
		{"one unknown", 0, []int64{0, 40, noTime, 120}, []int64{0, 40, 80, 120}},
		{"two unknown first", 0, []int64{noTime, noTime, 80}, []int64{0, -1, 80}},
		{"a file's, none known", 25, []int64{noTime, noTime, noTime}, []int64{0, 40, 80}},
		{"a file's, two unknown first", 25, []int64{noTime, noTime, 90_080, 90_120}, []int64{0, 40, 80, 120}},
		{"backwards", 0, []int64{0, 40, 80, 10, 50}, []int64{0, 40, 80, 10, 50}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := clock{tick: 1e-3}
			k.rated(c.fps)
			for i, stamp := range c.stamp {
				at, v := k.at(stamp)
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
