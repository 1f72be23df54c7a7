// Package twomodels scores recorded clips with two models and compares what they make of
// them, before one takes the other's place.
package twomodels

import (
	"context"
	"fmt"

	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/infer"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// frameCache is enough for the frames that the clips of some cameras share with those before.
const frameCache = 64 << 20

// Model is a model that is loaded, with what embeds texts for it.
type Model struct {
	Name string
	calibrate.Model
	texts  *scoring.Embeddings
	refs   *scoring.References
	single infer.Single
}

// NewModel makes ready a loaded model: its reference texts are embedded, which takes minutes
// the first time with a large one; texts keeps them. The caller calls Close, and frees loaded
// afterwards.
func NewModel(ctx context.Context, loaded *froster.Model, texts *scoring.Embeddings, zone func(camera, zone string) bool) (*Model, error) {
	b := loaded.Bundle()
	listed := b.ReferenceTexts()
	vectors, _, err := texts.Of(ctx, listed)
	if err != nil {
		return nil, fmt.Errorf("embed the reference texts of model %s: %w", b.Name, err)
	}
	refs, err := scoring.NewReferences(listed, vectors)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", b.Name, err)
	}
	decoder, err := media.NewClipDecoder(media.NewFrameCache(frameCache))
	if err != nil {
		return nil, err
	}
	return &Model{
		Name: b.Name, texts: texts, refs: refs,
		Model: calibrate.Model{ID: b.ID, Dims: b.Dims.EmbedDim, Scale: float64(b.LogitScale), References: refs.Hash()},
		single: infer.Single{
			Model: loaded, Frames: b.Dims.Frames, Side: b.Dims.ImageSize, Resize: b.Dims.Resize(), Decoder: decoder, References: refs, Zone: zone,
		},
	}, nil
}

// Close frees what decodes pictures.
func (m *Model) Close() { m.single.Decoder.Close() }

// Of is that of calibrate.Embedder.
func (m *Model) Of(ctx context.Context, texts []string) (vectors map[string][]float32, refused map[string]error, err error) {
	return m.texts.Of(ctx, texts)
}

// References is that of calibrate.Embedder: the model's own.
func (m *Model) References(_ context.Context, hash string) (*scoring.References, error) {
	if hash != m.refs.Hash() {
		return nil, fmt.Errorf("model %s has other reference texts than %.20q", m.Name, hash)
	}
	return m.refs, nil
}

// taken is a recognition that was recorded by this model, as it is compared: without labels,
// and with what the model's references of now give.
func (m *Model) taken(rec topics.Recognition) *topics.Recognition {
	scale := float32(m.Scale)
	rec.Labels, rec.LogitScale = nil, m.Scale
	rec.References = &topics.References{Hash: m.refs.Hash(), Logit: m.refs.Logit(rec.Embedding, scale)}
	for i := range rec.Views {
		if i > 0 {
			rec.Views[i].Logit = m.refs.Logit(rec.Views[i].Embedding, scale)
		}
	}
	return &rec
}

// recorded is whether a recognition was made by this model, whole.
func (m *Model) recorded(rec *topics.Recognition) bool {
	if rec.Model != m.ID || len(rec.Embedding) != m.Dims {
		return false
	}
	for _, v := range rec.Views[min(1, len(rec.Views)):] {
		if len(v.Embedding) != m.Dims {
			return false
		}
	}
	return true
}
