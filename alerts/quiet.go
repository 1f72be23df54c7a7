package alerts

import (
	"math"
	"slices"

	"github.com/frostwatch/frostwatch/topics"
)

// Most clips are quiet: none of their labels reaches what any rule of the camera raises
// at. What a rule of most kinds makes of such a clip without an open alert is known
// beforehand, so that the clip is not shown to each rule. Whether it would have kept an
// alert open does not matter: one can be raised only by a clip after it, which keeps that
// open for longer.

// floor are the values from which on a label of a clip matters to a rule of a camera.
type floor struct {
	contrast, score, similarity float64
	known                       bool
}

// reached is whether the label's result matters.
func (f *floor) reached(l *topics.LabelScore) bool {
	return l.Contrast >= f.contrast || l.Score >= f.score || l.Similarity >= f.similarity
}

// lower makes values of a measure matter from a value on.
func (f *floor) lower(m Measure, to float64) {
	switch m {
	case ByScore:
		f.score = min(f.score, to)
	case BySimilarity:
		f.similarity = min(f.similarity, to)
	default:
		f.contrast = min(f.contrast, to)
	}
}

// floors are those of one camera, by the numbers of labels.
type floors struct {
	round int // of the numbers
	of    []floor
}

// forget is called when the camera's rules or their levels change.
func (f *floors) forget() { f.of = f.of[:0] }

// floor is that of a label with a number on the camera.
func (c *camera) floor(number, round int, l *topics.LabelScore) *floor {
	f := &c.floors
	if number < len(f.of) && f.round == round && f.of[number].known {
		return &f.of[number]
	}
	return c.learn(number, round, l)
}

func (c *camera) learn(number, round int, l *topics.LabelScore) *floor {
	f := &c.floors
	if f.round != round {
		f.forget()
		f.round = round
	}
	for len(f.of) <= number {
		f.of = append(f.of, floor{})
	}
	f.of[number] = c.lowest(l)
	return &f.of[number]
}

// lowest works a label's floor out.
func (c *camera) lowest(l *topics.LabelScore) floor {
	f := floor{math.Inf(1), math.Inf(1), math.Inf(1), true}
	for _, w := range c.rules {
		for _, part := range w.rule.Parts() {
			if part.selects(l) {
				j := judge{rule: part, own: w.judge.own}
				raise, _ := j.levels(l)
				f.lower(part.Measure(), raise)
			}
		}
	}
	return f
}

// isQuiet is whether no label of the clip matters to a rule of its camera.
func (e *Engine) isQuiet(c *camera, rec *topics.Recognition) bool {
	e.names.makeRoom(len(rec.Labels))
	e.chosen.follow(&e.names)
	for i := range rec.Labels {
		l := &rec.Labels[i]
		switch number := e.chosen.number(l, &e.names, e.rules); number {
		case notChosen:
		case notCounted:
			return false
		default:
			if c.floor(int(number), e.chosen.round, l).reached(l) {
				return false
			}
		}
	}
	return true
}

// chosen gives numbers to the labels that any of the rules is about.
type chosen struct {
	of    [][]numbered // by the numbers of names
	given int
	round int // how often numbers were given anew
	names int // round of the names
}

// numbered is all of a label but its name that decides which rules are about it, and what
// they raise at.
type numbered struct {
	tags              []string
	novel, background bool
	threshold         float64
	number            int32
}

const (
	notChosen  = -1 // no rule is about the label
	notCounted = -2 // there are too many
	// maxChosen bounds the numbers, and with them the floors of a camera.
	maxChosen = 512
	// maxAlike bounds the labels of one name.
	maxAlike = 16
)

func (n *numbered) is(l *topics.LabelScore) bool {
	return n.novel == l.Novel && n.background == l.Background && n.threshold == l.Threshold && sameTags(n.tags, l.Tags)
}

// sameTags does not compare tags that share their memory, as those of one archive file do.
func sameTags(a, b []string) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || slices.Equal(a, b))
}

// number is the label's: from 0 on, or one of the two above.
func (c *chosen) number(l *topics.LabelScore, names *labelNames, rules *RuleSet) int32 {
	name := int(names.numbers.Of(spot(l)))
	if name >= len(c.of) {
		c.of = append(c.of, make([][]numbered, name+1-len(c.of))...)
	}
	alike := c.of[name]
	for i := range alike {
		if alike[i].is(l) {
			return alike[i].number
		}
	}
	return c.add(name, l, rules)
}

func (c *chosen) add(name int, l *topics.LabelScore, rules *RuleSet) int32 {
	n := numbered{tags: l.Tags, novel: l.Novel, background: l.Background, threshold: l.Threshold, number: notChosen}
	if slices.ContainsFunc(rules.all(), func(r *rule) bool {
		return slices.ContainsFunc(r.Parts(), func(part Rule) bool { return part.selects(l) })
	}) {
		if n.number = notCounted; c.given < maxChosen {
			n.number = int32(c.given)
			c.given++
		}
	}
	if len(c.of[name]) == maxAlike {
		c.of[name] = c.of[name][:0]
	}
	c.of[name] = append(c.of[name], n)
	return n.number
}

// follow begins anew where names were given other numbers.
func (c *chosen) follow(names *labelNames) {
	if c.names != names.round {
		c.forget()
		c.names = names.round
	}
}

// forget is called when the rules change.
func (c *chosen) forget() { *c = chosen{round: c.round + 1, names: c.names} }
