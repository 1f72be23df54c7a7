package export

import (
	"testing"
	"time"
)

func TestLabelOfAClip(t *testing.T) {
	t0 := time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)
	at := func(seconds float64) time.Time { return t0.Add(time.Duration(seconds * float64(time.Second))) }
	in := intervals(t,
		line("lobby", at(0), at(10), "walking"), line("lobby", at(10), at(20), "walking"), line("lobby", at(19), at(30), "walking"),
		line("lobby", at(25), at(40), "falling"),
		line("lobby", at(100), at(110), "one"), line("lob*", at(100), at(110), "two"),
		line("lobby", at(200), at(201), "falling"),
		line("door", at(0), at(400), "climbing"),
	)
	for _, c := range []struct {
		name   string
		start  float64 // of a window of 4 s
		bend   func(*Options)
		want   string
		begins float64 // of the stretch
		counts Counts
	}{
		{name: "covered", start: 1, want: "walking"},
		{name: "intervals that touch or overlap are one", start: 18, want: "walking"},
		{name: "half is enough", start: -2, want: "walking"},
		{name: "less than half is not", start: -2.001, counts: Counts{Partly: 1}},
		{name: "less than asked for", start: -1, bend: func(o *Options) { o.Overlap = 0.8 }, counts: Counts{Partly: 1}},
		{name: "the larger overlap wins", start: 27.5, want: "falling", begins: 25},
		{name: "both whole", start: 25.5, counts: Counts{Ties: 1}},
		{name: "one of both is not asked for", start: 25.5, bend: func(o *Options) { o.Labels = []string{"walking"} }, want: "walking"},
		{name: "equal", start: 101, counts: Counts{Ties: 1}},
		{name: "none", start: 50, counts: Counts{Unlabelled: 1}},
		{name: "background", start: 50, bend: func(o *Options) { o.Background = "nothing" }, want: "nothing"},
		{name: "another label alone", start: 2, bend: func(o *Options) { o.Labels = []string{"falling"} }, counts: Counts{Otherwise: 1}},
		{name: "touched is no background", start: 199, bend: func(o *Options) { o.Background = "nothing" }, counts: Counts{Partly: 1}},
		{name: "touched by a label not asked for is no background", start: 199,
			bend: func(o *Options) { o.Background, o.Labels = "nothing", []string{"walking"} }, counts: Counts{Partly: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{Intervals: in, Overlap: 0.5}
			if c.bend != nil {
				c.bend(&o)
			}
			var counts Counts
			got, ok, err := newLabeller(o).label("lobby", at(c.start), at(c.start+4), &counts)
			if err != nil || ok != (c.want != "") || counts != c.counts {
				t.Fatalf("got %+v, %v, %v, counted %+v", got, ok, err, counts)
			}
			want := stretch{"lobby", c.want, at(c.begins)}
			if c.want == o.Background {
				want.start = time.Time{} // a block, whose length hangs on all clips
			}
			if ok && got != want {
				t.Errorf("got %+v, want %q from %v", got, c.want, at(c.begins))
			}
		})
	}
}
