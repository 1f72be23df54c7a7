package infer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// square is one look of a clip, which the model embeds.
type square struct {
	clip *clip
	look int // index of clip.looks
}

// pixels are packed RGB, [frames, side, side, 3].
func (q square) pixels() []byte {
	n := q.clip.service.pictureBytes()
	return q.clip.pixels[q.look*n:][:n]
}

func squaresOf(clips ...*clip) (out []square) {
	for _, c := range clips {
		c.seen = make([]scoring.Clip, len(c.looks))
		for i := range c.looks {
			out = append(out, square{c, i})
		}
	}
	return out
}

// run is the result of one call of the model.
type run struct {
	squares  []square
	embedded froster.ClipEmbeddings
	took     time.Duration
}

// spread gives the clips of a run their embeddings, rounded as the record holds them, so
// that whoever scores the past gets the same.
func (r run) spread() {
	for i, q := range r.squares {
		frames := q.clip.service.Frames
		q.clip.seen[q.look] = seenOf(r.embedded, i, frames)
		if i == 0 || r.squares[i-1].clip != q.clip {
			q.clip.ran += r.took
			q.clip.batch = max(q.clip.batch, len(r.squares))
		}
	}
}

// seenOf is what is kept of clip i of a run, rounded as records hold it.
func seenOf(e froster.ClipEmbeddings, i, frames int) scoring.Clip {
	n := min(ends, frames)
	return scoring.Clip{
		Mean: topics.RoundFloat16(e.Clip(i)), First: topics.RoundFloat16(meanFrames(e, i, 0, n)),
		Last: topics.RoundFloat16(meanFrames(e, i, frames-n, n)),
	}
}

// embed embeds clips, which are all of one model. If that fails, each clip is
// tried alone, and the error of one that fails alone becomes its err: retrying it
// for ever would stop its partition. An error means that the model fails on every
// clip.
func (s *Stage) embed(ctx context.Context, clips []*clip) ([]run, error) {
	runs, err := s.embedAll(ctx, clips...)
	if err == nil {
		return runs, nil
	}
	if ctx.Err() != nil {
		return nil, err
	}
	s.Logger.WarnContext(ctx, "model run failed: trying its clips one by one", "clips", len(clips), "error", err)
	runs = nil
	bad := false
	for _, c := range clips {
		own, err := s.embedAll(ctx, c)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			c.err, bad = err, true
		default:
			runs = append(runs, own...)
		}
	}
	if bad {
		if err := s.embedBlank(ctx, clips[0].service); err != nil {
			return nil, err
		}
	}
	return runs, nil
}

// embedAll embeds all looks of clips, at most MaxBatch squares a run.
func (s *Stage) embedAll(ctx context.Context, clips ...*clip) (runs []run, err error) {
	for some := range slices.Chunk(squaresOf(clips...), s.MaxBatch) {
		r, err := s.embedOnce(ctx, some)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// embedBlank embeds a black clip, to find out whether a failure is due to the
// model or to a clip.
func (s *Stage) embedBlank(ctx context.Context, v *service) error {
	blank := make([]byte, v.pictureBytes())
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
func (s *Stage) embedOnce(ctx context.Context, squares []square) (run, error) {
	model := squares[0].clip.service.Model
	var links []trace.Link
	for i, q := range squares {
		if i == 0 || squares[i-1].clip != q.clip {
			links = append(links, trace.LinkFromContext(q.clip.ctx))
		}
	}
	ctx, span := s.Tracer.Start(ctx, "infer.batch", trace.WithLinks(links...), trace.WithNewRoot(),
		trace.WithAttributes(attribute.Int("clips", len(links)), attribute.Int("squares", len(squares)), attribute.String("model", model.ID())))
	defer span.End()
	began := s.Now()
	e, ran, err := s.embedSquares(ctx, squares)
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		s.metrics.failed.Add(ctx, 1)
		return run{}, fmt.Errorf("embed %d squares of %d clips: %w", len(squares), len(links), err)
	}
	r := run{squares: squares, embedded: e, took: s.Now().Sub(began)}
	s.metrics.batch.Record(ctx, int64(len(squares)))
	if ran {
		s.metrics.model.Record(ctx, r.took.Seconds())
	}
	return r, nil
}

// embedSquares calls the model. ran is false if all that it would see is known.
func (s *Stage) embedSquares(ctx context.Context, squares []square) (e froster.ClipEmbeddings, ran bool, err error) {
	v := squares[0].clip.service
	if v.EachFrame != nil {
		return s.embedFramewise(ctx, squares)
	}
	frames := make([]byte, 0, len(squares)*v.pictureBytes())
	for _, q := range squares {
		frames = append(frames, q.pixels()...)
	}
	if e, err = v.Model.EmbedClips(ctx, frames, len(squares)); err == nil {
		err = finite(e, len(squares))
	}
	return e, true, err
}

// finite returns an error if a clip embedding contains NaN or an infinity.
func finite(e froster.ClipEmbeddings, clips int) error {
	for i := range clips {
		if !isFinite(e.Clip(i)) {
			return errNotFinite
		}
	}
	return nil
}
