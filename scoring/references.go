package scoring

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"slices"
)

// References are the fixed texts that a label's contrast is taken against. They
// belong to a model and never change.
type References struct {
	hash    string
	texts   []string
	vectors [][]float32 // of length 1, in the order of texts
	close   float64     // cosine with a label from which on a text is too close to it
}

const (
	// closerThan is the share of the pairs of reference texts that a text has to be
	// closer than to a label to be too close to it (docs/accuracy.md, "Contrast").
	closerThan = 0.97
	// maxCompared is how many texts are compared with each other at most: 10,000
	// base classes make 50 million pairs.
	maxCompared = 1000
)

// NewReferences makes references of texts and their vectors of length 1. Texts
// without a vector, which the model refuses, are left out, and duplicates.
func NewReferences(texts []string, vectors map[string][]float32) (*References, error) {
	r := &References{}
	listed := map[string]bool{}
	for _, t := range texts {
		v := vectors[t]
		if v == nil || listed[t] {
			continue
		}
		if !isUnit(v) || len(r.vectors) > 0 && len(v) != len(r.vectors[0]) {
			return nil, fmt.Errorf("reference texts: the embedding of %q is not a unit vector of the others' length", t)
		}
		listed[t] = true
		r.texts, r.vectors = append(r.texts, t), append(r.vectors, v)
	}
	if len(r.texts) < 2 {
		return nil, fmt.Errorf("reference texts: %d are embedded, want at least 2", len(r.texts))
	}
	r.hash, r.close = HashTexts(r.texts), r.spacing()
	return r, nil
}

// HashTexts identifies texts and their order.
func HashTexts(texts []string) string {
	h := sha256.New()
	for _, t := range texts {
		_, _ = io.WriteString(h, t+"\n") // writing to a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Hash identifies the texts. With the same model it gives the same contrasts.
func (r *References) Hash() string { return r.hash }

// Len is the number of texts.
func (r *References) Len() int { return len(r.texts) }

// spacing is the cosine that closerThan of the pairs of texts don't exceed. It
// follows from the model: cosines of texts are 0.6 to 0.95 for one CLIP and -0.5 to
// 1 for another, so no constant suits both.
func (r *References) spacing() float64 {
	var cosines []float64
	step := (len(r.vectors)-1)/maxCompared + 1
	for i := 0; i < len(r.vectors); i += step {
		for j := 0; j < i; j += step {
			cosines = append(cosines, float64(Dot(r.vectors[i], r.vectors[j])))
		}
	}
	slices.Sort(cosines)
	return cosines[int(math.Ceil(closerThan*float64(len(cosines))))-1]
}

// tooClose returns the texts that say about the same as a text of a label, by
// index, ascending.
func (r *References) tooClose(label []float32) (out []int) {
	for i, v := range r.vectors {
		if float64(Dot(v, label)) >= r.close {
			out = append(out, i)
		}
	}
	return out
}

// Logit is the logarithm of the sum, over all texts, of e to the power of
// scale · similarity to the clip.
func (r *References) Logit(clip []float32, scale float32) float64 { return r.logit(clip, scale, nil) }

// logit is Logit without some texts, by index, ascending; -Inf if none is left.
func (r *References) logit(clip []float32, scale float32, without []int) float64 {
	terms := make([]float64, 0, len(r.vectors))
	for i, v := range r.vectors {
		if len(without) > 0 && without[0] == i {
			without = without[1:]
			continue
		}
		terms = append(terms, float64(scale)*float64(Dot(clip, v)))
	}
	if len(terms) == 0 {
		return math.Inf(-1)
	}
	top, sum := slices.Max(terms), 0.0
	for _, t := range terms {
		sum += math.Exp(t - top)
	}
	return top + math.Log(sum)
}
