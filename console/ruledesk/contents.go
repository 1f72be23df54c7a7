package ruledesk

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Contents are what vocabularies hold, by name.
type Contents struct {
	of  map[string]*vocab.Vocabulary
	cfg config.Vocab
}

// ReadContents reads the default vocabulary, those of vocab.sets and those that cameras
// name. What can't be read is left out, and the error says why.
func ReadContents(ctx context.Context, s *vocab.Store, cfg config.Vocab, cameras []topics.Camera) (Contents, error) {
	names := map[string]bool{cfg.Name: true}
	for _, set := range cfg.Sets {
		names[set.Name] = true
	}
	for _, c := range cameras {
		names[cfg.Of(c)] = true
	}
	out, errs := Contents{of: map[string]*vocab.Vocabulary{}, cfg: cfg}, []error(nil)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		v, err := s.List(ctx, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out.of[name] = &v
	}
	return out, errors.Join(errs...)
}

// Words is a vocabulary by its name, nil where it could not be read; an empty name means
// the default one.
func (c Contents) Words(name string) *vocab.Vocabulary { return c.of[cmp.Or(name, c.cfg.Name)] }

// NameFor is the vocabulary of a camera. One that is not among those of the table of
// cameras has these tags, and names none itself.
func (c Contents) NameFor(table map[string]topics.Camera, camera string, tags []string) string {
	one, listed := table[camera]
	if !listed {
		one = topics.Camera{Name: camera, Tags: tags}
	}
	return c.cfg.Of(one)
}

// Names are those of the vocabularies, the default one first.
func (c Contents) Names() []string {
	out := []string{c.cfg.Name}
	for _, name := range slices.Sorted(maps.Keys(c.of)) {
		if name != c.cfg.Name {
			out = append(out, name)
		}
	}
	return out
}

// About are the labels that rules are about, and for each the vocabularies that have it
// so: nil where none has one of its name. Such labels count for rules that are tried
// alone, as they may be added yet; rules in force raise nothing for them.
func (c Contents) About(rules *alerts.RuleSet, tried bool) (labels []vocab.Label, in [][]string) {
	var missing []vocab.Label
	for _, name := range c.Names() {
		v := c.Words(name)
		if v == nil {
			continue
		}
		for _, l := range rules.About(v.Labels) {
			if !v.Has(l.Name) {
				missing = append(missing, l)
				continue
			}
			at := slices.IndexFunc(labels, func(o vocab.Label) bool { return reflect.DeepEqual(o, l) })
			if at < 0 {
				labels, in = append(labels, l), append(in, []string{name})
			} else {
				in[at] = append(in[at], name)
			}
		}
	}
	if !tried {
		missing = nil
	}
	for _, l := range missing {
		if !slices.ContainsFunc(labels, func(o vocab.Label) bool { return vocab.SameLabel(o.Name, l.Name) }) {
			labels, in = append(labels, l), append(in, nil)
		}
	}
	return labels, in
}

// Several is whether there is more than the default one.
func (c Contents) Several() bool { return len(c.Names()) > 1 }
