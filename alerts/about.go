package alerts

import (
	"slices"

	"github.com/frostwatch/frostwatch/vocab"
)

// About are the labels that the rules are about: those that they name, as the
// vocabulary has them where it does, and those of the vocabulary that they select by
// tags. Labels that a rule selects because they are novel are not among them.
func (s *RuleSet) About(vocabulary []vocab.Label) (labels []vocab.Label) {
	add := func(l vocab.Label) {
		if !slices.ContainsFunc(labels, func(o vocab.Label) bool { return vocab.SameLabel(o.Name, l.Name) }) {
			labels = append(labels, l)
		}
	}
	for _, r := range s.all() {
		about := r.about()
		for _, name := range about.Labels {
			at := slices.IndexFunc(vocabulary, func(l vocab.Label) bool { return vocab.SameLabel(l.Name, name) })
			if at >= 0 {
				add(vocabulary[at])
			} else {
				add(vocab.Label{Name: name})
			}
		}
		for _, l := range vocabulary {
			if slices.ContainsFunc(about.Tags, func(t string) bool { return slices.Contains(l.Tags, t) }) {
				add(l)
			}
		}
	}
	return labels
}
