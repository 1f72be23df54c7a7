package infer

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/media"
)

// piece is one frame of a look, for a model that sees each frame by itself.
type piece struct {
	key    media.FrameKey
	unit   []float32 // its embedding, which other clips share; nil: it isn't known yet
	pixels []byte    // [side, side, 3]; nil if the embedding was known before it was decoded
}

// decodePieces decodes those frames of a clip's looks whose embeddings aren't known.
func (c *clip) decodePieces(ctx context.Context, d *media.ClipDecoder) (shared int, err error) {
	v := c.service
	c.pieces = make([]piece, len(c.looks)*v.Frames)
	return d.DecodeWanted(ctx, c.Clip, c.looks, v.Frames, v.Side, func(look, frame int, key media.FrameKey) []byte {
		p := &c.pieces[look*v.Frames+frame]
		if *p = (piece{key: key, unit: v.vectors.get(key)}); p.unit == nil {
			p.pixels = make([]byte, v.Side*v.Side*3)
		}
		return p.pixels
	})
}

// pieces are the frames of squares: of each square all, in the order of presentation.
func pieces(squares []square) (out []*piece) {
	for _, q := range squares {
		n := q.clip.service.Frames
		for i := range n {
			out = append(out, &q.clip.pieces[q.look*n+i])
		}
	}
	return out
}

// embedFramewise embeds squares for a framewise model: each frame once, whichever squares
// it is in, and none that is known. ran is whether the model was run.
func (s *Stage) embedFramewise(ctx context.Context, squares []square) (e froster.ClipEmbeddings, ran bool, err error) {
	v, all := squares[0].clip.service, pieces(squares)
	fresh := v.unknown(all)
	if err := v.embedPieces(ctx, fresh); err != nil {
		return e, true, err
	}
	units := map[media.FrameKey][]float32{}
	for _, p := range fresh {
		units[p.key] = p.unit
	}
	var joined []float32
	for _, p := range all {
		if p.unit == nil { // it is the same frame as one of those
			p.unit = units[p.key]
		}
		joined = append(joined, p.unit...)
	}
	s.metrics.embedded.Add(ctx, int64(len(fresh)))
	s.metrics.reused.Add(ctx, int64(len(all)-len(fresh)))
	e, err = froster.MeanOfFrames(len(all[0].unit), v.Frames, joined)
	return e, len(fresh) > 0, err
}

// unknown are pieces of different frames, one of each whose embedding isn't known, also not
// since the piece was decoded.
func (v *service) unknown(all []*piece) (fresh []*piece) {
	found := map[media.FrameKey]bool{}
	for _, p := range all {
		if p.unit != nil || found[p.key] {
			continue
		}
		if p.unit = v.vectors.get(p.key); p.unit == nil {
			found[p.key], fresh = true, append(fresh, p)
		}
	}
	return fresh
}

// embedPieces runs the model over pieces of different frames.
func (v *service) embedPieces(ctx context.Context, fresh []*piece) error {
	if len(fresh) == 0 {
		return nil
	}
	frames := make([]byte, 0, len(fresh)*v.Side*v.Side*3)
	for _, p := range fresh {
		frames = append(frames, p.pixels...)
	}
	units, err := v.EachFrame.EmbedFrames(ctx, frames, len(fresh))
	if err != nil {
		return err
	}
	dim := len(units) / len(fresh)
	for i, p := range fresh {
		unit := slices.Clone(units[i*dim : (i+1)*dim])
		if !isFinite(unit) {
			return errNotFinite
		}
		p.unit = unit
		v.vectors.put(p.key, unit)
	}
	return nil
}

var errNotFinite = errors.New("the embedding is not finite")

func isFinite(vector []float32) bool {
	for _, v := range vector {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return false
		}
	}
	return true
}
