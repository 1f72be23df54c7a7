package froster

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"
)

// textBatch is how many labels, of 29 texts each, a thread has before the next
// look at whether clips want the processor.
const textBatch = 4

// EmbedLabels gives the unit embedding of each class text ("label" or "label:
// description") through the prompt ensemble, [dim]. A text that can't be read
// has a nil embedding and its reason, a *TextError, in problems at its place;
// err is for what concerns them all. It stops between runs when ctx ends. While
// clips are being embedded it takes a small share of the time only.
func (m *Model) EmbedLabels(ctx context.Context, texts []string) (vectors [][]float32, problems []error, err error) {
	vectors, problems = make([][]float32, len(texts)), make([]error, len(texts))
	var ready []int
	tokens := make([][][]int, len(texts))
	for i, text := range texts {
		if tokens[i], problems[i] = m.tokens(text); problems[i] == nil {
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
			vectors[i] = ensemble(features[k*promptsPerLabel : (k+1)*promptsPerLabel])
		}
	}
	return vectors, problems, nil
}

func (m *Model) tokens(text string) ([][]int, error) {
	out := make([][]int, 0, promptsPerLabel)
	for _, prompt := range Prompts(text) {
		ids, err := m.tokenizer.Encode(prompt)
		if err != nil {
			var long *TextError
			if errors.As(err, &long) {
				// The user wrote the label, not the prompt around it.
				return nil, &TextError{Text: text, Tokens: long.Tokens, Limit: long.Limit}
			}
			return nil, err
		}
		out = append(out, ids)
	}
	return out, nil
}

// textsPerRun is how many texts of about the same length share a run: enough for
// matrices that multiply at full speed, few enough for equal lengths.
const textsPerRun = 32

// embedTokens runs the text tower over texts, up to parallel runs at once. A run
// is cut after its longest text, so short and long ones go apart.
func (m *Model) embedTokens(texts [][]int, parallel int) ([][]float32, error) {
	order := make([]int, len(texts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(texts[a]) - len(texts[b]) })
	out := make([][]float32, len(texts))
	var g errgroup.Group
	g.SetLimit(parallel)
	for run := range slices.Chunk(order, textsPerRun) {
		g.Go(func() error { return m.runTexts(texts, run, out) })
	}
	return out, g.Wait()
}

// runTexts embeds those texts whose places run lists, the longest last.
func (m *Model) runTexts(texts [][]int, run []int, out [][]float32) error {
	length := len(texts[run[len(run)-1]])
	tokens, ends := make([]int64, len(run)*length), make([]int64, 0, 2*len(run))
	end := m.tokenizer.ids[endToken]
	for row, i := range run {
		for k, id := range texts[i] {
			tokens[row*length+k] = int64(id)
		}
		// The first end token is where the feature is read, also where the text
		// itself contains one.
		ends = append(ends, int64(row), int64(slices.Index(texts[i], end)))
	}
	features, err := m.text.run(input{[]int{len(run), length}, tokens}, input{[]int{len(run), 2}, ends})
	if err != nil {
		return err
	}
	dim := m.bundle.Dims.EmbedDim
	for row, i := range run {
		out[i] = features[0][row*dim : (row+1)*dim]
	}
	return nil
}

// ensemble is the unit mean of unit vectors.
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
