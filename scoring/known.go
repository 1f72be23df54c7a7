package scoring

import "slices"

// embedding is a text's vector.
type embedding struct {
	vector  []float32
	nearest *nearest // nil until all base classes are embedded
	// close are the reference texts that say about the same; against are the
	// references that it was worked out for, nil for none.
	close   []int
	against *References
}

// tooClose are the reference texts that say about the same as e, worked out once.
func (e *embedding) tooClose(r *References) []int {
	if e.against != r {
		e.close, e.against = r.tooClose(e.vector), r
	}
	return e.close
}

// known holds the embeddings of the texts in use, by text.
type known map[string]*embedding

// unknown are the texts without an embedding in k, each listed once.
func (k known) unknown(texts []string) []string {
	var out []string
	asked := map[string]bool{}
	for _, t := range texts {
		if k[t] == nil && !asked[t] {
			asked[t] = true
			out = append(out, t)
		}
	}
	return out
}

func (k known) add(vectors map[string][]float32) {
	for text, v := range vectors {
		if k[text] == nil { // otherwise keep its nearest base class
			k[text] = &embedding{vector: v}
		}
	}
}

// keep deletes all embeddings but those of these texts.
func (k known) keep(texts ...[]string) {
	kept := make(map[string]bool, len(k))
	for _, t := range slices.Concat(texts...) {
		kept[t] = true
	}
	for t := range k {
		if !kept[t] {
			delete(k, t)
		}
	}
}
