package vocab

import "fmt"

// NewMatrix is for labels that never change and whose texts' unit vectors, of
// one length, are known already: scored as a live vocabulary's are. Of equal
// similarities the first label's comes first.
func NewMatrix(name string, labels []Label, vectors map[string][]float32) (*Matrix, error) {
	known := make(map[string]*embedding, len(vectors))
	dim := 0
	for _, l := range labels {
		for _, text := range l.Texts() {
			v, ok := vectors[text]
			if !ok {
				return nil, fmt.Errorf("vocabulary %s: no embedding of %q", name, text)
			}
			if dim == 0 {
				dim = len(v)
			}
			if len(v) != dim || !isUnit(v) {
				return nil, fmt.Errorf("vocabulary %s: the embedding of %q is no unit vector of %d", name, text, dim)
			}
			known[text] = &embedding{vector: v}
		}
	}
	return newMatrix(Vocabulary{Name: name, Labels: labels}, known, bases{}), nil
}
