package vocab

import (
	"cmp"
	"context"
	"fmt"
	"maps"
)

// By returns a Store whose edits are recorded as made by somebody, with a note such
// as the command that was used.
func (s *Store) By(who, note string) *Store {
	out := *s
	out.who, out.note = who, note
	return &out
}

// Put adds or replaces labels, either all of them or none. Where the vocabulary has
// another spelling of a label (see Spelling), that entry is given the new value and
// keeps its name.
func (s *Store) Put(ctx context.Context, name string, labels ...Label) error {
	return s.put(ctx, name, labels, false)
}

// Replace makes labels the whole vocabulary, as Put does, and removes every other
// entry.
func (s *Store) Replace(ctx context.Context, name string, labels ...Label) error {
	return s.put(ctx, name, labels, true)
}

func (s *Store) put(ctx context.Context, name string, labels []Label, whole bool) error {
	if len(labels) == 0 {
		return nil
	}
	edits := map[string]entryOf{} // by spelling; of several spellings the last counts
	for _, l := range labels {
		value, err := l.Value()
		if err != nil {
			return err
		}
		name := l.Name
		if l, err = ParseLabel(name, value); err != nil {
			return fmt.Errorf("label %q: %w", name, err)
		}
		spelling := Spelling(l.Name)
		edits[spelling] = entryOf{l.Name, value, spelling}
	}
	return s.Hash(name).Edit(ctx, func(entries map[string]string) (map[string]string, error) {
		if whole {
			return replaceAll(entries, edits), nil
		}
		v, err := parse(name, entries)
		if err != nil {
			return nil, err
		}
		for _, e := range rename(edits, entries, v) {
			entries[e.field] = kept(e, entries)
		}
		return entries, nil
	})
}

// replaceAll are the edits alone, as entries.
func replaceAll(entries map[string]string, edits map[string]entryOf) map[string]string {
	out := make(map[string]string, len(edits))
	for _, e := range edits {
		out[e.field] = kept(e, entries)
	}
	return out
}

// kept is the value of an entry after an edit: as it was if it means the same, so
// that an edit without an effect leaves the version as it was.
func kept(e entryOf, before map[string]string) string {
	a, err := ParseLabel(e.field, before[e.field])
	b, err2 := ParseLabel(e.field, e.value)
	if was, is := before[e.field]; is && err == nil && err2 == nil && a.equals(b) {
		return was
	}
	return e.value
}

// rename gives each edit the name of the entry that it replaces: the spelling that
// counts in v, which was parsed from entries; where none can be used, its own, or
// the one that would count if it were not broken.
func rename(edits map[string]entryOf, entries map[string]string, v Vocabulary) map[string]entryOf {
	broken := map[string]bool{}
	for _, p := range v.Problems {
		broken[p.Label] = true
	}
	best := map[string]entryOf{} // by spelling
	for field, value := range entries {
		e := entryOf{field, value, Spelling(field)}
		edit, is := edits[e.spelling]
		if !is {
			continue
		}
		was, found := best[e.spelling]
		order := func(e entryOf) int {
			switch {
			case !broken[e.field]:
				return 0
			case e.field == edit.field:
				return 1
			}
			return 2
		}
		if !found || cmp.Or(cmp.Compare(order(e), order(was)), better(e, was)) < 0 {
			best[e.spelling] = e
		}
	}
	out := maps.Clone(edits)
	for spelling, e := range best {
		out[spelling] = entryOf{e.field, edits[spelling].value, spelling}
	}
	return out
}

// Restore makes the entries, as they are, the whole vocabulary.
func (s *Store) Restore(ctx context.Context, name string, entries map[string]string) error {
	return s.Hash(name).Restore(ctx, entries)
}

// Past reads the history of a vocabulary.
func (s *Store) Past(ctx context.Context, name string) (Past, error) { return s.Hash(name).Past(ctx) }

// Parse is a vocabulary of these entries.
func Parse(name string, entries map[string]string) (Vocabulary, error) { return parse(name, entries) }
