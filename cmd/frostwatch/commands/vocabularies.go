package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// contents are what vocabularies hold, by name.
type contents struct {
	of  map[string]*vocab.Vocabulary
	cfg config.Vocab
}

// readContents reads the default vocabulary, those of vocab.sets and those that cameras
// name. What can't be read is left out, and the error says why.
func readContents(ctx context.Context, s *vocab.Store, cfg config.Vocab, cameras []topics.Camera) (contents, error) {
	names := map[string]bool{cfg.Name: true}
	for _, set := range cfg.Sets {
		names[set.Name] = true
	}
	for _, c := range cameras {
		names[cfg.Of(c)] = true
	}
	out, errs := contents{of: map[string]*vocab.Vocabulary{}, cfg: cfg}, []error(nil)
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

// words is a vocabulary by its name, nil where it could not be read; an empty name means
// the default one.
func (c contents) words(name string) *vocab.Vocabulary { return c.of[cmp.Or(name, c.cfg.Name)] }

// nameFor is the vocabulary of a camera. One that is not among those of the table of
// cameras has these tags, and names none itself.
func (c contents) nameFor(table map[string]topics.Camera, camera string, tags []string) string {
	one, listed := table[camera]
	if !listed {
		one = topics.Camera{Name: camera, Tags: tags}
	}
	return c.cfg.Of(one)
}

// names are those of the vocabularies, the default one first.
func (c contents) names() []string {
	out := []string{c.cfg.Name}
	for _, name := range slices.Sorted(maps.Keys(c.of)) {
		if name != c.cfg.Name {
			out = append(out, name)
		}
	}
	return out
}

// ofCameras makes the target the vocabulary of the cameras that globs match, if they all
// have the same and no other was asked for.
func (t *vocabTarget) ofCameras(ctx context.Context, past *pastAlerts, globs []string, notes io.Writer) error {
	if t.name != "" || len(globs) == 0 {
		return nil
	}
	cfg, err := t.load()
	if err != nil {
		return err
	}
	all, err := past.cameras(ctx)
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for _, c := range all {
		if topics.Chosen(c.Name, c.Tags, globs, nil) {
			names[cfg.Vocab.Of(c)] = true
		}
	}
	switch list := slices.Sorted(maps.Keys(names)); len(list) {
	case 0:
	case 1:
		t.name = list[0]
	default:
		_, err = fmt.Fprintf(notes, "these cameras use the vocabularies %s: labels are looked up in %s; choose another with --vocab\n", strings.Join(list, ", "), cfg.Vocab.Name)
	}
	return err
}

// about are the labels that rules are about, and for each the vocabularies that have it
// so: nil where none has one of its name. Such labels count for rules that are tried
// alone, as they may be added yet; rules in force raise nothing for them.
func (c contents) about(rules *alerts.RuleSet, tried bool) (labels []vocab.Label, in [][]string) {
	var missing []vocab.Label
	for _, name := range c.names() {
		v := c.words(name)
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

// several is whether there is more than the default one.
func (c contents) several() bool { return len(c.names()) > 1 }
