package main

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// view is a calibrate.Past of some of what was recorded.
type view struct {
	records map[string][]record
	want    func(record) bool // nil: all
	// change, if it is not nil, replaces a label's contrast by another measure.
	change func(camera string, label int, l topics.LabelScore) float64
}

// each calls fn for the records of a range, camera by camera.
func (v view) each(ctx context.Context, g archive.Range, fn func(partition int, r record) error) error {
	var cameras []string
	for camera := range v.records {
		cameras = append(cameras, camera)
	}
	slices.Sort(cameras)
	for partition, camera := range cameras {
		if len(g.Cameras) > 0 && !slices.ContainsFunc(g.Cameras, func(glob string) bool { ok, _ := path.Match(glob, camera); return ok }) {
			continue
		}
		for _, r := range v.records[camera] {
			end := r.Value.End
			if end.Before(g.Since) || !g.Until.IsZero() && !end.Before(g.Until) || v.want != nil && !v.want(r) {
				continue
			}
			if err := fn(partition, r); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// Actions gives the recognitions with their labels.
func (v view) Actions(ctx context.Context, g archive.Range, fn func(record) error) (c archive.Counts, err error) {
	err = v.each(ctx, g, func(partition int, r record) error {
		r.At.Partition = partition
		r.Value.Labels = slices.Clone(r.Value.Labels)
		for i := range r.Value.Labels {
			if v.change != nil {
				r.Value.Labels[i].Contrast = v.change(r.Value.Camera, i, r.Value.Labels[i])
			}
		}
		c.Given++
		return fn(r)
	})
	if errors.Is(err, archive.ErrStop) {
		err = nil
	}
	return c, err
}

// Labels gives the recognitions one at a time.
func (v view) Labels(ctx context.Context, g archive.Range, fn func(archive.Labelled) error) (archive.Counts, error) {
	return v.Actions(ctx, g, func(r record) error {
		return fn(archive.Labelled{Partition: r.At.Partition, Records: []record{r}})
	})
}

// Alerts gives none: nothing was raised when this was recorded.
func (v view) Alerts(context.Context, archive.Range, func(archive.Record[topics.Alert]) error) (archive.Counts, error) {
	return archive.Counts{}, nil
}

// Scan gives the embeddings, one in a batch.
func (v view) Scan(ctx context.Context, g archive.Range, fn func(archive.Batch) error) (c archive.Counts, err error) {
	var b archive.Batch
	err = v.each(ctx, g, func(partition int, r record) error {
		a := r.Value
		b.Partition, b.Dims, b.Embeddings = partition, len(a.Embedding), topics.AppendFloat16(b.Embeddings[:0], a.Embedding)
		if g.Ends {
			b.First, b.Last = topics.AppendFloat16(b.First[:0], a.First), topics.AppendFloat16(b.Last[:0], a.Last)
		}
		b.Rows = []archive.Row{{
			Camera: a.Camera, Epoch: a.Epoch, Sequence: a.Sequence, Start: a.Start, End: a.End, Model: a.Model, LogitScale: a.LogitScale,
			References: *cmp.Or(a.References, &topics.References{}), Offset: r.At.Offset, Time: r.Time,
		}}
		c.Given++
		return fn(b)
	})
	if errors.Is(err, archive.ErrStop) {
		err = nil
	}
	return c, err
}
