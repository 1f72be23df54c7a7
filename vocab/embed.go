package vocab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// embedChunk is how many texts are embedded between two looks for an edit.
const embedChunk = 16

// embed puts the vectors of all texts into known: from there, from Redis, or
// from the model. Where a digest is given and the content changes meanwhile it
// stops, not whole; what was embedded is cached.
func (w *Watcher) embed(ctx context.Context, texts []string, digest string) (problems map[string]error, whole bool, err error) {
	var missing []string
	asked := map[string]bool{}
	for _, t := range texts {
		if w.known[t] == nil && !asked[t] {
			asked[t] = true
			missing = append(missing, t)
		}
	}
	cached, err := w.cache.get(ctx, missing)
	w.tellCache(ctx, err)
	for t, v := range cached {
		w.known[t] = v
	}
	missing = slices.DeleteFunc(missing, func(t string) bool { return cached[t] != nil })
	problems = map[string]error{}
	for chunk := range slices.Chunk(missing, embedChunk) {
		if err := w.embedChunk(ctx, chunk, problems); err != nil {
			return nil, false, err
		}
		if digest == "" {
			continue
		}
		if now, err := w.digestNow(ctx); err != nil || now != digest {
			return nil, false, err
		}
	}
	return problems, true, nil
}

func (w *Watcher) embedChunk(ctx context.Context, texts []string, problems map[string]error) error {
	began := time.Now()
	vectors, bad, err := w.Embedder.EmbedLabels(ctx, texts)
	if err != nil {
		return fmt.Errorf("embed labels: %w", err)
	}
	if len(vectors) != len(texts) || len(bad) != len(texts) {
		return fmt.Errorf("embed labels: %d vectors and %d problems for %d texts", len(vectors), len(bad), len(texts))
	}
	w.metrics.embed.Record(ctx, time.Since(began).Seconds())
	fresh := map[string][]float32{}
	for i, t := range texts {
		switch v := vectors[i]; {
		case bad[i] != nil:
			problems[t] = bad[i]
		case len(v) != w.Embedder.Dim():
			return fmt.Errorf("embed label %q: vector of %d, the model's are of %d", t, len(v), w.Embedder.Dim())
		case !isUnit(v):
			problems[t] = errors.New("its embedding is not a unit vector")
		default:
			w.known[t], fresh[t] = v, v
		}
	}
	w.tellCache(ctx, w.cache.put(ctx, fresh))
	return nil
}

// tellCache logs trouble with the cache when it begins and when it ends. It
// costs time and nothing else.
func (w *Watcher) tellCache(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	switch {
	case err != nil && !w.cacheFailing:
		w.Logger.WarnContext(ctx, "vocabulary: text embeddings are not cached", "error", err)
	case err == nil && w.cacheFailing:
		w.Logger.InfoContext(ctx, "vocabulary: text embeddings are cached again")
	}
	w.cacheFailing = err != nil
}

// embedBases embeds the next few base classes, so that edits wait for few; more
// says whether any are left. With the last of them labels get their nearest.
func (w *Watcher) embedBases(ctx context.Context) (more bool, err error) {
	if len(w.pending) == 0 || w.Current() == nil {
		return false, nil
	}
	texts := w.pending[:min(embedChunk, len(w.pending))]
	problems, _, err := w.embed(ctx, texts, "")
	if err != nil {
		return false, fmt.Errorf("base classes: %w", err)
	}
	for _, c := range texts {
		if problems[c] == nil {
			w.bases.names, w.bases.vectors = append(w.bases.names, c), append(w.bases.vectors, w.known[c])
		}
	}
	if w.pending = w.pending[len(texts):]; len(w.pending) > 0 {
		return true, nil
	}
	w.serve()
	return false, nil
}

// forget drops the embeddings of texts that are no longer in use.
func (w *Watcher) forget(used []string) {
	keep := map[string]bool{}
	for _, t := range append(slices.Clone(used), w.BaseClasses...) {
		keep[t] = true
	}
	for t := range w.known {
		if !keep[t] {
			delete(w.known, t)
		}
	}
}
