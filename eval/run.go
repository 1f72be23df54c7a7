package eval

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// run is one evaluation. Decoders pass clips to the one goroutine that calls
// the model, which passes them to the one that scores and stores. Both queues
// hold two batches; a full queue makes the stage before it wait.
type run struct {
	*Runner
	store    *store
	sheets   []*sheet
	videos   []*video
	progress Progress
	took     time.Duration // spent embedding
}

// item is a clip on its way, or, without a clip, the notice that all clips of a
// video have been sent.
type item struct {
	video *video
	input
	embedding []float32
	end       bool
	err       error // why the video can't be read
}

// all takes embeddings that the store already has and computes the rest.
func (t *run) all(ctx context.Context) error {
	t.progress.Total = len(t.videos)
	var missing []*video
	for _, v := range t.videos {
		k, err := t.keyOf(v.Path)
		if err != nil {
			t.give(v, err)
			continue
		}
		v.key = k
		if e, ok := t.store.get(k); ok {
			t.progress.Known++
			t.score(v, e)
			continue
		}
		missing = append(missing, v)
	}
	if len(missing) == 0 {
		return ctx.Err()
	}
	begun := time.Now()
	err := t.embed(ctx, missing)
	t.took = time.Since(begun)
	return err
}

func (t *run) embed(ctx context.Context, missing []*video) error {
	g, ctx := errgroup.WithContext(ctx)
	jobs := make(chan *video)
	clips, embedded := make(chan item, 2*t.Batch), make(chan item, 2*t.Batch)
	g.Go(func() error {
		defer close(jobs)
		for _, v := range missing {
			if err := send(ctx, jobs, v); err != nil {
				return err
			}
		}
		return nil
	})
	g.Go(func() error {
		defer close(clips)
		decoders, ctx := errgroup.WithContext(ctx)
		for range min(t.Decoders, len(missing)) {
			decoders.Go(func() error { return t.decode(ctx, jobs, clips) })
		}
		return decoders.Wait()
	})
	g.Go(func() error {
		defer close(embedded)
		return t.infer(ctx, clips, embedded)
	})
	g.Go(func() error { return t.gather(embedded) })
	return g.Wait()
}

func send[T any](ctx context.Context, to chan<- T, v T) error {
	select {
	case to <- v:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// decode turns videos into clips until there are no more.
func (t *run) decode(ctx context.Context, jobs <-chan *video, clips chan<- item) error {
	r, err := newReader(t.Sampling, t.Side, t.Quality, t.Resize)
	if err != nil {
		return fmt.Errorf("eval: %w", err)
	}
	defer r.close()
	for v := range jobs {
		err := r.read(ctx, v.Path, func(in input) error { return send(ctx, clips, item{video: v, input: in}) })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := send(ctx, clips, item{video: v, end: true, err: err}); err != nil {
			return err
		}
	}
	return nil
}

// infer runs the model on full batches; only the last one may be smaller.
func (t *run) infer(ctx context.Context, clips <-chan item, embedded chan<- item) error {
	var frames []byte // reused, because the model keeps no reference to it
	for more := true; more; {
		var batch []item
		frames = frames[:0]
		n := 0
		for n < t.Batch {
			var i item
			if i, more = <-clips; !more {
				break
			}
			if batch = append(batch, i); i.pixels != nil {
				frames = append(frames, i.pixels...)
				n++
			}
		}
		if err := t.model(ctx, frames, n, batch); err != nil {
			return err
		}
		for _, i := range batch {
			if err := send(ctx, embedded, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// model embeds those n items of a batch that are clips.
func (t *run) model(ctx context.Context, frames []byte, n int, batch []item) error {
	if n == 0 {
		return ctx.Err()
	}
	e, err := t.Model.EmbedClips(ctx, frames, n)
	if err != nil {
		return err
	}
	at := 0
	for i := range batch {
		if batch[i].pixels != nil {
			batch[i].embedding, batch[i].pixels = e.Clip(at), nil
			at++
		}
	}
	return nil
}

// gather scores and stores each video once all its clips are embedded.
func (t *run) gather(embedded <-chan item) error {
	sums := map[*video][]float64{}
	for i := range embedded {
		if !i.end {
			sum := sums[i.video]
			if sum == nil {
				sum = make([]float64, len(i.embedding))
				sums[i.video] = sum
			}
			for d, x := range i.embedding {
				sum[d] += i.share * float64(x)
			}
			t.progress.Clips++
			continue
		}
		mean := make([]float32, len(sums[i.video]))
		for d, x := range sums[i.video] {
			mean[d] = float32(x)
		}
		delete(sums, i.video)
		if i.err == nil && !finite(mean) {
			i.err = errors.New("the model's embedding of it is not finite: it contains infinite values or NaN")
		}
		if i.err != nil {
			t.give(i.video, i.err)
			continue
		}
		if err := t.store.put(i.video.key, mean); err != nil {
			return err
		}
		t.score(i.video, mean)
	}
	return nil
}

// give records that a video is given up, and why.
func (t *run) give(v *video, err error) {
	v.broken = err
	t.progress.Done++
	t.progress.Broken++
	t.Progress(t.progress)
}

func (t *run) score(v *video, embedding []float32) {
	for _, u := range v.uses {
		s := t.sheets[u.sheet]
		t.progress.Answers++
		if s.take(u.row, embedding, t.Model.LogitScale()).right(s.split.Videos[u.row].Label, 1) {
			t.progress.Right++
		}
	}
	t.progress.Done++
	t.Progress(t.progress)
}
