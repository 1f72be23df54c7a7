package alerts

import (
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// labelNames gives the names of labels numbers, so that the rules of an engine need not look
// up each name of a recognition for themselves.
type labelNames struct {
	numbers vocab.Numbers
	round   int // how often numbers were given anew
	// of is the recognition that is being evaluated, current its labels' numbers.
	of      []topics.LabelScore
	current []int32
}

// maxNames bounds the names that are remembered.
const maxNames = 4096

// see takes the recognition that is evaluated next.
func (n *labelNames) see(labels []topics.LabelScore) {
	n.makeRoom(len(labels))
	n.of, n.current = labels, n.current[:0]
	for i := range labels {
		n.current = append(n.current, n.numbers.Of(spot(&labels[i])))
	}
}

// makeRoom begins anew where so many more names would be too many.
func (n *labelNames) makeRoom(more int) {
	if n.numbers.Len()+more > maxNames {
		n.numbers = vocab.Numbers{}
		n.round++
	}
}

// are is whether the labels are those that see took last.
func (n *labelNames) are(labels []topics.LabelScore) bool {
	return n != nil && len(labels) == len(n.of) && len(labels) > 0 && &labels[0] == &n.of[0]
}

// picked remembers which labels a rule selects, by the numbers of their names: names
// are compared by their spelling, which takes longer than all the rest.
type picked struct {
	round int
	of    []pick // by number
}

type pick uint8

const (
	unknown pick = iota
	selected
	ignored
)

// indexes appends the indexes of the labels of the recognition that is evaluated that
// the rule selects, by their names.
func (p *picked) indexes(to []int, r *Rule, n *labelNames) []int {
	if p.round != n.round {
		*p = picked{round: n.round}
	}
	if have := n.numbers.Len(); len(p.of) < have {
		p.of = append(p.of, make([]pick, have-len(p.of))...)
	}
	for i, number := range n.current {
		if p.of[number] == unknown {
			p.of[number] = ignored
			if r.selects(&n.of[i]) {
				p.of[number] = selected
			}
		}
		if p.of[number] == selected {
			to = append(to, i)
		}
	}
	return to
}
