package scoring

import (
	"math"

	"github.com/frostwatch/frostwatch/vocab"
)

// bases are the classes that the model was trained on.
type bases struct {
	names   map[string]bool // by vocab.Spelling
	texts   []string        // classes that are embedded; empty until all are
	vectors [][]float32     // of texts
}

func newBases(classes []string) bases {
	b := bases{names: make(map[string]bool, len(classes))}
	for _, c := range classes {
		b.names[vocab.Spelling(c)] = true
	}
	return b
}

// embedded is b with the vectors of those classes that could be embedded.
func (b bases) embedded(classes []string, vectors map[string][]float32) bases {
	b.texts, b.vectors = nil, nil
	for _, c := range classes {
		if v := vectors[c]; v != nil {
			b.texts, b.vectors = append(b.texts, c), append(b.vectors, v)
		}
	}
	return b
}

// nearest is the base class most similar to a text.
type nearest struct {
	name       string
	similarity float64
}

// nearestTo finds the base class most similar to a text. The result is stored in
// the embedding, because base classes do not change.
func (b bases) nearestTo(e *embedding) nearest {
	if len(b.texts) == 0 {
		return nearest{}
	}
	if e.nearest == nil {
		best, at := float32(math.Inf(-1)), 0
		for i, base := range b.vectors {
			if s := Dot(base, e.vector); s > best {
				best, at = s, i
			}
		}
		e.nearest = &nearest{b.texts[at], float64(best)}
	}
	return *e.nearest
}
