package main

import (
	"context"
	"fmt"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/vocab"
)

// texts embeds texts with the model itself: a calibrate.Embedder.
type texts struct {
	model      *froster.Model
	references *scoring.References
}

func openTexts(dir, library string) (*texts, error) {
	bundle, err := froster.OpenBundle(dir)
	if err != nil {
		return nil, err
	}
	rt, err := froster.OpenRuntime(froster.RuntimeOptions{Library: library, Provider: "cpu", Threads: 1})
	if err != nil {
		return nil, err
	}
	t := &texts{}
	if t.model, err = rt.Load(bundle); err != nil {
		return nil, err
	}
	all := bundle.ReferenceTexts()
	vectors, _, err := t.Of(context.Background(), all)
	if err == nil {
		t.references, err = scoring.NewReferences(all, vectors)
	}
	if err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *texts) close() { _ = t.model.Close() } // the program ends

// Of returns the texts' vectors, as scoring.Remote does.
func (t *texts) Of(ctx context.Context, all []string) (map[string][]float32, map[string]error, error) {
	vectors, problems, err := t.model.EmbedLabels(ctx, all)
	if err != nil {
		return nil, nil, err
	}
	out, refused := map[string][]float32{}, map[string]error{}
	for i, text := range all {
		if problems[i] != nil {
			refused[text] = problems[i]
		} else {
			out[text] = vectors[i]
		}
	}
	return out, refused, nil
}

// References returns the model's own, the only ones.
func (t *texts) References(_ context.Context, hash string) (*scoring.References, error) {
	if hash != t.references.Hash() {
		return nil, fmt.Errorf("the bundle's references are %s, not %s", t.references.Hash(), hash)
	}
	return t.references, nil
}

// word makes a label ready for clips.
func (t *texts) word(ctx context.Context, l vocab.Label) (*scoring.Word, error) {
	vectors, refused, err := t.Of(ctx, l.Read())
	if err != nil {
		return nil, err
	}
	for text, why := range refused {
		return nil, fmt.Errorf("the model does not take %q: %w", text, why)
	}
	var of [][]float32
	for _, text := range l.Texts() {
		of = append(of, vectors[text])
	}
	w, err := scoring.NewWord(of, t.references)
	if err == nil && l.Begins != "" {
		err = w.Course(vectors[l.Begins], vectors[l.Ends])
	}
	return w, err
}
