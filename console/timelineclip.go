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
	At     string `query:"at" maxLength:"40" pattern:"^([0-9]{1,6}-[0-9]{1,19})?$" doc:"where its recording is, as a search says: it is found sooner"`
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
	body, err := c.loops.get(ctx, loopKey{kind, in.Camera, in.Clip, in.at()}, func(ctx context.Context) ([]byte, error) {
		clip, err := c.clipOf(ctx, in, g)
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

// at is the position of the clip's recording; without one the partition is -1.
func (in *clipInput) at() topics.RecordRef {
	at := topics.RecordRef{Partition: -1}
	if _, err := fmt.Sscanf(in.At, "%d-%d", &at.Partition, &at.Offset); err != nil {
		at.Partition = -1
	}
	return at
}

// clipOf finds a clip by its recording, which has its position.
func (c *Console) clipOf(ctx context.Context, in *clipInput, g archive.Range) (topics.Clip, error) {
	id := in.Clip
	clip, err := c.keptClip(ctx, id, in.at(), g)
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

func (c *Console) keptClip(ctx context.Context, id string, of topics.RecordRef, g archive.Range) (clip topics.Clip, err error) {
	if time.Since(g.Since) > clipsKept {
		return clip, fmt.Errorf("clip %.120q: %w", id, archive.ErrGone)
	}
	at, err := c.recordedAt(ctx, id, of, g)
	if err != nil {
		return clip, err
	}
	clip, err = c.Past.Clip(ctx, at)
	// The position is from a record that anyone may write.
	if err == nil && (clip.Camera != g.Cameras[0] || clip.ID != id) {
		err = fmt.Errorf("the record at the position of clip %.120q is another's", id)
	}
	return clip, err
}

// recordedAt is where a clip is, by its recording: the one at a position if that is it, or
// the one that is found.
func (c *Console) recordedAt(ctx context.Context, id string, of topics.RecordRef, g archive.Range) (at topics.RecordRef, err error) {
	if of.Partition >= 0 {
		if r, err := c.Past.Recognition(ctx, of.Partition, of.Offset); err == nil && r.ClipID == id && r.Camera == g.Cameras[0] {
			return r.Clip, nil
		}
	}
	if p, err := c.Bus.PartitionOf(ctx, c.Names.Of(topics.Actions), []byte(g.Cameras[0])); err == nil {
		g.OnKafka = []int{p}
	}
	found := false
	_, err = c.Past.Actions(ctx, g, func(r archive.Record[topics.Recognition]) error {
		if r.Value.ClipID != id {
			return nil
		}
		at, found = r.Value.Clip, true
		return archive.ErrStop
	})
	if err == nil && !found {
		err = fmt.Errorf("clip %.120q: %w", id, archive.ErrGone)
	}
	return at, err
}
