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

func (c cache) put(ctx context.Context, vectors map[string][]float32) error {
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
