package scoring

import (
	"slices"
	"sync"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Watched says which labels the rules for a camera are about. It never changes; a
// matrix works out once which of its labels it means.
type Watched struct {
	labels map[string]bool // by vocab.Spelling
	tags   map[string]bool
	novel  bool
}

// NewWatched makes one of the labels, tags and novel of all the rules for a camera.
// As in rules, case does not matter in labels.
func NewWatched(labels, tags []string, novel bool) *Watched {
	w := &Watched{labels: map[string]bool{}, tags: map[string]bool{}, novel: novel}
	for _, l := range labels {
		w.labels[vocab.Spelling(l)] = true
	}
	for _, t := range tags {
		w.tags[t] = true
	}
	return w
}

func (w *Watched) means(e entry) bool { return w.covers(e.Name, e.Tags, e.Background, e.novel) }

// Means is whether a label of a result is watched.
func (w *Watched) Means(l topics.LabelScore) bool {
	return w.covers(l.Label, l.Tags, l.Background, l.Novel)
}

func (w *Watched) covers(name string, tags []string, background, novel bool) bool {
	switch {
	case w.labels[vocab.Spelling(name)]:
		return true
	case background:
		return false
	case w.novel && novel:
		return true
	}
	return slices.ContainsFunc(tags, func(t string) bool { return w.tags[t] })
}

// watchCache holds which labels of a matrix are watched, by index, ascending.
type watchCache struct {
	mu    sync.Mutex
	known map[*Watched][]int
}

// maxCached bounds what a matrix remembers of cameras that have been changed or
// removed since it was made.
const maxCached = 10_000

// watched returns the labels that are watched, by index, topics.MaxLabels at most.
func (m *Matrix) watched(w *Watched) []int {
	if w == nil {
		return nil
	}
	m.watch.mu.Lock()
	defer m.watch.mu.Unlock()
	if indexes, known := m.watch.known[w]; known {
		return indexes
	}
	var indexes []int
	for i, e := range m.labels {
		if len(indexes) < topics.MaxLabels && w.means(e) {
			indexes = append(indexes, i)
		}
	}
	if m.watch.known == nil || len(m.watch.known) >= maxCached {
		m.watch.known = map[*Watched][]int{}
	}
	m.watch.known[w] = indexes
	return indexes
}

// withWatched adds to the best labels those that are watched, the most similar
// first; of equal ones, those that come first in the matrix.
func (m *Matrix) withWatched(clip []float32, best []ranked, w *Watched) []ranked {
	watched := m.watched(w)
	if len(watched) == 0 {
		return best
	}
	listed := make(map[int]bool, len(best))
	for _, b := range best {
		listed[b.label] = true
	}
	var more []ranked
	for _, i := range watched {
		if !listed[i] && len(best)+len(more) < topics.MaxLabels {
			more = append(more, ranked{i, m.words[i].Similarity(clip)})
		}
	}
	slices.SortFunc(more, ranked.compare)
	return append(best, more...)
}
