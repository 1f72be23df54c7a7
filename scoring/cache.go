package scoring

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// cache stores text embeddings in Redis, so that a text is embedded only once for
// all workers and across restarts. There is one hash per model: its fields are
// the SHA-256 of the text in hexadecimal, its values float32 little-endian.
type cache struct {
	client redis.UniversalClient
	key    string // of the hash
	dim    int    // length of a vector
}

func newCache(client redis.UniversalClient, prefix, model string, dim int) cache {
	return cache{client: client, key: prefix + "embed:" + model, dim: dim}
}

// field is the field of a text.
func field(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// cacheChunk is how many embeddings are read with one command: some 500 KB.
const cacheChunk = 256

// get calls use for each text whose vector is cached and valid. Values come from
// Redis, where anyone may have written them, so each is checked.
func (c cache) get(ctx context.Context, texts []string, use func(text string, vector []float32)) error {
	for chunk := range slices.Chunk(texts, cacheChunk) {
		fields := make([]string, len(chunk))
		for i, t := range chunk {
			fields[i] = field(t)
		}
		var values []any
		err := c.repaired(ctx, func() (err error) {
			values, err = c.client.HMGet(ctx, c.key, fields...).Result()
			return err
		})
		if err != nil {
			return fmt.Errorf("read cached embeddings: %w", err)
		}
		for i, v := range values {
			if s, ok := v.(string); ok {
				if vector, ok := decode(s, c.dim); ok {
					use(chunk[i], vector)
				}
			}
		}
	}
	return nil
}

// put stores vectors for keepAsked; note extends that.
func (c cache) put(ctx context.Context, vectors map[string][]float32) error {
	values, texts := make([]any, 0, 2*len(vectors)), make([]string, 0, len(vectors))
	for text, v := range vectors {
		texts = append(texts, text)
		raw := make([]byte, 0, 4*len(v))
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
		values = append(values, field(text), raw)
	}
	if err := c.repaired(ctx, func() error { return c.client.HSet(ctx, c.key, values...).Err() }); err != nil {
		return fmt.Errorf("cache embeddings: %w", err)
	}
	return c.note(ctx, texts, keepAsked)
}

// repairScript deletes a hash, KEYS[1], and a sorted set, KEYS[2], that are of
// another type.
var repairScript = redis.NewScript(`
for i, want in ipairs({'hash', 'zset'}) do
	if redis.call('TYPE', KEYS[i]).ok ~= want then redis.call('DEL', KEYS[i]) end
end
return 1`)

// repaired calls do, and calls it again if a key of the cache was of the wrong
// type, because anyone may have written it, and has been deleted.
func (c cache) repaired(ctx context.Context, do func() error) error {
	err := do()
	// Errors of scripts begin with WRONGTYPE or only contain it, depending on the
	// version of Redis.
	if err == nil || !strings.Contains(err.Error(), "WRONGTYPE") {
		return err
	}
	if err := repairScript.Run(ctx, c.client, []string{c.key, c.times()}).Err(); err != nil {
		return fmt.Errorf("replace a key of the wrong type: %w", err)
	}
	return do()
}

// decode parses a cached value; false unless it is a unit vector of dim numbers.
func decode(s string, dim int) ([]float32, bool) {
	if len(s) != 4*dim {
		return nil, false
	}
	v := make([]float32, dim)
	for i := range v {
		p := s[4*i : 4*i+4]
		v[i] = math.Float32frombits(uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24)
	}
	return v, isUnit(v)
}

// isUnit reports whether a vector has length 1, within rounding. It is false if
// the vector contains NaN or an infinity.
func isUnit(v []float32) bool {
	norm := 0.0
	for _, x := range v {
		norm += float64(x) * float64(x)
	}
	return math.Abs(norm-1) < 1e-3
}
