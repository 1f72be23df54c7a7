package infer

import (
	"context"

	"github.com/frostwatch/frostwatch/media"
)

// frameCacheBytes is enough for the frames that overlapping windows of 50 cameras
// share: at 224 pixels, eight frames of each camera are 60 MB together.
const frameCacheBytes = 64 << 20

// decodeLoop decodes clips until the queue is closed. It passes over those of
// partitions that have moved to another worker.
func (s *Stage) decodeLoop(ctx context.Context, d *media.ClipDecoder) {
	for c := range s.decode {
		if ctx.Err() == nil && !c.lease.lost() {
			s.decodeClip(ctx, d, c)
		}
		close(c.decoded)
	}
}

func (s *Stage) decodeClip(ctx context.Context, d *media.ClipDecoder, c *clip) {
	began := s.Now()
	var shared int
	if c.service.EachFrame != nil {
		shared, c.err = c.decodePieces(ctx, d)
	} else {
		c.pixels, shared, c.err = d.DecodeLooks(ctx, c.Clip, c.looks, c.service.Frames, c.service.Side)
	}
	c.took = s.Now().Sub(began)
	c.dropPictures() // a dead letter is made from the record, which still has them
	if c.err == nil {
		s.metrics.decoded.Add(ctx, int64(c.service.Frames-shared))
		s.metrics.shared.Add(ctx, int64(shared))
	}
}
