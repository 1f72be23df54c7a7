package scoring

import (
	"context"
	"math/rand/v2"
)

// pass embeds a list of texts a few at a time, so that other work can be done in
// between.
type pass struct {
	embeddings *Embeddings
	vectors    map[string][]float32
	refused    map[string]error // why the model refuses a text
	missing    []string         // texts that are neither embedded nor refused
	fresh      bool             // missing was looked up in the cache just now
}

// begin starts a pass with what the cache holds of the texts.
func (e *Embeddings) begin(ctx context.Context, texts []string) *pass {
	p := &pass{embeddings: e, vectors: make(map[string][]float32, len(texts)), refused: map[string]error{}}
	listed := make(map[string]bool, len(texts))
	for _, t := range texts {
		if !listed[t] {
			listed[t] = true
			p.missing = append(p.missing, t)
		}
	}
	p.missing = p.look(ctx, p.missing)
	// Workers that start at the same time embed the texts in different orders, so
	// that each finds in the cache what the others have done.
	rand.Shuffle(len(p.missing), func(i, j int) { p.missing[i], p.missing[j] = p.missing[j], p.missing[i] })
	return p
}

// look takes vectors from the cache and returns the texts that it lacks.
func (p *pass) look(ctx context.Context, texts []string) (missing []string) {
	if len(texts) == 0 {
		return nil
	}
	p.embeddings.noteCache(ctx, reading, p.embeddings.cache.get(ctx, texts, func(text string, vector []float32) {
		p.vectors[text] = vector
	}))
	p.fresh = true
	for _, t := range texts {
		if p.vectors[t] == nil {
			missing = append(missing, t)
		}
	}
	return missing
}

// whole reports whether every text is embedded or refused.
func (p *pass) whole() bool { return len(p.missing) == 0 }

// next embeds some more texts, as many as take the model about chunkTime. After
// an error they are still missing.
func (p *pass) next(ctx context.Context) error {
	n := min(p.embeddings.chunkSize(), len(p.missing))
	few := p.missing[:n]
	if !p.fresh {
		few = p.look(ctx, few) // another worker may have embedded them
	}
	p.fresh = false
	if len(few) > 0 {
		if err := p.embeddings.embed(ctx, few, p); err != nil {
			return err
		}
	}
	p.missing = p.missing[n:]
	return nil
}
