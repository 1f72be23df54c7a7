package alerts

import "github.com/frostwatch/frostwatch/topics"

// labelNames gives the names of labels numbers, so that the rules of an engine need not look
// up each name of a recognition for themselves.
type labelNames struct {
	numbers map[string]int32
	round   int // how often numbers were given anew
	// of is the recognition that is being evaluated, current its labels' numbers.
	of      []topics.LabelScore
	current []int32
}

// maxNames bounds the names that are remembered.
const maxNames = 4096

// see takes the recognition that is evaluated next.
func (n *labelNames) see(labels []topics.LabelScore) {
	if n.numbers == nil || len(n.numbers)+len(labels) > maxNames {
		n.numbers = map[string]int32{}
		n.round++
	}
	n.of, n.current = labels, n.current[:0]
	for i := range labels {
		number, known := n.numbers[labels[i].Label]
		if !known {
			number = int32(len(n.numbers))
			n.numbers[labels[i].Label] = number
		}
		n.current = append(n.current, number)
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
	is    []bool // by number
	known []bool
}

// selects is whether the rule selects label i, by its name.
func (p *picked) selects(r *Rule, n *labelNames, i int) bool {
	if p.round != n.round {
		*p = picked{round: n.round}
	}
	number := int(n.current[i])
	for len(p.is) <= number {
		p.is, p.known = append(p.is, false), append(p.known, false)
	}
	if !p.known[number] {
		p.is[number], p.known[number] = r.selects(&n.of[i]), true
	}
	return p.is[number]
}
