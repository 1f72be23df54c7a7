package scoring

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// RemoteOptions are all required but Prefix.
type RemoteOptions struct {
	Client redis.UniversalClient
	Prefix string // of every key; may be empty
	Model  string // id, as in recognitions
	Dim    int    // length of the model's vectors
}

// Remote returns the vectors of any texts to a process without the model, from
// the cache in Redis or else from an infer worker that has the model. It is safe
// for concurrent use.
type Remote struct {
	cache    cache
	wanted   wanted
	patience time.Duration // how long to wait for the next answer before giving up
}

const (
	// maxModel bounds a model's id in bytes; it may come from a record.
	maxModel = 128
	// askTogether bounds the texts that one call has on the list at once.
	askTogether = 32
	// askAgain is how long to wait for answers before the cache is checked and the
	// texts are asked for again, in case an answer was lost.
	askAgain = 500 * time.Millisecond
)

// NewRemote checks the options.
func NewRemote(o RemoteOptions) (*Remote, error) {
	switch {
	case o.Client == nil || o.Dim < 1:
		return nil, errors.New("embeddings: client and dim are required")
	case o.Model == "" || len(o.Model) > maxModel || checkText(o.Model) != nil:
		return nil, fmt.Errorf("embeddings: model id %.20q: want 1 to %d bytes of text", o.Model, maxModel)
	}
	return &Remote{
		cache:  newCache(o.Client, o.Prefix, o.Model, o.Dim),
		wanted: wanted{client: o.Client, prefix: o.Prefix, model: o.Model}, patience: wantedTime,
	}, nil
}

// Of returns each text's vector of length 1, or the reason why the model refuses
// the text. It fails when no text has been embedded for 10 s, because no infer
// worker has the model or because it is busy.
func (r *Remote) Of(ctx context.Context, texts []string) (vectors map[string][]float32, refused map[string]error, err error) {
	vectors, refused = make(map[string][]float32, len(texts)), map[string]error{}
	var sound []string
	for _, t := range texts {
		if err := checkText(t); err != nil {
			refused[t] = err
		} else {
			sound = append(sound, t)
		}
	}
	keep := func(text string, v []float32) { vectors[text] = v }
	if err := r.cache.get(ctx, sound, keep); err != nil {
		return nil, nil, err
	}
	if err := r.cache.note(ctx, slices.Collect(maps.Keys(vectors)), keepAsked); err != nil {
		return nil, nil, err
	}
	missing := map[string]string{} // by field
	for _, t := range sound {
		if vectors[t] == nil {
			missing[field(t)] = t
		}
	}
	if len(missing) == 0 {
		return vectors, refused, nil
	}
	if err := r.ask(ctx, missing, keep, refused); err != nil {
		return nil, nil, err
	}
	return vectors, refused, nil
}

// ask asks for the missing texts, a few at a time, until none is missing.
func (r *Remote) ask(ctx context.Context, missing map[string]string, keep func(string, []float32), refused map[string]error) error {
	answers := r.wanted.client.Subscribe(ctx, r.wanted.answered())
	defer func() { _ = answers.Close() }()
	if _, err := answers.Receive(ctx); err != nil { // wait for the subscription before asking
		return fmt.Errorf("ask for texts: %w", err)
	}
	heard := answers.Channel(redis.WithChannelSize(2*maxWanted), redis.WithChannelSendTimeout(dropAfter))
	progress := time.Now()
	for len(missing) > 0 {
		few := slices.Sorted(maps.Values(missing))
		few = few[:min(askTogether, len(few))]
		waiting, workers, err := r.wanted.ask(ctx, few)
		if err != nil {
			return err
		}
		before := len(missing)
		if err := r.await(ctx, heard, few, missing, keep, refused); err != nil {
			return err
		}
		if len(missing) < before {
			progress = time.Now()
		} else if time.Since(progress) >= r.patience {
			return r.unanswered(waiting, workers)
		}
	}
	return nil
}

// await receives answers for askAgain, or until all of few are answered, and then
// takes their vectors from the cache.
func (r *Remote) await(ctx context.Context, heard <-chan *redis.Message, few []string, missing map[string]string, keep func(string, []float32), refused map[string]error) error {
	open := map[string]bool{}
	for _, t := range few {
		open[field(t)] = true
	}
	timeout := time.NewTimer(askAgain)
	defer timeout.Stop()
	for waiting := true; waiting && len(open) > 0; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout.C:
			waiting = false
		case m, ok := <-heard:
			if !ok {
				return errors.New("ask for texts: the connection to Redis is closed")
			}
			f, why := readAnswer(m.Payload)
			if open[f] && why != "" {
				refused[missing[f]] = errors.New(why)
				delete(missing, f)
			}
			delete(open, f)
		}
	}
	return r.cache.get(ctx, few, func(text string, v []float32) {
		keep(text, v)
		delete(missing, field(text))
	})
}

// ErrUnanswered says that no infer worker has embedded a text: none has the model, or all
// are busy.
var ErrUnanswered = errors.New("not embedded")

// notEmbedded is ErrUnanswered with the reason.
type notEmbedded string

func (e notEmbedded) Error() string { return string(e) }

func (notEmbedded) Is(target error) bool { return target == ErrUnanswered }

// unanswered is the error when no answer came. waiting is how many of the texts
// last asked for were on the list, workers how many infer workers listen.
func (r *Remote) unanswered(waiting, workers int64) error {
	model := r.wanted.model
	switch {
	case workers == 0:
		return notEmbedded(fmt.Sprintf("embed texts: no running infer has model %s", model))
	case waiting == 0:
		return notEmbedded(fmt.Sprintf("embed texts: %d others already wait for model %s, which is the limit: try again later", maxWanted, model))
	}
	return notEmbedded(fmt.Sprintf("embed texts: infer with model %s has embedded none of them for %v: it is busy", model, r.patience))
}
