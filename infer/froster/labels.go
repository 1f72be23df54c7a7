package froster

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"
)

// textBatch is how many labels, of some 29 texts each, a thread embeds before it
// checks again whether clips need the processor.
const textBatch = 4

// EmbedLabels returns the unit embedding, [dim], of each class text ("label" or
// "label: description"), averaged over the prompts. A text that the model can't
// read has a nil vector and the reason, a *TextError, at its index in problems;
// err is for failures of the whole call. EmbedLabels stops between two runs
// when ctx ends. While clips are being embedded it takes only a small share of
// the time.
func (m *Model) EmbedLabels(ctx context.Context, texts []string) (vectors [][]float32, problems []error, err error) {
	return m.EmbedLabelsBy(ctx, m.templates, texts)
}

// EmbedLabelsBy is EmbedLabels with templates that are not the model's.
func (m *Model) EmbedLabelsBy(ctx context.Context, by Templates, texts []string) (vectors [][]float32, problems []error, err error) {
	if err := by.check(); err != nil {
		return nil, nil, fmt.Errorf("embed labels: %w", err)
	}
	vectors, problems = make([][]float32, len(texts)), make([]error, len(texts))
	var ready []int
	tokens := make([][][]int, len(texts))
	for i, text := range texts {
		if tokens[i], problems[i] = m.tokens(by, text); problems[i] == nil {
			ready = append(ready, i)
		}
	}
	for len(ready) > 0 {
		busy, ended, err := m.pace.texts(ctx)
		if err != nil {
			return nil, nil, err
		}
		chunk, parallel := ready[:min(textBatch*m.threads, len(ready))], m.threads
		if busy {
			chunk, parallel = ready[:1], 1
		}
		ready = ready[len(chunk):]
		var all [][]int
		for _, i := range chunk {
			all = append(all, tokens[i]...)
		}
		features, err := m.embedTokens(all, parallel)
		ended()
		if err != nil {
			return nil, nil, fmt.Errorf("embed labels: %w", err)
		}
		for k, i := range chunk {
			vectors[i] = ensemble(features[k*len(by) : (k+1)*len(by)])
		}
	}
	return vectors, problems, nil
}

func (m *Model) tokens(by Templates, text string) ([][]int, error) {
	out := make([][]int, 0, len(by))
	for _, prompt := range by.Prompts(text) {
		ids, err := m.tokenizer.Encode(prompt)
		if err != nil {
			var long *TextError
			if errors.As(err, &long) {
				// The message quotes the label that the user wrote, not the
				// prompt around it.
				return nil, &TextError{Text: text, Tokens: long.Tokens, Limit: long.Limit}
			}
			return nil, err
		}
		out = append(out, ids)
	}
	return out, nil
}

// textsPerRun is how many texts share a run: enough for matrices that multiply
// at full speed, few enough that texts of one run have similar lengths.
const textsPerRun = 64

// embedTokens runs the text tower over texts, with up to parallel runs at once.
// The texts of a run begin with prefixes of the same length. A run is as long
// as its longest text, so texts are sorted by length first.
func (m *Model) embedTokens(texts [][]int, parallel int) ([][]float32, error) {
	out := make([][]float32, len(texts))
	groups := make([][]int, len(m.prefixes)) // indexes of texts
	rows := make([]int, len(texts))
	for i, ids := range texts {
		g := 0
		for ; g < len(m.prefixes); g++ {
			if rows[i] = m.prefixes[g].find(ids); rows[i] >= 0 {
				break
			}
		}
		if g == len(m.prefixes) {
			return nil, errors.New("a text without its start token")
		}
		groups[g] = append(groups[g], i)
	}
	var g errgroup.Group
	g.SetLimit(parallel)
	for at, group := range groups {
		slices.SortStableFunc(group, func(a, b int) int { return len(texts[a]) - len(texts[b]) })
		for run := range slices.Chunk(group, textsPerRun) {
			g.Go(func() error { return m.embedRun(m.prefixes[at], texts, rows, run, out) })
		}
	}
	return out, g.Wait()
}

// embedRun embeds the texts whose indexes run lists, the longest last.
func (m *Model) embedRun(p prefixes, texts [][]int, rows, run []int, out [][]float32) error {
	longest := len(texts[run[len(run)-1]]) - p.length
	r := textRun{prefixes: p, first: p.length, mask: causalMask(p.length, longest), keep: 1}
	end := m.tokenizer.end
	for _, i := range run {
		tail := texts[i][p.length:]
		// The feature is read at the first end token, even if the text itself
		// contains one.
		r.ends = append(r.ends, slices.Index(tail, end))
		r.rows = append(r.rows, rows[i])
		r.tails = append(r.tails, append(slices.Clip(tail), make([]int, longest-len(tail))...))
	}
	features, _, err := m.runTexts(r)
	if err != nil {
		return err
	}
	dim := m.bundle.Dims.EmbedDim
	if err := sized("texts", features, len(run)*dim); err != nil {
		return err
	}
	for row, i := range run {
		out[i] = features[row*dim : (row+1)*dim]
	}
	return nil
}

// textRun is one run of the text tower; all its tails have the same length.
type textRun struct {
	prefixes prefixes
	rows     []int     // each text's prefix, a row of the table
	tails    [][]int   // token ids after it
	ends     []int     // place of each end token in its tail
	first    int       // position of the tails' first token
	mask     []float32 // [length, prefix+length]
	keep     int       // how many texts' states are wanted
}

func textInputs() []string {
	return []string{inTokens, inPositions, inEnds, inMask, inTable, inPrefixes, inKeep}
}

// runTexts returns the features, [texts, embed], and the states, [2·layers,
// keep, length, width].
func (m *Model) runTexts(r textRun) (features, states []float32, err error) {
	d, n, length := m.bundle.Dims, len(r.tails), len(r.tails[0])
	var tokens, positions, ends, rows []int64
	for i, tail := range r.tails {
		for _, id := range tail {
			tokens = append(tokens, int64(id))
		}
		ends, rows = append(ends, int64(i), int64(r.ends[i])), append(rows, int64(r.rows[i]))
	}
	for k := range length {
		positions = append(positions, int64(r.first+k))
	}
	p := r.prefixes
	out, err := m.text.run(
		input{[]int{n, length}, tokens}, input{[]int{length}, positions}, input{[]int{n, 2}, ends},
		input{[]int{1, 1, length, p.length + length}, r.mask},
		input{[]int{2 * d.TextLayers, len(p.ids), p.length, d.TextWidth}, p.states},
		input{[]int{n}, rows}, input{[]int{1}, []int64{int64(r.keep)}},
	)
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1], nil
}

// ensemble is the mean of unit vectors, scaled to length 1.
func ensemble(features [][]float32) []float32 {
	sum := make([]float64, len(features[0]))
	for _, f := range features {
		for d, v := range f {
			sum[d] += float64(v)
		}
	}
	length := 0.0
	for _, v := range sum {
		length += v * v
	}
	length = math.Sqrt(length)
	out := make([]float32, len(sum))
	for d, v := range sum {
		out[d] = float32(v / length)
	}
	return out
}
