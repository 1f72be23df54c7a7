package vocab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/topics"
)

// By returns a Store whose edits are recorded as made by somebody, with a note such
// as the command that was used.
func (s *Store) By(who, note string) *Store {
	out := *s
	out.who, out.note = topics.Clean(who), topics.Clean(note)
	return &out
}

// changeScript makes an edit if the content is still the one of the digest, and
// records it. It first records what others have changed without recording it.
var changeScript = redis.NewScript(recordLua + `
local _, expected, before, after, by, note, channel, name, external, sets = unpack(ARGV, 1, 10)
local now = digest()
if now ~= expected then return 0 end
record(now, external, before, true)
local changes, dels = {}, 11 + 2 * tonumber(sets)
for i = 11, dels - 1, 2 do
	changes[#changes + 1] = {ARGV[i], redis.call('HGET', hash, ARGV[i]), ARGV[i + 1]}
	redis.call('HSET', hash, ARGV[i], ARGV[i + 1])
end
for i = dels, #ARGV do
	changes[#changes + 1] = {ARGV[i], redis.call('HGET', hash, ARGV[i]), false}
	redis.call('HDEL', hash, ARGV[i])
end
local labels = redis.call('HLEN', hash)
if labels > 0 then redis.call('DEL', emptied) else redis.call('SET', emptied, 'on purpose') end
if #changes > 0 then
	append({'by', by, 'note', note, 'version', after, 'labels', tostring(labels)}, changes)
	keep(changes, digest())
end
redis.call('PUBLISH', channel, name)
return 1`)

// attempts is how often an edit is tried anew because somebody else has edited the
// vocabulary meanwhile.
const attempts = 20

// change edits a vocabulary by what plan makes of its entries: all of it or nothing.
// plan may be called several times. An edit that removes every label counts as meant.
func (s *Store) change(ctx context.Context, name string, plan func(entries map[string]string) (after map[string]string, err error)) error {
	for range attempts {
		c, err := s.content(ctx, name)
		if err != nil {
			return s.explain("edit", name, err)
		}
		after, err := plan(maps.Clone(c.entries))
		if err != nil {
			return err
		}
		if err := checkSize(name, int64(len(after))); err != nil {
			return err
		}
		done, err := changeScript.Run(ctx, s.client, s.recordKeys(name), s.arguments(name, c, after)...).Bool()
		if err != nil {
			return s.explain("edit", name, err)
		}
		if done {
			return nil
		}
	}
	return s.explain("edit", name, errors.New("others edit it at the same time: try again"))
}

// arguments are those of changeScript.
func (s *Store) arguments(name string, before content, after map[string]string) []any {
	var sets, dels []any
	for _, field := range slices.Sorted(maps.Keys(after)) {
		if was, is := before.entries[field]; !is || was != after[field] {
			sets = append(sets, field, after[field])
		}
	}
	for _, field := range slices.Sorted(maps.Keys(before.entries)) {
		if _, is := after[field]; !is {
			dels = append(dels, field)
		}
	}
	head := []any{s.historyBytes, before.digest, version(before.entries), version(after), s.who, s.note, s.hint(), name, External, len(sets) / 2}
	return slices.Concat(head, sets, dels)
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
		if l, err = ParseLabel(l.Name, value); err != nil {
			return fmt.Errorf("label %q: %w", l.Name, err)
		}
		spelling := Spelling(l.Name)
		edits[spelling] = entryOf{l.Name, value, spelling}
	}
	return s.change(ctx, name, func(entries map[string]string) (map[string]string, error) {
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
	return s.change(ctx, name, func(map[string]string) (map[string]string, error) { return entries, nil })
}
