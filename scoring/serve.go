package scoring

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// asks serves the list of texts that other processes ask for. It is used by
// Live.Run only.
type asks struct {
	embeddings *Embeddings
	wanted     wanted
	heard      <-chan *redis.Message // gets a message when somebody has asked
	more       bool                  // there may be texts on the list
	texts      []string              // taken from the list and not answered yet
	pass       *pass                 // embeds texts; nil if there are none
}

func (e *Embeddings) newAsks() *asks {
	return &asks{
		embeddings: e, more: true,
		wanted: wanted{client: e.Client, prefix: e.Prefix, model: e.Embedder.ID()},
	}
}

// listen subscribes to the channel of those who ask, until stop is called.
func (a *asks) listen(ctx context.Context) (stop func()) {
	sub := a.wanted.client.Subscribe(ctx, a.wanted.asked())
	a.heard = sub.Channel(redis.WithChannelSize(1), redis.WithChannelSendTimeout(dropAfter))
	return func() { _ = sub.Close() }
}

// dropAfter is how long a message may wait for a full channel before it is
// dropped. A lost message does no harm: whoever asks asks again, and checks the
// cache.
const dropAfter = 10 * time.Millisecond

// serve embeds a few of the texts that are asked for; more says whether there may
// be others. If that fails, the texts are dropped and only whoever asked for them
// is affected, who asks again.
func (a *asks) serve(ctx context.Context) (more bool) {
	if a.pass == nil && !a.take(ctx) {
		return false
	}
	if !a.pass.whole() {
		if err := a.pass.next(ctx); err != nil {
			a.embeddings.Logger.WarnContext(ctx, "embeddings: texts that another process asked for were not embedded", "texts", len(a.texts), "error", err)
			a.texts, a.pass = nil, nil
			return a.more
		}
	}
	if a.pass.whole() {
		a.answer(ctx)
	}
	return true
}

// take takes the next few texts off the list; false if there are none.
func (a *asks) take(ctx context.Context) bool {
	if !a.more {
		return false
	}
	a.more = false
	texts, err := a.wanted.take(ctx, a.embeddings.chunkSize())
	if err != nil {
		a.embeddings.Logger.DebugContext(ctx, "embeddings: the list of texts that are asked for was not read", "error", err)
		return false
	}
	for _, t := range texts {
		if checkText(t) == nil { // false only for texts that no Remote has written
			a.texts = append(a.texts, t)
		}
	}
	if len(a.texts) == 0 {
		return false
	}
	a.more = true
	a.pass = a.embeddings.begin(ctx, a.texts)
	return true
}

// answer tells those who asked that their texts are cached, or why they are
// refused.
func (a *asks) answer(ctx context.Context) {
	for _, t := range a.texts {
		if err := a.wanted.answer(ctx, t, a.pass.refused[t]); err != nil {
			a.embeddings.Logger.DebugContext(ctx, "embeddings: an answer was not sent", "error", err)
		}
	}
	a.texts, a.pass = nil, nil
}
