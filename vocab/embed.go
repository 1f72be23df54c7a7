package vocab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	// maxChunk bounds the texts handed to the model at once.
	maxChunk = 64
	// chunkTime is how long the model may take for them, roughly: an edit waits.
	chunkTime = time.Second / 2
)

// embed puts the embeddings of all texts into known: from Redis, or from the
// model. Where the content is another than digest meanwhile it stops, not whole;
// what was embedded is cached.
func (w *Watcher) embed(ctx context.Context, texts []string, digest string) (problems map[string]error, whole bool, err error) {
	problems = map[string]error{}
	w.fetch(ctx, w.unknown(texts))
	missing := w.unknown(texts)
	// Workers that begin together take them in orders of their own and find in
	// Redis what others have done.
	rand.Shuffle(len(missing), func(i, j int) { missing[i], missing[j] = missing[j], missing[i] })
	looked := time.Now()
	for len(missing) > 0 {
		few := missing[:min(w.chunk, len(missing))]
		missing = missing[len(few):]
		if err := w.embedFew(ctx, few, problems); err != nil {
			return nil, false, err
		}
		if time.Since(looked) < min(w.Poll, time.Second) {
			continue
		}
		looked = time.Now()
		if now, err := w.digestNow(ctx); err != nil || now != digest {
			return nil, false, err
		}
	}
	return problems, true, nil
}

// unknown are those not embedded yet, each once.
func (w *Watcher) unknown(texts []string) []string {
	var out []string
	asked := map[string]bool{}
	for _, t := range texts {
		if w.known[t] == nil && !asked[t] {
			asked[t] = true
			out = append(out, t)
		}
	}
	return out
}

// fetch puts into known what Redis holds of the texts.
func (w *Watcher) fetch(ctx context.Context, texts []string) {
	if len(texts) == 0 {
		return
	}
	w.tellCache(ctx, w.cache.get(ctx, texts, func(text string, vector []float32) {
		w.known[text] = &embedding{vector: vector}
	}))
}

// embedFew puts a chunk of texts into known and decides how many the next is to
// have.
func (w *Watcher) embedFew(ctx context.Context, texts []string, problems map[string]error) error {
	w.fetch(ctx, w.unknown(texts))
	missing := w.unknown(texts)
	if len(missing) == 0 {
		return nil
	}
	began := time.Now()
	vectors, bad, err := w.Embedder.EmbedLabels(ctx, missing)
	if err != nil {
		return fmt.Errorf("embed labels: %w", err)
	}
	took := time.Since(began)
	switch {
	case took > chunkTime:
		w.chunk = max(w.chunk/2, 1)
	case took < chunkTime/2 && len(missing) == w.chunk:
		w.chunk = min(2*w.chunk, maxChunk)
	}
	w.metrics.embed.Record(ctx, took.Seconds())
	return w.learn(ctx, missing, vectors, bad, problems)
}

// learn checks what the model gave, keeps and caches it.
func (w *Watcher) learn(ctx context.Context, texts []string, vectors [][]float32, bad []error, problems map[string]error) error {
	if len(vectors) != len(texts) || len(bad) != len(texts) {
		return fmt.Errorf("embed labels: %d vectors and %d problems for %d texts", len(vectors), len(bad), len(texts))
	}
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
			v = slices.Clone(v) // it may be a piece of something large
			w.known[t], fresh[t] = &embedding{vector: v}, v
		}
	}
	if len(fresh) > 0 {
		w.tellCache(ctx, w.cache.put(ctx, fresh))
	}
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

// forget drops the embeddings of texts that are no longer in use.
func (w *Watcher) forget(used []string) {
	keep := make(map[string]bool, len(used)+len(w.BaseClasses))
	for _, texts := range [][]string{used, w.BaseClasses} {
		for _, t := range texts {
			keep[t] = true
		}
	}
	for t := range w.known {
		if !keep[t] {
			delete(w.known, t)
		}
	}
}
