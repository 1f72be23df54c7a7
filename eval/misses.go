package eval

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/media"
)

// Miss is ActEV's P_miss at a rate of false alarms: the share of a class's videos that are
// missed at the threshold at which videos of other classes are taken for it at that rate. The
// rate is per minute of all videos of the split, a video that is scored is one detection, and
// between two thresholds P_miss is interpolated (NIST, usnistgov/ActEV_Scorer, lib/metrics.py:
// p_miss, r_fa and get_points_along_confidence_curve; lib/protocols/actev18_ad.py takes the
// mean over activities). ActEV has untrimmed videos, in which a system finds the times too:
// what is measured here, on videos that each show one class, is easier.
type Miss struct {
	PerMinute float64 `json:"false_alarms_per_minute"`
	// PMiss is the mean over the classes that have videos; nil: there is none.
	PMiss *float64 `json:"p_miss"`
}

// checkRates refuses rates that none can have.
func checkRates(rates []float64) error {
	for _, r := range rates {
		if !(r > 0) || math.IsInf(r, 0) {
			return fmt.Errorf("eval: %v false alarms a minute: want more than 0", r)
		}
	}
	return nil
}

// scored is what one video has of a class.
type scored struct {
	score float32
	own   bool // it is of the class
}

// missAt is P_miss of one class at a rate, from all videos of so many minutes, of which at least
// one is of the class.
func missAt(all []scored, minutes, rate float64) float64 {
	slices.SortFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	cases := 0
	for _, s := range all {
		cases += count(s.own)
	}
	found, wrong := 0, 0
	// At a threshold above all scores every case is missed; ActEV's scorer has no point there
	// to interpolate from.
	before, missed, begun := 0., 1., false
	for from := 0; from < len(all); {
		to := from
		for to < len(all) && all[to].score == all[from].score {
			found, wrong = found+count(all[to].own), wrong+count(!all[to].own)
			to++
		}
		from = to
		at, now := float64(wrong)/minutes, float64(cases-found)/float64(cases)
		switch exact := math.Abs(before-rate) < 1e-10; {
		case at <= rate+1e-10:
		case !begun || exact:
			return missed
		default:
			return missed + (now-missed)*(rate-before)/(at-before)
		}
		before, missed, begun = at, now, true
	}
	return missed
}

// misses are P_miss at each rate, and by class those of the classes that have videos.
func (s *sheet) misses(rates, seconds []float64) (mean []Miss, perClass [][]*float64) {
	minutes := 0.
	for row, a := range s.answers {
		if a != nil {
			minutes += seconds[row] / 60
		}
	}
	perClass = make([][]*float64, len(s.split.Classes))
	for _, rate := range rates {
		m, sum, classes := Miss{PerMinute: rate}, 0., 0
		for class := range s.split.Classes {
			all, cases := s.column(class)
			perClass[class] = append(perClass[class], nil)
			if cases == 0 || minutes == 0 {
				continue
			}
			v := missAt(all, minutes, rate)
			perClass[class][len(perClass[class])-1] = &v
			sum, classes = sum+v, classes+1
		}
		if classes > 0 {
			v := sum / float64(classes)
			m.PMiss = &v
		}
		mean = append(mean, m)
	}
	return mean, perClass
}

// column is what all videos have of a class.
func (s *sheet) column(class int) (all []scored, cases int) {
	for row, a := range s.answers {
		if a == nil {
			continue
		}
		own := s.split.Videos[row].Label == class
		all, cases = append(all, scored{a.all[class], own}), cases+count(own)
	}
	return all, cases
}

// lengths are how long videos are, in seconds by their containers, by path. It is an error if
// one does not say so: the rate of false alarms would be another.
func (r *Runner) lengths(ctx context.Context, videos []*video) (map[string]float64, error) {
	seconds := make([]float64, len(videos))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.Decoders)
	for i, v := range videos {
		if v.broken != nil {
			continue
		}
		g.Go(func() error {
			f, err := media.OpenFile(ctx, v.Path, 1)
			if err != nil {
				return fmt.Errorf("find the length of %s: %w", v.Path, err)
			}
			defer f.Close()
			info := f.Info()
			seconds[i] = float64(info.Duration) * info.Tick
			if seconds[i] <= 0 && info.FPS > 0 {
				seconds[i] = float64(info.Frames) / info.FPS
			}
			if seconds[i] <= 0 {
				return fmt.Errorf("find the length of %s: its container does not say it, so that there is no rate of false alarms", v.Path)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for i, v := range videos {
		out[v.Path] = seconds[i]
	}
	return out, nil
}
