package scoring

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// keepReferences is how long Redis keeps the texts of references after a worker last
// used them: longer than the archive keeps recognitions by default.
const keepReferences = 400 * 24 * time.Hour

// maxReferences bounds what is read of a key that anyone may have written, in bytes.
const maxReferences = 4 << 20

func referencesKey(prefix, hash string) string { return prefix + "references:" + hash }

// publishReferences stores the texts in Redis, for processes without the model that
// score the past. renew: also where Redis has them.
func publishReferences(ctx context.Context, client redis.UniversalClient, prefix string, r *References, renew bool) error {
	key := referencesKey(prefix, r.hash)
	if !renew {
		if n, err := client.Exists(ctx, key).Result(); err != nil || n > 0 {
			return err
		}
	}
	raw, err := json.Marshal(r.texts)
	if err != nil {
		return err
	}
	if err := client.Set(ctx, key, raw, keepReferences).Err(); err != nil {
		return fmt.Errorf("store the reference texts: %w", err)
	}
	return nil
}

// References returns the reference texts that recognitions name by this hash, with
// their vectors, as Of does. It fails if no infer worker that runs against this
// Redis has used them.
func (r *Remote) References(ctx context.Context, hash string) (*References, error) {
	texts, err := r.referenceTexts(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("read the reference texts %.20q: %w", hash, err)
	}
	vectors, refused, err := r.Of(ctx, texts)
	if err != nil {
		return nil, err
	}
	if len(refused) > 0 {
		return nil, fmt.Errorf("embed the reference texts: the model refuses %d of them", len(refused))
	}
	return NewReferences(texts, vectors)
}

func (r *Remote) referenceTexts(ctx context.Context, hash string) (texts []string, err error) {
	key := referencesKey(r.wanted.prefix, hash)
	raw, err := r.wanted.client.GetRange(ctx, key, 0, maxReferences).Bytes()
	switch {
	case err != nil:
		return nil, err
	case len(raw) == 0:
		return nil, fmt.Errorf("not in Redis (key %s): an infer worker of this version writes them", key)
	}
	if err := json.Unmarshal(raw, &texts); err != nil {
		return nil, err
	}
	if HashTexts(texts) != hash {
		return nil, errors.New("their hash is another")
	}
	return texts, nil
}
