package infer

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// settleTime is how long clips wait for a vocabulary that has come into use, once for
// each: the clips of all cameras wait with them. After that they are recognised
// without labels until it is embedded.
const settleTime = 5 * time.Second

// maxAwaited bounds the vocabularies that are waited for: whoever can write the topic of
// clips can name any number.
const maxAwaited = 64

// vocabularies sets the vocabulary that each clip is scored against. The clips are all
// of one service; those of one vocabulary are scored against the same content. Where
// there is none, a clip is recognised without labels: its embedding is recorded, and
// the clips of other cameras go on.
func (s *Stage) vocabularies(ctx context.Context, clips []*clip) error {
	service := clips[0].service
	of := map[string]*scoring.Matrix{}
	for _, c := range clips {
		name := s.vocabularyOf(c)
		m := of[name]
		if m == nil {
			if m = service.vocabulary(ctx, name); ctx.Err() != nil {
				return ctx.Err()
			}
			switch {
			case m == nil && name == "":
				// A clip scored against no labels would be committed and lost.
				return fmt.Errorf("model %s has lost its vocabulary", service.Model.ID())
			case m == nil:
				m = &scoring.Matrix{Name: name}
			}
			of[name] = m
		}
		if m.Version == "" && name != "" {
			s.metrics.unscored.Add(ctx, 1, metric.WithAttributes(attribute.String("camera", c.Camera), attribute.String("vocabulary", name)))
		}
		c.matrix = m
	}
	return nil
}

// vocabularyOf is the vocabulary of a clip, empty for the default one.
func (s *Stage) vocabularyOf(c *clip) string {
	if s.VocabularyOf == nil {
		return c.Vocabulary
	}
	return s.VocabularyOf(topics.Camera{Name: c.Camera, Tags: c.Tags, Vocabulary: c.Vocabulary})
}

// vocabulary is the newest content of a vocabulary, nil for none.
func (s *service) vocabulary(ctx context.Context, name string) *scoring.Matrix {
	if name == "" {
		return s.Vocabulary.Current()
	}
	var patience time.Duration
	if !s.awaited[name] && len(s.awaited) < maxAwaited {
		s.awaited[name], patience = true, settleTime
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.Vocabulary.Of(ctx, name)
}
