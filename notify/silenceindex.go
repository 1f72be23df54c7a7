package notify

import (
	"strings"

	"github.com/frostwatch/frostwatch/topics"
)

// silenceIndex finds the silences that may choose an alert: going through thousands for
// each record would take longer than its delivery. Each silence is under what all alerts
// that it chooses have: one of some names, or how these begin. For one goroutine.
type silenceIndex struct {
	byID   map[string]*topics.Silence
	places map[string]map[string]*topics.Silence // by place (placesOf), then by id
}

func newSilenceIndex() *silenceIndex {
	return &silenceIndex{byID: map[string]*topics.Silence{}, places: map[string]map[string]*topics.Silence{}}
}

// put adds a silence, or replaces the one of its id.
func (x *silenceIndex) put(s topics.Silence) {
	x.remove(s.ID)
	x.byID[s.ID] = &s
	for _, place := range placesOf(s.Choice) {
		if x.places[place] == nil {
			x.places[place] = map[string]*topics.Silence{}
		}
		x.places[place][s.ID] = &s
	}
}

func (x *silenceIndex) remove(id string) {
	one, known := x.byID[id]
	if !known {
		return
	}
	for _, place := range placesOf(one.Choice) {
		if delete(x.places[place], id); len(x.places[place]) == 0 {
			delete(x.places, place)
		}
	}
	delete(x.byID, id)
}

// each calls fn with every silence that may choose an alert, with some perhaps twice.
func (x *silenceIndex) each(a topics.Alert, fn func(*topics.Silence)) {
	look := func(place string) {
		for _, one := range x.places[place] {
			fn(one)
		}
	}
	look(ofPair + a.Camera + begins + a.Rule)
	for _, of := range []struct{ kind, name string }{{ofCamera, a.Camera}, {ofRule, a.Rule}} {
		look(of.kind + of.name)
		for n := range min(len(of.name), longestBegin) + 1 {
			look(of.kind + of.name[:n] + begins)
		}
	}
	for _, tag := range a.Tags {
		look(ofTag + tag)
	}
}

// The parts of a place. No name and no tag has any of these letters.
const (
	ofCamera, ofRule, ofTag, ofPair = "c\x00", "r\x00", "t\x00", "p\x00"

	begins       = "\x00"
	longestBegin = 8  // of how a name begins, in bytes
	maxPairs     = 16 // of a camera and a rule, for one silence
)

// placesOf are the places of a choice: those of its cameras, of its rules, of both or of its
// tags, whichever say most.
func placesOf(c topics.Choice) []string {
	cameras, rules := placesOfNames(ofCamera, c.Cameras), placesOfNames(ofRule, c.Rules)
	isBroad := func(places []string) bool {
		for _, place := range places {
			if strings.HasSuffix(place, begins) {
				return true
			}
		}
		return len(places) == 0
	}
	switch {
	case !isBroad(cameras) && !isBroad(rules) && len(cameras)*len(rules) <= maxPairs:
		return pairs(c)
	case !isBroad(cameras):
		return cameras
	case !isBroad(rules):
		return rules
	case len(c.CameraTags) > 0:
		places := make([]string, len(c.CameraTags))
		for i, tag := range c.CameraTags {
			places[i] = ofTag + tag
		}
		return places
	case len(cameras) > 0:
		return cameras
	}
	return rules
}

func pairs(c topics.Choice) (places []string) {
	for _, camera := range c.Cameras {
		for _, rule := range c.Rules {
			places = append(places, ofPair+camera+begins+rule)
		}
	}
	return places
}

// placesOfNames are those of globs: whole names, or what is before the first sign of a glob.
func placesOfNames(kind string, globs []string) (places []string) {
	for _, glob := range globs {
		if i := strings.IndexAny(glob, `*?[\`); i >= 0 {
			places = append(places, kind+glob[:min(i, longestBegin)]+begins)
		} else {
			places = append(places, kind+glob)
		}
	}
	return places
}
