package calibrate

import (
	"math"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// zoneFiller knows which words rules want to be known of in which zones.
type zoneFiller struct {
	*Words
	zones   Zones
	wanted  map[string][]int // words by zone, ascending
	cameras map[string][]*part
}

// newZoneFiller returns nil where no rule is about a zone.
func newZoneFiller(w *Words, rules *alerts.RuleSet, zones Zones) *zoneFiller {
	f := &zoneFiller{Words: w, zones: zones, wanted: map[string][]int{}, cameras: map[string][]*part{}}
	for _, r := range rules.Rules() {
		for _, name := range r.Zone {
			f.want(name, r)
		}
	}
	if len(f.wanted) == 0 || zones == nil {
		return nil
	}
	return f
}

func (f *zoneFiller) want(zone string, r alerts.Rule) {
	words := f.wanted[zone]
	for i, w := range f.list {
		for _, of := range r.Parts() {
			if of.Zone = nil; of.Selects(w.label) && !slices.Contains(words, i) {
				words = append(words, i)
			}
		}
	}
	slices.Sort(words)
	f.wanted[zone] = words
}

// parts are the zones of a camera that rules are about, each alone.
func (f *zoneFiller) parts(camera string) []*part {
	parts, known := f.cameras[camera]
	if known {
		return parts
	}
	for zone := range f.zones(camera) {
		if len(f.wanted[zone]) > 0 {
			parts = append(parts, f.zones.of(camera, alerts.Rule{Zone: []string{zone}}))
		}
	}
	slices.SortFunc(parts, func(a, b *part) int { return strings.Compare(a.refs[0].Name, b.refs[0].Name) })
	f.cameras[camera] = parts
	return parts
}

// lacks is whether a recognition has a zone's labels by another polygon than that of now,
// or lacks some that a view of it would show.
func (f *zoneFiller) lacks(rec *topics.Recognition) bool {
	if f == nil {
		return false
	}
	for _, p := range f.parts(rec.Camera) {
		if slices.ContainsFunc(rec.Labels, p.stale) {
			return true
		}
		if p.shown(rec) && slices.ContainsFunc(f.wanted[p.refs[0].Name], func(word int) bool { return !f.has(word, p, rec.Labels) }) {
			return true
		}
	}
	return false
}

// stale is whether a label is of the part's zone as it was drawn before.
func (p *part) stale(l topics.LabelScore) bool {
	return l.Zone.Names(p.refs[0].Name) && *l.Zone != p.refs[0]
}

// shown is whether a view of the recognition counts for the part.
func (p *part) shown(rec *topics.Recognition) bool {
	return slices.ContainsFunc(rec.Views, func(v topics.SeenView) bool { return p.counts(v.View, v.Box, v.Zone) })
}

// has is whether labels have a word in a zone as it is drawn now.
func (f *zoneFiller) has(word int, p *part, labels []topics.LabelScore) bool {
	return slices.ContainsFunc(labels, func(l topics.LabelScore) bool {
		return l.Zone != nil && *l.Zone == p.refs[0] && vocab.SameLabel(l.Label, f.list[word].label.Label)
	})
}

// fillZones replaces what a recognition has of zones that were drawn anew, and adds what it
// lacks, to the labels that were made from begin on. can is false where it can't be compared.
func (f *filler) fillZones(rec *topics.Recognition, begin int) (filled int, can bool) {
	if f.zones == nil {
		return 0, true
	}
	can = true
	for _, p := range f.zones.parts(rec.Camera) {
		f.made = f.made[:begin+len(slices.DeleteFunc(f.made[begin:], p.stale))]
		if p.shown(rec) {
			n, ok := f.fillZone(rec, p, begin)
			filled, can = filled+n, can && ok
		}
	}
	return filled, can
}

func (f *filler) fillZone(rec *topics.Recognition, p *part, begin int) (filled int, can bool) {
	vocabulary := f.vocabulary(rec)
	views, index := f.in(p, rec)
	for _, word := range f.zones.wanted[p.refs[0].Name] {
		if !f.counts(word, vocabulary) || f.zones.has(word, p, f.made[begin:]) {
			continue
		}
		if len(views) == 0 {
			return filled, false
		}
		l, seen := f.list[word].label, f.values(word, views, rec.LogitScale)
		l.Similarity, l.Contrast, l.View, l.Zone = seen.Similarity, seen.Contrast, index[seen.View], &p.refs[0]
		f.made = append(f.made, l)
		filled++
	}
	return filled, true
}

// in are the views of a recognition that count for a part and can be compared, each with its
// index.
func (f *filler) in(p *part, rec *topics.Recognition) (views []scoring.View, index []int) {
	if rec.Model != f.model.ID {
		return nil, nil
	}
	known := rec.References != nil && rec.References.Hash == f.model.References
	for i := range rec.Views {
		v := &rec.Views[i]
		own := scoring.View{Clip: scoring.Clip{Mean: v.Embedding, First: v.First, Last: v.Last}, Logit: v.Logit}
		if i == 0 {
			own.Clip = scoring.Clip{Mean: rec.Embedding, First: rec.First, Last: rec.Last}
		}
		switch {
		case !p.counts(v.View, v.Box, v.Zone) || len(own.Mean) != f.model.Dims:
			continue
		case !known:
			own.Logit = math.NaN()
		case i == 0:
			own.Logit = rec.References.Logit
		}
		views, index = append(views, own), append(index, i)
	}
	return views, index
}
