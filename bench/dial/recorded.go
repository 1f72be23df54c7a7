package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// record is a recognition with the values of the rules' labels, as the live worker
// would have written it.
type record = archive.Record[topics.Recognition]

// recorded is all that the cameras recorded, in memory.
type recorded struct {
	labels        []vocab.Label // one rule is about each
	cameras       []string      // by name
	hours, events map[string][]record
	staged        []staged // in the hours
	stagedEvents  []staged // in the clips of events
	first         time.Time
	model         calibrate.Model
}

func load(ctx context.Context, folder string, t *texts, described []vocab.Label) (*recorded, error) {
	r := &recorded{}
	var err error
	if r.staged, err = readStaged(filepath.Join(folder, "hours.csv")); err != nil {
		return nil, err
	}
	if r.stagedEvents, err = readStaged(filepath.Join(folder, "events.csv")); err != nil {
		return nil, err
	}
	r.labels = labelsOf(r.stagedEvents, described)
	fill := filler{texts: t, labels: r.labels}
	for _, l := range r.labels {
		w, err := t.word(ctx, l)
		if err != nil {
			return nil, fmt.Errorf("label %s: %w", l.Name, err)
		}
		fill.words = append(fill.words, w)
	}
	if r.hours, err = fill.archive(ctx, filepath.Join(folder, "hours")); err != nil {
		return nil, err
	}
	if r.events, err = fill.archive(ctx, filepath.Join(folder, "events")); err != nil {
		return nil, err
	}
	r.cameras = slices.Sorted(maps.Keys(r.hours))
	if len(r.cameras) == 0 || len(r.labels) == 0 {
		return nil, fmt.Errorf("%s: nothing is recorded", folder)
	}
	r.first = r.hours[r.cameras[0]][0].Value.Start
	r.model = calibrate.Model{ID: t.model.ID(), Dims: t.model.Dim(), Scale: float64(t.model.LogitScale()), References: t.references.Hash()}
	return r, nil
}

// labelsOf are those of staged events, by name, as described where they are.
func labelsOf(all []staged, described []vocab.Label) (out []vocab.Label) {
	for _, s := range all {
		l := vocab.Label{Name: s.label}
		for _, d := range described {
			if d.Name == l.Name {
				l = d
			}
		}
		if !slices.ContainsFunc(out, func(o vocab.Label) bool { return o.Name == l.Name }) {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b vocab.Label) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// filler gives recognitions what they lack: values of labels, and the references.
type filler struct {
	texts  *texts
	labels []vocab.Label
	words  []*scoring.Word
}

func (f filler) archive(ctx context.Context, location string) (out map[string][]record, err error) {
	b, err := archive.OpenBucket(ctx, location)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	reader, err := archive.NewReader(archive.ReaderOptions{Bucket: b})
	if err != nil {
		return nil, err
	}
	out = map[string][]record{}
	_, err = reader.Actions(ctx, archive.Range{}, func(r record) error {
		if r.Value.Model != f.texts.model.ID() {
			return fmt.Errorf("%s was recorded with model %s, the bundle is %s", r.Value.Camera, r.Value.Model, f.texts.model.ID())
		}
		f.fill(&r.Value)
		out[r.Value.Camera] = append(out[r.Value.Camera], r)
		return nil
	})
	return out, err
}

func (f filler) fill(r *topics.Recognition) {
	scale := float32(r.LogitScale)
	r.References = &topics.References{Hash: f.texts.references.Hash(), Logit: f.texts.references.Logit(r.Embedding, scale)}
	r.Labels = nil
	for i, w := range f.words {
		similarity, contrast := w.Compare(scoring.Clip{Mean: r.Embedding, First: r.First, Last: r.Last}, scale, r.References.Logit)
		r.Labels = append(r.Labels, topics.LabelScore{Label: f.labels[i].Name, Similarity: similarity, Contrast: contrast})
	}
}

// hour is in which hour of the recordings a time is.
func (r *recorded) hour(at time.Time) int { return int(at.Sub(r.first) / time.Hour) }
