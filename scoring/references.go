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

// closeShare is the share of the reference texts whose nearest neighbour among
// them is further away than the distance that counts as too close to a label.
const closeShare = 0.5

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
	r.hash, r.close = hashTexts(r.texts), r.spacing()
	return r, nil
}

// hashTexts identifies texts and their order.
func hashTexts(texts []string) string {
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

// spacing is the cosine that a closeShare of the texts don't reach with any other
// of them. It follows from the model: cosines of texts are 0.6 to 0.95 for one
// CLIP and 0 to 0.9 for another.
func (r *References) spacing() float64 {
	nearest := make([]float64, len(r.vectors))
	for i := range nearest {
		nearest[i] = math.Inf(-1)
	}
	for i, a := range r.vectors {
		for j := range i {
			c := float64(dot(a, r.vectors[j]))
			nearest[i], nearest[j] = max(nearest[i], c), max(nearest[j], c)
		}
	}
	slices.Sort(nearest)
	return nearest[int(closeShare*float64(len(nearest)))]
}

// tooClose returns the texts that say about the same as a text of a label, by
// index, ascending.
func (r *References) tooClose(label []float32) (out []int) {
	for i, v := range r.vectors {
		if float64(dot(v, label)) >= r.close {
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
		terms = append(terms, float64(scale)*float64(dot(clip, v)))
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
