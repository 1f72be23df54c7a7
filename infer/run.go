package infer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/frostwatch/frostwatch/infer/froster"
)

// run is the result of one call of the model.
type run struct {
	clips    []*clip
	embedded froster.ClipEmbeddings
	took     time.Duration
}

// embed embeds clips, which are all of one model. If that fails, each clip is
// tried alone, and the error of one that fails alone becomes its err: retrying it
// for ever would stop its partition. An error means that the model fails on every
// clip.
func (s *Stage) embed(ctx context.Context, clips []*clip) ([]run, error) {
	r, err := s.embedOnce(ctx, clips)
	if err == nil {
		return []run{r}, nil
	}
	if ctx.Err() != nil {
		return nil, err
	}
	s.Logger.WarnContext(ctx, "model run failed: trying its clips one by one", "clips", len(clips), "error", err)
	var runs []run
	bad := false
	for _, c := range clips {
		r, err := s.embedOnce(ctx, []*clip{c})
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			c.err, bad = err, true
		default:
			runs = append(runs, r)
		}
	}
	if bad {
		if err := s.embedBlank(ctx, clips[0].service); err != nil {
			return nil, err
		}
	}
	return runs, nil
}

// embedBlank embeds a black clip, to find out whether a failure is due to the
// model or to a clip.
func (s *Stage) embedBlank(ctx context.Context, v *service) error {
	blank := make([]byte, v.Frames*v.Side*v.Side*3)
	e, err := v.Model.EmbedClips(ctx, blank, 1)
	if err == nil {
		err = finite(e, 1)
	}
	if err != nil {
		return fmt.Errorf("model %s fails on a black clip as well: %w", v.Model.ID(), err)
	}
	return nil
}

// embedOnce calls the model. The call's span begins a trace of its own and links
// to the span of every clip.
func (s *Stage) embedOnce(ctx context.Context, clips []*clip) (run, error) {
	model := clips[0].service.Model
	frames := make([]byte, 0, len(clips)*len(clips[0].pixels))
	links := make([]trace.Link, 0, len(clips))
	for _, c := range clips {
		frames = append(frames, c.pixels...)
		links = append(links, trace.LinkFromContext(c.ctx))
	}
	ctx, span := s.Tracer.Start(ctx, "infer.batch", trace.WithLinks(links...), trace.WithNewRoot(),
		trace.WithAttributes(attribute.Int("clips", len(clips)), attribute.String("model", model.ID())))
	defer span.End()
	began := s.Now()
	e, err := model.EmbedClips(ctx, frames, len(clips))
	if err == nil {
		err = finite(e, len(clips))
	}
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		s.metrics.failed.Add(ctx, 1)
		return run{}, fmt.Errorf("embed %d clips: %w", len(clips), err)
	}
	r := run{clips: clips, embedded: e, took: s.Now().Sub(began)}
	s.metrics.batch.Record(ctx, int64(len(clips)))
	s.metrics.model.Record(ctx, r.took.Seconds())
	return r, nil
}

// finite returns an error if a clip embedding contains NaN or an infinity.
func finite(e froster.ClipEmbeddings, clips int) error {
	for i := range clips {
		for _, v := range e.Clip(i) {
			if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
				return errors.New("the embedding is not finite")
			}
		}
	}
	return nil
}
