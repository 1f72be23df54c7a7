package alerts

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// presence is when cameras showed what a rule that counts them is about. Of a camera it
// keeps runs: sightings of which each comes no more than the rule's time after the one
// before. Wherever a stretch of that time touches a run, it holds one of its sightings,
// so that the first and the last of each run say all that counting needs. What it holds
// does not depend on the order in which sightings are added.
type presence struct {
	within time.Duration
	runs   map[string][]run // by camera, oldest first
	size   int              // runs in all
}

// run is a run of a camera's sightings. The camera counts from the end of the first
// clip until the rule's time after that of the last.
type run struct{ first, last *topics.Seen }

func newPresence(within time.Duration) *presence {
	return &presence{within: within, runs: map[string][]run{}}
}

// add takes a sighting, and returns the run that it belongs to.
func (p *presence) add(s *topics.Seen) run {
	all := p.runs[s.Camera]
	i := 0 // of the first run that it does not come too late for
	for i < len(all) && s.End.Sub(all[i].last.End) > p.within {
		i++
	}
	p.size -= len(all)
	if i == len(all) || all[i].first.End.Sub(s.End) > p.within {
		all = slices.Insert(all, i, run{s, s})
	} else {
		if s.End.Before(all[i].first.End) {
			all[i].first = s
		}
		if s.End.After(all[i].last.End) {
			all[i].last = s
		}
		if i+1 < len(all) && all[i+1].first.End.Sub(all[i].last.End) <= p.within {
			all[i].last = all[i+1].last
			all = slices.Delete(all, i+1, i+2)
		}
	}
	p.size += len(all)
	p.runs[s.Camera] = all
	return all[i]
}

// touches is whether there is a time at which the cameras of both runs count.
func (p *presence) touches(a, b run) bool {
	return a.first.End.Sub(b.last.End) <= p.within && b.first.End.Sub(a.last.End) <= p.within
}

// drop forgets the runs for which old is true.
func (p *presence) drop(old func(run) bool) {
	for camera, all := range p.runs {
		p.size -= len(all)
		if all = slices.DeleteFunc(all, old); len(all) == 0 {
			delete(p.runs, camera)
			continue
		}
		p.runs[camera] = all
		p.size += len(all)
	}
}

// bound forgets the oldest runs where there are more than most: a quarter of them, so
// that it is not done for each sighting.
func (p *presence) bound(most int) {
	if p.size <= most {
		return
	}
	var ends []time.Time
	for _, all := range p.runs {
		for _, r := range all {
			ends = append(ends, r.last.End)
		}
	}
	slices.SortFunc(ends, time.Time.Compare)
	oldest := ends[len(ends)-most*3/4]
	p.drop(func(r run) bool { return r.last.End.Before(oldest) })
}

// edge is where a camera begins or ceases to count.
type edge struct {
	at    time.Time
	kind  int // of those at one time, the lower comes first
	found *topics.Seen
}

const (
	counts     = iota // a camera counts from here on
	completes         // so it does, and it is a sighting that may begin an alert
	countsLess        // a camera counts no longer afterwards
)

func inTime(edges []edge) {
	slices.SortFunc(edges, func(a, b edge) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.kind, b.kind), cmp.Compare(a.found.Camera, b.found.Camera))
	})
}

// last is the end of the stretch, from a time on, in which at least n cameras count
// without a break; that time itself where there are fewer then.
func (p *presence) last(from time.Time, n int) time.Time {
	var edges []edge
	counting := 0
	for _, all := range p.runs {
		for _, r := range all {
			until := r.last.End.Add(p.within)
			if until.Before(from) {
				continue
			}
			if r.first.End.After(from) {
				edges = append(edges, edge{r.first.End, counts, r.first})
			} else {
				counting++
			}
			edges = append(edges, edge{until, countsLess, r.last})
		}
	}
	if counting < n {
		return from
	}
	inTime(edges)
	for _, e := range edges {
		if e.kind == counts {
			counting++
		} else if counting--; counting < n {
			return e.at
		}
	}
	return from // n is 1 or more: some edge was the last
}

// enough is the first sighting not before a time with which n cameras count, nil where
// there is none; and when that was, which may be a little before the sighting that is
// known. Sightings up to ended, when the alert before was cleared, do not count. near, if
// it is not nil, is the run that has changed since there was none.
func (p *presence) enough(ended, from time.Time, n int, near *run) (*topics.Seen, time.Time) {
	if len(p.runs) < n {
		return nil, from
	}
	if !from.After(ended) {
		from = ended.Add(1)
	}
	var edges []edge
	for _, all := range p.runs {
		for _, r := range all {
			until := r.last.End.Add(p.within)
			if !r.last.End.After(ended) || until.Before(from) || near != nil && !p.touches(r, *near) {
				continue
			}
			begins := edge{r.first.End, completes, r.first}
			if r.first.End.Before(from) {
				begins.at, begins.found = from, r.last
			}
			if r.last.End.Before(from) {
				begins.kind = counts
			}
			edges = append(edges, begins, edge{until, countsLess, r.last})
		}
	}
	inTime(edges)
	counting := 0
	for _, e := range edges {
		if e.kind == countsLess {
			counting--
			continue
		}
		if counting++; counting >= n && e.kind == completes {
			return e.found, e.at
		}
	}
	return nil, from
}

// at are the cameras that count at a time, sorted, and the first of their sightings
// that are known, not before the rule's time before it and after ended; nil: none is.
func (p *presence) at(t, ended time.Time) (cameras []string, onset *topics.Seen) {
	earliest := t.Add(-p.within)
	for _, camera := range slices.Sorted(maps.Keys(p.runs)) {
		for _, r := range p.runs[camera] {
			if !r.last.End.After(ended) || r.first.End.After(t) || r.last.End.Before(earliest) {
				continue
			}
			cameras = append(cameras, camera)
			for _, s := range []*topics.Seen{r.first, r.last} {
				if s.End.After(ended) && !s.End.Before(earliest) && !s.End.After(t) && (onset == nil || s.End.Before(onset.End)) {
					onset = s
				}
			}
		}
	}
	return cameras, onset
}
