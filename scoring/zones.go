package scoring

import (
	"slices"

	"github.com/frostwatch/frostwatch/topics"
)

// Zone is a part of the picture in which labels are watched.
type Zone struct {
	Ref     topics.ZoneRef
	Views   []int // that count for it (topics.Zone.Counts), ascending
	Watched *Watched
}

// ScoreZones adds to what ScoreViews made of a clip what the watched labels have in zones:
// what they would have in the views that count for the zone, if the clip had no other. A
// zone for which no view counts has no labels. views are all of the clip's: first those that
// ScoreViews was given, then those of zones, whose Logits are added.
func (m *Matrix) ScoreZones(out *Scored, views []Clip, scale float32, zones []Zone) {
	if len(zones) == 0 {
		return
	}
	out.InZones = true
	if len(m.labels) == 0 || slices.ContainsFunc(views, func(c Clip) bool { return len(c.Mean) != m.dim }) {
		return
	}
	all := newSights(m, views, scale, 0)
	if m.refs != nil {
		for _, l := range all.looks[len(out.Logits):] {
			out.Logits = append(out.Logits, l.logit)
		}
	}
	for _, z := range zones {
		if len(z.Views) == 0 {
			continue
		}
		own := all.only(z.Views)
		for _, i := range m.watched(z.Watched) {
			if len(out.Labels) >= topics.MaxLabels {
				return
			}
			l := own.bestOf(i)
			l.View, l.Zone = z.Views[l.View], &z.Ref
			out.Labels = append(out.Labels, l)
		}
	}
}

// only are some of the views.
func (s *sights) only(views []int) *sights {
	out := &sights{m: s.m}
	for _, i := range views {
		out.looks, out.views = append(out.looks, s.looks[i]), append(out.views, s.views[i])
	}
	return out
}
