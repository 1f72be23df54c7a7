package vocab

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"

	"github.com/redis/go-redis/v9"
)

// cache keeps text embeddings in Redis, one hash per model, so that a text is
// embedded once for all workers and restarts: field = SHA-256 of the text,
// value = float32 little-endian. Entries of texts no longer used stay: 2 KB
// each, and people change their minds.
type cache struct {
	client redis.UniversalClient
	key    string
	dim    int
}

func field(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// get returns those that are there and sound; Redis is not trusted.
func (c cache) get(ctx context.Context, texts []string) (map[string][]float32, error) {
	found := map[string][]float32{}
	if len(texts) == 0 {
		return found, nil
	}
	fields := make([]string, len(texts))
	for i, t := range texts {
		fields[i] = field(t)
	}
	values, err := c.client.HMGet(ctx, c.key, fields...).Result()
	if err != nil {
		return nil, fmt.Errorf("read cached embeddings: %w", err)
	}
	for i, v := range values {
		if s, ok := v.(string); ok {
			if vector, ok := decode(s, c.dim); ok {
				found[texts[i]] = vector
			}
		}
	}
	return found, nil
}

func (c cache) put(ctx context.Context, vectors map[string][]float32) error {
	if len(vectors) == 0 {
		return nil
	}
	values := make([]any, 0, 2*len(vectors))
	for text, v := range vectors {
		raw := make([]byte, 0, 4*len(v))
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
		values = append(values, field(text), raw)
	}
	if err := c.client.HSet(ctx, c.key, values...).Err(); err != nil {
		return fmt.Errorf("cache embeddings: %w", err)
	}
	return nil
}

// decode accepts unit vectors of the right length only.
func decode(s string, dim int) ([]float32, bool) {
	if len(s) != 4*dim {
		return nil, false
	}
	v := make([]float32, dim)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32([]byte(s[4*i : 4*i+4])))
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
