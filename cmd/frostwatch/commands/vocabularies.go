package commands

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/topics"
)

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
