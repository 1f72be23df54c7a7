package vocab

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Store reads and edits vocabularies. Anything else that writes the hash edits
// it as well; workers see a Store's edits at once, others at their next poll.
type Store struct {
	client    redis.UniversalClient
	prefix    string
	who, note string // for the history, see By
	// historyBytes bounds each history, see maxHistoryBytes.
	historyBytes int
}

// NewStore works on keys <prefix>vocab:<name>. The caller closes the client.
func NewStore(client redis.UniversalClient, prefix string) *Store {
	return &Store{client: client, prefix: prefix, who: "frostwatch", historyBytes: maxHistoryBytes}
}

// Hash is the hash of a vocabulary.
func (s *Store) Hash(name string) *Hash {
	h := NewHash(HashOptions{
		Client: s.client, Prefix: s.prefix, Kind: "vocab", Name: name, What: "vocabulary " + name, Items: "labels", Most: maxLabels,
	})
	h.historyBytes = s.historyBytes
	return h.By(s.who, s.note)
}

// Key is the key of a vocabulary's hash.
func (s *Store) Key(name string) string { return s.Hash(name).Key() }

// List reads a vocabulary; if it does not exist, it is empty.
func (s *Store) List(ctx context.Context, name string) (Vocabulary, error) {
	c, err := s.Hash(name).Read(ctx)
	if err != nil {
		return Vocabulary{}, err
	}
	return parse(name, c.Entries)
}

// maxNames bounds the vocabularies that Names lists.
const maxNames = 1000

// Names lists the vocabularies that there are, sorted. It goes through all keys of the
// database.
func (s *Store) Names(ctx context.Context) ([]string, error) {
	before := s.prefix + "vocab:"
	scan := s.client.Scan(ctx, 0, globQuoted.Replace(before)+"*", 1000).Iterator()
	var names []string
	for scan.Next(ctx) && len(names) < maxNames {
		names = append(names, strings.TrimPrefix(scan.Val(), before))
	}
	if err := scan.Err(); err != nil {
		return nil, fmt.Errorf("list the vocabularies: %w", err)
	}
	slices.Sort(names) // SCAN may return a key twice
	return slices.Compact(names), nil
}

// globQuoted makes a text a pattern that matches itself.
var globQuoted = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

// ErrLast means that Remove would have removed the last labels of a vocabulary,
// which to workers looks as if Redis had lost it.
var ErrLast = errors.New("no label would be left")

// Remove deletes labels, including fields that differ from them only by white
// space around them; where there is none, fields that are another spelling of them
// (see Spelling). absent are the labels that do not exist: if there is any, it removes
// none. If no label would be left, it removes none and returns ErrLast.
func (s *Store) Remove(ctx context.Context, name string, labels ...string) (absent []string, err error) {
	if len(labels) == 0 {
		return nil, fmt.Errorf("edit vocabulary %s: no labels to remove were given", name)
	}
	err = s.Hash(name).Edit(ctx, func(entries map[string]string) (map[string]string, error) {
		var fields []string
		fields, absent = find(maps.Keys(entries), labels)
		if len(absent) > 0 {
			return nil, errAbsent
		}
		if len(fields) > 0 && len(fields) == len(entries) {
			return nil, fmt.Errorf("edit vocabulary %s: %w", name, ErrLast)
		}
		for _, f := range fields {
			delete(entries, f)
		}
		return entries, nil
	})
	if tooLarge := new(sizeError); errors.As(err, &tooLarge) {
		if tooLarge.long {
			return s.removeLong(ctx, name, labels)
		}
		return s.removeFromLarge(ctx, name, labels)
	}
	if errors.Is(err, errAbsent) {
		err = nil
	}
	return absent, err
}

// errAbsent ends an edit that would remove what is not there.
var errAbsent = errors.New("absent")

// removeFromLarge is Remove for a vocabulary that is too large to be read. It reads
// its fields in pieces. Such an edit is not recorded; once the vocabulary can be
// read, its history shows what differs by then.
func (s *Store) removeFromLarge(ctx context.Context, name string, labels []string) (absent []string, err error) {
	scan := s.client.HScan(ctx, s.Key(name), 0, "", 1000).Iterator()
	fields, absent := find(func(yield func(string) bool) {
		for isField := true; scan.Next(ctx); isField = !isField {
			if isField && !yield(scan.Val()) {
				return
			}
		}
	}, labels)
	if err := scan.Err(); err != nil {
		return nil, s.Hash(name).explain("edit", err)
	}
	if len(absent) > 0 {
		return absent, nil
	}
	return nil, s.Hash(name).unrecorded(ctx, func(p redis.Pipeliner) { p.HDel(ctx, s.Key(name), fields...) })
}

// removeLong is Remove for a vocabulary with too long values. It reads none of them, so
// it finds labels only as they are written. Such an edit is not recorded.
func (s *Store) removeLong(ctx context.Context, name string, labels []string) (absent []string, err error) {
	for _, l := range labels {
		is, err := s.client.HExists(ctx, s.Key(name), l).Result()
		if err != nil {
			return nil, s.Hash(name).explain("edit", err)
		}
		if !is {
			absent = append(absent, l)
		}
	}
	if len(absent) > 0 {
		return absent, nil
	}
	return nil, s.Hash(name).unrecorded(ctx, func(p redis.Pipeliner) { p.HDel(ctx, s.Key(name), labels...) })
}

// find returns which fields are those of labels, and the labels that have none.
func find(all iter.Seq[string], labels []string) (fields, absent []string) {
	exact, spelt := map[string][]string{}, map[string][]string{} // fields
	for _, l := range labels {
		exact[strings.TrimSpace(l)], spelt[Spelling(l)] = nil, nil
	}
	for field := range all {
		if trimmed := strings.TrimSpace(field); has(exact, trimmed) {
			exact[trimmed] = append(exact[trimmed], field)
		}
		if spelling := Spelling(field); has(spelt, spelling) {
			spelt[spelling] = append(spelt[spelling], field)
		}
	}
	for _, l := range labels {
		found := exact[strings.TrimSpace(l)]
		if len(found) == 0 {
			found = spelt[Spelling(l)]
		}
		if len(found) == 0 {
			absent = append(absent, l)
		}
		fields = append(fields, found...)
	}
	slices.Sort(fields) // HSCAN may return a field twice
	return slices.Compact(fields), absent
}

func has(m map[string][]string, key string) bool { _, is := m[key]; return is }

// Clear removes all labels, and notes until labels are added that the vocabulary
// is empty on purpose.
func (s *Store) Clear(ctx context.Context, name string) error { return s.Hash(name).Clear(ctx) }
