package calibrate

import (
	"strings"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// Zones returns the zones of a camera as they are drawn now, by name. What was recorded
// before they were is judged by them too, as far as the views of its time show it.
type Zones func(camera string) map[string]topics.Polygon

// part is a part of a camera's picture: some of its zones. nil is the whole picture. What it
// remembers is for one goroutine (copied).
type part struct {
	zones []topics.Zone
	refs  []topics.ZoneRef // of each
	known map[place]bool
}

// place is all of a view that decides whether it counts.
type place struct {
	view topics.View
	box  topics.Box
	of   topics.ZoneRef
}

// maxPlaces bounds what a part remembers.
const maxPlaces = 4096

// of is the part of a camera's picture that a rule is about.
func (z Zones) of(camera string, r alerts.Rule) *part {
	if len(r.Zone) == 0 {
		return nil
	}
	p := &part{known: map[place]bool{}}
	if z == nil {
		return p
	}
	own := z(camera)
	for _, name := range r.Zone {
		if area, has := own[name]; has {
			zone := topics.Zone{Name: name, Area: area}
			p.zones, p.refs = append(p.zones, zone), append(p.refs, zone.Ref())
		}
	}
	return p
}

// copied is the part for another goroutine.
func (p *part) copied() *part { return &part{zones: p.zones, refs: p.refs, known: map[place]bool{}} }

// hash identifies the part; empty: the whole picture.
func (p *part) hash() string {
	if p == nil {
		return ""
	}
	var b strings.Builder
	for _, r := range p.refs {
		b.WriteString("/" + r.Polygon)
	}
	return b.String() + "/"
}

// counts is whether a view counts for the part.
func (p *part) counts(view topics.View, box topics.Box, of *topics.ZoneRef) bool {
	if p == nil {
		return of == nil
	}
	at := place{view: view, box: box}
	if of != nil {
		at.of = *of
	}
	counts, known := p.known[at]
	if !known {
		for i, z := range p.zones {
			counts = counts || z.Counts(p.refs[i], view, box, of)
		}
		if len(p.known) >= maxPlaces {
			clear(p.known)
		}
		p.known[at] = counts
	}
	return counts
}

// viewsOf are the views of a row of a batch; none of a clip whose camera named none.
func viewsOf(b archive.Batch, i int) []archive.View {
	if b.Views == nil {
		return nil
	}
	return b.Views[i]
}

// withoutZones are the words of a threshold without the polygons of its zones.
func withoutZones(words string) string {
	words, _, _ = strings.Cut(words, "/")
	return words
}

// zonesIn are the polygons that a threshold's words end with.
func zonesIn(words string) string { return words[len(withoutZones(words)):] }
