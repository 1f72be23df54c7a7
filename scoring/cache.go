package scoring

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"github.com/redis/go-redis/v9"
)

// cache keeps text embeddings in Redis, one hash per model, so that a text is
// embedded once for all workers and restarts: field = SHA-256 of the text,
// value = float32 little-endian.
type cache struct {
	client redis.UniversalClient
	key    string
	dim    int
}

func newCache(client redis.UniversalClient, prefix, model string, dim int) cache {
	return cache{client: client, key: prefix + "embed:" + model, dim: dim}
}

func field(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// cacheChunk is how many embeddings are read in one answer: some 500 KB.
const cacheChunk = 256

// get calls use for each text that is there and sound; Redis is not trusted.
func (c cache) get(ctx context.Context, texts []string, use func(text string, vector []float32)) error {
	for chunk := range slices.Chunk(texts, cacheChunk) {
		fields := make([]string, len(chunk))
		for i, t := range chunk {
			fields[i] = field(t)
		}
		values, err := c.client.HMGet(ctx, c.key, fields...).Result()
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

// put keeps vectors for a day; note keeps them longer.
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
	if err := c.client.HSet(ctx, c.key, values...).Err(); err != nil {
		return fmt.Errorf("cache embeddings: %w", err)
	}
	return c.note(ctx, texts, keepAsked)
}

// decode accepts unit vectors of the right length only.
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

// isUnit is whether a vector has length 1, which no NaN and no infinity does.
func isUnit(v []float32) bool {
	norm := 0.0
	for _, x := range v {
		norm += float64(x) * float64(x)
	}
	return math.Abs(norm-1) < 1e-3
}
