package infer

import (
	"context"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/media/pixels"
)

// frameCacheBytes is enough for the frames that overlapping windows of 50 cameras
// share: at 224 pixels, eight frames of each are 60 MB.
const frameCacheBytes = 64 << 20

// decodeLoop decodes until the stage closes the queue.
func (s *Stage) decodeLoop(ctx context.Context, d *media.ClipDecoder) {
	for j := range s.decode {
		if j.err == nil && ctx.Err() == nil {
			began, view := s.Now(), media.View{Frames: j.term.Frames, Side: j.term.Side, Place: pixels.Centre}
			var shared int
			j.pixels, shared, j.err = d.Decode(ctx, j.clip, view)
			j.took = s.Now().Sub(began)
			if j.err == nil {
				s.metrics.decoded.Add(ctx, int64(j.term.Frames-shared))
				s.metrics.shared.Add(ctx, int64(shared))
			}
		}
		close(j.decoded)
	}
}
