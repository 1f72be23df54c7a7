package calibrate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
)

// maxValues bounds the values of clips that are compared with a truth: they take four
// bytes each, for each label, and as much again while a label is tried.
const maxValues = 60_000_000

// JudgeOptions say what to compare with a truth. Past, Model, Embedder, Truth and
// Vocabulary are required.
type JudgeOptions struct {
	Past     Past
	Model    Model // of the recordings
	Embedder Embedder
	Truth    *Truth
	Subjects
}

// Judged is how well labels or rules tell what happened from what did not.
type Judged struct {
	Since    time.Time      `json:"since"` // that was watched
	Until    time.Time      `json:"until"`
	Subjects []Judgement    `json:"subjects"`
	Other    map[string]int `json:"other_models,omitempty"` // recordings that can't be compared
	Counts   archive.Counts `json:"-"`
}

// Judge compares a truth with what rules would have raised in the time that was
// watched, at every threshold. Labels are judged by a rule that raises at one clip. The
// error is Mistakes if rows of the truth don't fit what there is.
func Judge(ctx context.Context, o JudgeOptions) (*Judged, error) {
	if o.Model.References == "" {
		return nil, errors.New("the recordings have no references to take a contrast against: they come from an infer worker of an older version")
	}
	subjects, err := o.resolve(o.Truth)
	if err != nil {
		return nil, err
	}
	columns, err := o.columns(ctx, subjects)
	if err != nil {
		return nil, err
	}
	out := &Judged{Subjects: []Judgement{}}
	out.Since, out.Until = o.Truth.Bounds()
	// Clips are found by their ends.
	g := archive.Range{Since: out.Since, Until: out.Until.Add(1)}
	past, err := gather(ctx, o.Past, g, gatherOptions{model: o.Model, columns: columns, only: o.Truth.watch, most: maxValues})
	if err != nil {
		return nil, err
	}
	out.Other, out.Counts = past.other, past.counts
	if err := o.recorded(past, slices.Sorted(maps.Keys(columns))); err != nil {
		return nil, err
	}
	for _, s := range subjects {
		j, err := s.judge(ctx, o.Truth, past)
		if err != nil {
			return nil, err
		}
		out.Subjects = append(out.Subjects, *j)
	}
	return out, nil
}

// columns embeds the labels of all subjects, and gives each camera one column for each
// part of each subject's rule there.
func (o *JudgeOptions) columns(ctx context.Context, subjects []*subject) (map[string][]column, error) {
	out, ready := map[string][]column{}, map[string]*Words{} // by the hash of the labels' texts
	for _, s := range subjects {
		for _, camera := range slices.Sorted(maps.Keys(s.sites)) {
			at := s.sites[camera]
			key := hashOf(at.labels)
			if ready[key] == nil {
				words, err := NewWords(ctx, o.Embedder, o.Model, at.labels)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", s.name, err)
				}
				ready[key] = words
			}
			at.first = len(out[camera])
			for _, part := range at.parts {
				out[camera] = append(out[camera], column{ready[key], part[0], part[1], o.Zones.of(camera, at.rule)})
			}
		}
	}
	return out, nil
}

// recorded checks that there are recordings of what was watched, and of each case, on
// the cameras that were read.
func (o *JudgeOptions) recorded(past *gathered, cameras []string) error {
	var wrong Mistakes
	for _, camera := range cameras {
		s := past.series[camera]
		if s == nil {
			wrong.add(o.Truth.watched[camera][0].line, "nothing is recorded of camera %s in the time that was watched%s%s", camera, past.otherModels(), o.meant(camera, slices.Sorted(maps.Keys(o.Tags))))
			continue
		}
		o.Truth.shown(camera, s, &wrong)
	}
	return wrong.err()
}

// shown checks one camera.
func (t *Truth) shown(camera string, s *series, wrong *Mistakes) {
	since, until := s.bounds()
	for _, w := range t.watched[camera] {
		if !s.has(w.interval, func(clip interval) bool { return !clip.from.Before(w.from) && !clip.to.After(w.to) }) {
			wrong.add(w.line, "nothing is recorded of camera %s from %s to %s: recordings of the time that was watched begin at %s and end at %s", camera, stamp(w.from), stamp(w.to), stamp(since), stamp(until))
		}
	}
	for _, of := range t.cases {
		for _, c := range of[camera] {
			if !s.has(c.interval, func(clip interval) bool { return shares(clip, c.interval) }) {
				wrong.add(c.line, "no recording of camera %s shows %s to %s, so that nothing could have found it: take the row out", camera, stamp(c.from), stamp(c.to))
			}
		}
	}
}

func (g *gathered) otherModels() string {
	if len(g.other) > 0 {
		return " by the model of the newest recordings"
	}
	return ""
}

// has is whether a clip near a time is as wanted.
func (s *series) has(near interval, wanted func(clip interval) bool) bool {
	i, _ := slices.BinarySearch(s.ends, near.from.UnixNano())
	for ; i < s.len(); i++ {
		end := time.Unix(0, s.ends[i])
		clip := interval{end.Add(-s.runs[s.run[i]].window), end}
		if wanted(clip) {
			return true
		}
		if clip.from.After(near.to) {
			return false
		}
	}
	return false
}

// judge tries a subject's rule at all levels.
func (s *subject) judge(ctx context.Context, t *Truth, past *gathered) (*Judgement, error) {
	sites, clips, err := s.place(t, past)
	if err != nil {
		return nil, err
	}
	sweep := newSweep(sites)
	j := &Judgement{
		Name: s.name, Cases: sweep.cases, Repeated: t.repeated[s.name], NeedCases: LeastCases,
		Cameras: len(sites), CameraDays: sweep.days, Clips: clips, Points: []Point{}, Curve: []CurvePoint{},
	}
	if !j.enough() {
		return j, nil
	}
	if err := sweep.run(ctx, j.allowed(Rates()[0])); err != nil {
		return nil, err
	}
	j.take(sweep)
	return j, nil
}

// place returns the subject's cameras, and how many clips these have.
func (s *subject) place(t *Truth, past *gathered) (all []*site, clips int, err error) {
	for _, camera := range slices.Sorted(maps.Keys(s.sites)) {
		of := s.sites[camera]
		at, err := newSite(camera, of.rule)
		if err != nil {
			return nil, 0, err
		}
		at.past = past.series[camera].only(of.first, of.first+len(of.parts))
		for _, c := range t.cases[s.name][camera] {
			at.cases = append(at.cases, c.interval)
		}
		clips += at.past.len()
		all = append(all, at)
	}
	return all, clips, nil
}

// newSite prepares a rule for being tried at any level.
func newSite(camera string, r alerts.Rule) (*site, error) {
	s := &site{camera: camera, low: math.NaN()}
	if c := r.Contrast; c != nil && c.Clear > 0 {
		s.low = logit(c.Clear)
	}
	// Only a rule with a budget takes its levels from outside.
	r.Contrast, r.FalseAlarms = nil, alerts.Budget{Count: 1, Per: 24 * time.Hour}
	r.Severity, r.SeverityFrom, r.Escalate = "", nil, nil
	var err error
	s.trial, err = newTrial(camera, r)
	return s, err
}
