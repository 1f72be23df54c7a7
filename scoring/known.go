package scoring

import "slices"

// embedding is a text's vector.
type embedding struct {
	vector  []float32
	nearest *nearest // nil until all base classes are embedded
}

// known are the embeddings of the texts in use, by text.
type known map[string]*embedding

// unknown are those of the texts that are not here, each once.
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
		if k[text] == nil { // what is nearest to it stays
			k[text] = &embedding{vector: v}
		}
	}
}

// keep drops all but the embeddings of these texts.
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
