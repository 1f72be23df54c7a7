package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

type clipInput struct {
	Camera string `path:"camera" maxLength:"64" doc:"name of the camera"`
	Clip   string `path:"clip" maxLength:"200" doc:"id of the clip"`
}

func (c *Console) getClipStrip(ctx context.Context, in *clipInput) (*loopOutput, error) {
	return c.clipPictures(ctx, in, "clip-strip", func(clip topics.Clip) ([]byte, error) { return media.Glimpse(clip, nil) })
}

func (c *Console) getClipLoop(ctx context.Context, in *clipInput) (*loopOutput, error) {
	return c.clipPictures(ctx, in, "clip-loop", func(clip topics.Clip) ([]byte, error) { return media.Loop(clip, loopSide) })
}

// clipPictures are those of a recorded clip, encoded anew: Kafka keeps clips for a day, and
// a copy of those that raised alerts for longer.
func (c *Console) clipPictures(ctx context.Context, in *clipInput, kind string, draw func(topics.Clip) ([]byte, error)) (*loopOutput, error) {
	if !c.sees(ctx, in.Camera) {
		return nil, noCamera(in.Camera)
	}
	g, err := calibrate.RangeOf(in.Clip)
	if err != nil || g.Cameras[0] != in.Camera {
		return nil, huma.Error404NotFound("there is no clip " + topics.Clean(in.Clip) + " of the camera")
	}
	body, err := c.loops.get(ctx, loopKey{kind: kind, camera: in.Camera, clip: in.Clip}, func(ctx context.Context) ([]byte, error) {
		clip, err := c.clipOf(ctx, in.Clip, g)
		if err != nil {
			return nil, err
		}
		return draw(clip)
	})
	switch {
	case errors.Is(err, archive.ErrGone):
		return nil, huma.Error404NotFound("the pictures of the clip are not kept any more")
	case errors.Is(err, context.DeadlineExceeded):
		return nil, huma.Error503ServiceUnavailable("the pictures of the clip are not there yet")
	case err != nil: // forged or damaged, as anybody may write it
		c.Logger.DebugContext(ctx, "no pictures of a clip", "clip", topics.Clean(in.Clip), "error", topics.Clean(err.Error()))
		return nil, huma.Error404NotFound("the pictures of the clip can't be shown")
	}
	return &loopOutput{Type: "image/jpeg", Cache: "private, max-age=3600", Body: body}, nil
}

// clipOf finds a clip by its id: its recognition has its position.
func (c *Console) clipOf(ctx context.Context, id string, g archive.Range) (topics.Clip, error) {
	clip, err := c.keptClip(ctx, id, g)
	if !errors.Is(err, archive.ErrGone) {
		return clip, err
	}
	same := func(v alertlog.View) bool { return v.Clip == id && v.Camera == g.Cameras[0] && v.Evidence != nil }
	var found *alertlog.View
	c.queue.each(func(v alertlog.View) {
		if found == nil && same(v) {
			found = &v
		}
	})
	if found == nil {
		one, wrong := c.days.of(ctx, dayOf(g.Since))
		if wrong != nil {
			return clip, wrong
		}
		if i := slices.IndexFunc(one.views, same); i >= 0 {
			found = &one.views[i]
		}
	}
	if found == nil {
		return clip, err
	}
	return c.Past.Evidence(ctx, found.Alert)
}

// clipsKept is how long Kafka keeps clips as the topic is made (topics.Specs), and a margin.
const clipsKept = 48 * time.Hour

func (c *Console) keptClip(ctx context.Context, id string, g archive.Range) (clip topics.Clip, err error) {
	if time.Since(g.Since) > clipsKept {
		return clip, fmt.Errorf("clip %.120q: %w", id, archive.ErrGone)
	}
	if p, err := c.Bus.PartitionOf(ctx, c.Names.Of(topics.Actions), []byte(g.Cameras[0])); err == nil {
		g.OnKafka = []int{p}
	}
	var at *topics.RecordRef
	_, err = c.Past.Actions(ctx, g, func(r archive.Record[topics.Recognition]) error {
		if r.Value.ClipID != id {
			return nil
		}
		at = &r.Value.Clip
		return archive.ErrStop
	})
	switch {
	case err != nil:
		return clip, err
	case at == nil:
		return clip, fmt.Errorf("clip %.120q: %w", id, archive.ErrGone)
	}
	clip, err = c.Past.Clip(ctx, *at)
	// The position is from a record that anyone may write.
	if err == nil && (clip.Camera != g.Cameras[0] || clip.ID != id) {
		err = fmt.Errorf("the record at the position of clip %.120q is another's", id)
	}
	return clip, err
}
