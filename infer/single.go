package infer

import (
	"context"
	"fmt"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/media/pixels"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// Single recognises clips outside a stage, such as those of the past with another model. It
// is for one goroutine. All fields but References and Zone are required.
type Single struct {
	Model   Model
	Frames  int // of one clip
	Side    int // of the model's square picture, pixels
	Resize  pixels.Resize
	Decoder *media.ClipDecoder
	// References are what contrasts are taken against; nil: recognitions have none.
	References *scoring.References
	// Zone is whether a rule is about a zone of a camera; nil: none is about any.
	Zone func(camera, zone string) bool
}

// Placed is a clip with the position of its record.
type Placed struct {
	topics.Clip
	At topics.RecordRef
}

// Recognise embeds clips in one run of the model. Each has the record that the stage would
// make of it, without labels; nil where its pictures can't be decoded. The error is one of
// the model, or of ctx.
func (s *Single) Recognise(ctx context.Context, clips []Placed) ([]*topics.Recognition, error) {
	out := make([]*topics.Recognition, len(clips))
	looks := make([][]media.Look, len(clips))
	var frames []byte
	squares := 0
	for i, c := range clips {
		all := media.Looks(c.Clip, s.Side, s.Resize)
		all = append(all, media.ZoneLooks(c.Clip, s.Resize, func(zone string) bool { return s.Zone != nil && s.Zone(c.Camera, zone) })...)
		rgb, _, err := s.Decoder.DecodeLooks(ctx, c.Clip, all, s.Frames, s.Side)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			continue
		}
		looks[i], frames, squares = all, append(frames, rgb...), squares+len(all)
	}
	if squares == 0 {
		return out, nil
	}
	e, err := s.Model.EmbedClips(ctx, frames, squares)
	if err == nil {
		err = finite(e, squares)
	}
	if err != nil {
		return nil, fmt.Errorf("embed %d squares of %d clips: %w", squares, len(clips), err)
	}
	at := 0
	for i, c := range clips {
		if len(looks[i]) == 0 {
			continue
		}
		one := &clip{Clip: c.Clip, looks: looks[i]}
		for range looks[i] {
			one.seen = append(one.seen, seenOf(e, at, s.Frames))
			at++
		}
		out[i] = s.record(one, c.At)
	}
	return out, nil
}

// record is that of a clip whose looks are all embedded.
func (s *Single) record(c *clip, at topics.RecordRef) *topics.Recognition {
	scale := s.Model.LogitScale()
	scored := scoring.Scored{InZones: c.looks[len(c.looks)-1].Zone > 0}
	if s.References != nil {
		for _, seen := range c.seen {
			scored.Logits = append(scored.Logits, s.References.Logit(seen.Mean, scale))
		}
		scored.References = &topics.References{Hash: s.References.Hash(), Logit: scored.Logits[0]}
	}
	return &topics.Recognition{
		ClipID: c.ID, Camera: c.Camera, Tags: c.Tags, Epoch: c.Epoch, Sequence: c.Sequence, Start: c.StartTime(), End: c.EndTime(),
		Clip: at, Embedding: c.seen[0].Mean, First: c.seen[0].First, Last: c.seen[0].Last,
		Model: s.Model.ID(), LogitScale: float64(scale), References: scored.References, Views: c.views(scored), Quiet: c.Quiet,
	}
}
