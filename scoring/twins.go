package scoring

import (
	"math"
	"slices"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Twins are labels that say the same to the model: they have texts whose cosine is
// above vocab.Alike. In the softmax they would share what one of them would have
// alone, so that a synonym halves a score. They count once there, and each has the
// score that it would have without the others. A background label is no twin of one
// that is not: it is there to take its share.

// twins finds the labels of a vocabulary that are twins. It compares only texts that
// are new.
type twins struct{ background, other alikeTexts }

// group returns the group of each label, counted from 0, and how many there are; -1
// for a label that has no twin. Labels that are alike to a third one are in one group,
// so a label that is alike to none changes no group. All texts are in k.
func (t *twins) group(labels []vocab.Label, k known) (group []int32, count int) {
	group = make([]int32, len(labels))
	for _, background := range []bool{false, true} {
		texts, set := []string{}, &t.other
		if background {
			set = &t.background
		}
		for _, l := range labels {
			if l.Background == background {
				texts = append(texts, l.Texts()...)
			}
		}
		set.update(texts, k)
		count = set.group(labels, background, group, count)
	}
	return group, count
}

// maxTwins bounds the texts that are compared with each other when a worker starts:
// 10,000 vectors of 512 numbers take 1.1 s of a core, and a text that is added later
// 10 ms. A larger vocabulary has no twins.
const maxTwins = 10_000

// join finds the twins among the labels of m. All their texts are in k.
func (t *twins) join(m *Matrix, k known) {
	labels, texts := m.Labels(), 0
	for _, l := range labels {
		texts += 1 + len(l.Aliases)
	}
	if texts > maxTwins {
		*t = twins{}
		return
	}
	group, count := t.group(labels, k)
	m.twins, m.groups = group, make([]bool, count)
	for i, g := range group {
		if g >= 0 {
			m.groups[g] = m.background[i]
		}
	}
}

// newGroups are similarities of groups, lower than any.
func (m *Matrix) newGroups() []float64 {
	if len(m.groups) == 0 {
		return nil
	}
	out := make([]float64, len(m.groups))
	for g := range out {
		out[g] = math.Inf(-1)
	}
	return out
}

// alikeTexts finds which texts are connected by being alike: each to the next, if not
// each to each.
type alikeTexts struct {
	index   map[string]int
	texts   []string
	vectors [][]float32
	sets    sets // of texts that are connected
}

// update replaces the texts. Only those that are new are compared, with all.
func (t *alikeTexts) update(texts []string, k known) {
	wanted := make(map[string]bool, len(texts))
	for _, text := range texts {
		wanted[text] = true
	}
	again := t.drop(wanted)
	from := len(t.texts)
	for _, text := range slices.Concat(again, texts) {
		if _, is := t.index[text]; !is {
			t.index[text] = len(t.texts)
			t.texts, t.vectors, t.sets = append(t.texts, text), append(t.vectors, k[text].vector), append(t.sets, len(t.texts))
		}
	}
	t.compare(from)
}

// drop removes the texts that are not wanted, and those that were connected with
// them, which are returned: what connects these now has to be found anew.
func (t *alikeTexts) drop(wanted map[string]bool) (again []string) {
	broken := map[int]bool{}
	for i, text := range t.texts {
		if !wanted[text] {
			broken[t.sets.first(i)] = true
		}
	}
	kept := alikeTexts{index: make(map[string]int, len(wanted))}
	place := make([]int, len(t.texts))
	for i, text := range t.texts {
		switch {
		case !broken[t.sets.first(i)]:
			place[i] = len(kept.texts)
			kept.index[text] = place[i]
			kept.texts, kept.vectors = append(kept.texts, text), append(kept.vectors, t.vectors[i])
			kept.sets = append(kept.sets, t.sets.first(i)) // in the old numbers
		case wanted[text]:
			again = append(again, text)
		}
	}
	for i, old := range kept.sets {
		kept.sets[i] = place[old]
	}
	*t = kept
	return again
}

// tile is how many vectors are compared with all new ones before the next are fetched,
// a multiple of four: 64 vectors of 768 numbers stay in a core's cache.
const tile = 64

// compare connects the texts from a number on with each other and with those before
// them.
func (t *alikeTexts) compare(from int) {
	if from == len(t.texts) {
		return
	}
	dim := len(t.vectors[from])
	if !canScreen(dim) {
		for a := from; a < len(t.texts); a++ {
			for b := range a {
				t.connect(a, b)
			}
		}
		return
	}
	fresh := make([]byte, 0, 2*dim*(len(t.texts)-from)) // of float16, [new texts, dim]
	for _, v := range t.vectors[from:] {
		fresh = topics.AppendFloat16(fresh, v)
	}
	columns := make([]float32, tile*dim)
	for b := 0; b < len(t.texts); b += tile {
		for i, v := range t.vectors[b:min(b+tile, len(t.texts))] {
			copy(columns[i*dim:], v)
		}
		for a := max(from, b+1); a < len(t.texts); a++ {
			t.screen(a, b, fresh[2*dim*(a-from):], columns)
		}
	}
}

// roughly is below vocab.Alike by more than float16 makes a cosine differ.
const roughly = vocab.Alike - 2e-3

// screen connects a text with those of the tile at b that come before it. row is its
// vector in float16, columns those of the tile.
func (t *alikeTexts) screen(a, b int, row []byte, columns []float32) {
	dim := len(t.vectors[a])
	var out [5]float32
	for last := min(b+tile, a); b < last; b, columns = b+4, columns[4*dim:] {
		dots4(&out, &row[0], &columns[0], dim)
		for i, rough := range out[:min(4, last-b)] {
			if rough > roughly {
				t.connect(a, b+i)
			}
		}
	}
}

// connect connects two texts if they are alike.
func (t *alikeTexts) connect(a, b int) {
	if t.sets.first(a) != t.sets.first(b) && Dot(t.vectors[a], t.vectors[b]) > vocab.Alike {
		t.sets.join(a, b)
	}
}

// group sets the groups of the labels that are background, or of the others, and
// numbers them from count on in the order of their first labels.
func (t *alikeTexts) group(labels []vocab.Label, background bool, group []int32, count int) int {
	// A label connects what its own texts are connected with.
	own, first := newSets(len(labels)), map[int]int{} // first: label by connected texts
	for i, l := range labels {
		if l.Background != background {
			continue
		}
		for _, text := range l.Texts() {
			texts := t.sets.first(t.index[text])
			if _, is := first[texts]; !is {
				first[texts] = i
			}
			own.join(i, first[texts])
		}
	}
	size := make([]int, len(labels))
	for i := range labels {
		size[own.first(i)]++
	}
	for i, l := range labels {
		switch r := own.first(i); {
		case l.Background != background:
		case size[r] == 1:
			group[i] = -1
		case r == i: // the first of its group
			group[i] = int32(count)
			count++
		default:
			group[i] = group[r]
		}
	}
	return count
}
