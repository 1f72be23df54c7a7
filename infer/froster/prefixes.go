package froster

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// prefixes are beginnings, all of the same length, that many texts share, with
// the keys and values that every layer computes for them: [2·layers, len(ids),
// length, width]. The templates have some thirty, of three lengths. In most
// texts the label's own words are the smaller part, so this saves most of the
// work.
type prefixes struct {
	length int
	ids    [][]int
	states []float32
}

// find returns the index of the prefix that a text begins with, or -1. At least
// one token, the end token, must be left after it.
func (p prefixes) find(ids []int) int {
	if len(ids) <= p.length {
		return -1
	}
	return slices.IndexFunc(p.ids, func(begin []int) bool { return slices.Equal(begin, ids[:p.length]) })
}

// learnPrefixes computes the prefixes for what all texts begin with: the start
// token, and the words of the templates before the label. The longest come
// first.
func (m *Model) learnPrefixes() error {
	start, err := m.startPrefix()
	if err != nil {
		return err
	}
	byLength := map[int][][]int{}
	// What the prompts of two different labels have in common is the template.
	one, other := m.templates.Prompts("a"), m.templates.Prompts("the")
	for i := range one {
		a, errA := m.tokenizer.Encode(one[i])
		b, errB := m.tokenizer.Encode(other[i])
		if err := errors.Join(errA, errB); err != nil {
			return fmt.Errorf("read the templates: %w", err)
		}
		n := common(a, b)
		if known := byLength[n]; n > 1 && !slices.ContainsFunc(known, func(k []int) bool { return slices.Equal(k, a[:n]) }) {
			byLength[n] = append(known, a[:n])
		}
	}
	m.prefixes = []prefixes{start}
	for n, ids := range byLength {
		p, err := m.continuePrefix(start, n, ids)
		if err != nil {
			return err
		}
		m.prefixes = append(m.prefixes, p)
	}
	slices.SortFunc(m.prefixes, func(a, b prefixes) int { return b.length - a.length })
	return nil
}

func common(a, b []int) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// startPrefix runs the start token alone. The graph needs a prefix, so it gets
// a dummy that the mask hides.
func (m *Model) startPrefix() (prefixes, error) {
	d := m.bundle.Dims
	start := []int{m.tokenizer.start}
	nothing := prefixes{length: 1, ids: [][]int{nil}, states: make([]float32, 2*d.TextLayers*d.TextWidth)}
	_, states, err := m.runTexts(textRun{
		prefixes: nothing, rows: []int{0}, tails: [][]int{start}, ends: []int{0}, first: 0,
		mask: []float32{float32(math.Inf(-1)), 0}, keep: 1,
	})
	if err != nil {
		return prefixes{}, fmt.Errorf("run the start token: %w", err)
	}
	return prefixes{length: 1, ids: [][]int{start}, states: states}, nil
}

// continuePrefix computes prefixes of n tokens, all of which begin with start.
func (m *Model) continuePrefix(start prefixes, n int, ids [][]int) (prefixes, error) {
	run := textRun{prefixes: start, first: 1, mask: causalMask(1, n-1), keep: len(ids)}
	for _, prefix := range ids {
		run.rows, run.tails, run.ends = append(run.rows, 0), append(run.tails, prefix[1:]), append(run.ends, 0)
	}
	_, states, err := m.runTexts(run)
	if err != nil {
		return prefixes{}, fmt.Errorf("run the templates: %w", err)
	}
	d := m.bundle.Dims
	p := prefixes{length: n, ids: ids, states: make([]float32, 0, 2*d.TextLayers*len(ids)*n*d.TextWidth)}
	for layer := range 2 * d.TextLayers {
		for i := range ids {
			p.states = append(p.states, start.states[layer*d.TextWidth:(layer+1)*d.TextWidth]...)
			at := (layer*len(ids) + i) * (n - 1) * d.TextWidth
			p.states = append(p.states, states[at:at+(n-1)*d.TextWidth]...)
		}
	}
	return p, nil
}

// causalMask lets each of length tokens see the prefix, itself and the tokens
// in between: [length, prefix+length].
func causalMask(prefix, length int) []float32 {
	mask := make([]float32, length*(prefix+length))
	for row := range length {
		for col := prefix + row + 1; col < prefix+length; col++ {
			mask[row*(prefix+length)+col] = float32(math.Inf(-1))
		}
	}
	return mask
}
