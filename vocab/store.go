package vocab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Store reads and edits vocabularies. Anything else that writes the hash edits
// it as well; workers see a Store's edits at once, others at their next poll.
type Store struct {
	client redis.UniversalClient
	prefix string
}

// NewStore works on keys <prefix>vocab:<name>. The caller closes the client.
func NewStore(client redis.UniversalClient, prefix string) *Store {
	return &Store{client: client, prefix: prefix}
}

// Key is the key of a vocabulary's hash.
func (s *Store) Key(name string) string { return s.prefix + "vocab:" + name }

// emptied is the key that exists while a vocabulary is empty on purpose.
func (s *Store) emptied(name string) string { return s.prefix + "vocab-emptied:" + name }

// hint is the channel on which a vocabulary's name is published after an edit.
func (s *Store) hint() string { return s.prefix + "vocab-edited" }

// List reads a vocabulary; if it does not exist, it is empty.
func (s *Store) List(ctx context.Context, name string) (Vocabulary, error) {
	n, err := s.client.HLen(ctx, s.Key(name)).Result()
	if err != nil {
		return Vocabulary{}, s.explain("read", name, err)
	}
	if err := checkSize(name, n); err != nil {
		return Vocabulary{}, err
	}
	entries, err := s.client.HGetAll(ctx, s.Key(name)).Result()
	if err != nil {
		return Vocabulary{}, s.explain("read", name, err)
	}
	return parse(name, entries)
}

// Put adds or replaces labels, either all of them or none.
func (s *Store) Put(ctx context.Context, name string, labels ...Label) error {
	if len(labels) == 0 {
		return nil
	}
	values := map[string]string{}
	for _, l := range labels {
		value, err := l.Value()
		if err != nil {
			return err
		}
		if l, err = ParseLabel(l.Name, value); err != nil {
			return fmt.Errorf("label %q: %w", l.Name, err)
		}
		values[l.Name] = value
	}
	if err := s.checkRoom(ctx, name, slices.Collect(maps.Keys(values))); err != nil {
		return err
	}
	return s.edit(ctx, name, func(p redis.Pipeliner) {
		p.HSet(ctx, s.Key(name), values)
		p.Del(ctx, s.emptied(name))
	})
}

// checkRoom checks that the vocabulary has room for these fields. Two edits at
// the same time may exceed the limit together; readers check it too.
func (s *Store) checkRoom(ctx context.Context, name string, fields []string) error {
	n, err := s.client.HLen(ctx, s.Key(name)).Result()
	if err != nil {
		return s.explain("edit", name, err)
	}
	if n+int64(len(fields)) <= maxLabels {
		return nil
	}
	old, err := s.client.HMGet(ctx, s.Key(name), fields...).Result()
	if err != nil {
		return s.explain("edit", name, err)
	}
	for _, v := range old {
		if v == nil {
			n++
		}
	}
	return checkSize(name, n)
}

// ErrLast means that Remove would have removed the last labels of a vocabulary,
// which to workers looks as if Redis had lost it.
var ErrLast = errors.New("no label would be left")

// removeScript deletes fields unless none would be left.
var removeScript = redis.NewScript(`
local going = 0
for _, field in ipairs(ARGV) do going = going + redis.call('HEXISTS', KEYS[1], field) end
if going >= redis.call('HLEN', KEYS[1]) then return 0 end
for _, field in ipairs(ARGV) do redis.call('HDEL', KEYS[1], field) end
return 1`)

// Remove deletes labels, including fields that differ from them only by white
// space around them; where there is none, fields that are another spelling of them
// (see Spelling). absent are the labels that did not exist. If no label would be
// left, it removes none and returns ErrLast.
func (s *Store) Remove(ctx context.Context, name string, labels ...string) (absent []string, err error) {
	if len(labels) == 0 {
		return nil, fmt.Errorf("edit vocabulary %s: no labels to remove were given", name)
	}
	fields, absent, err := s.find(ctx, name, labels)
	if err != nil {
		return nil, s.explain("edit", name, err)
	}
	if len(fields) == 0 {
		return absent, nil
	}
	removed, err := removeScript.Run(ctx, s.client, []string{s.Key(name)}, fields).Bool()
	if err != nil {
		return absent, s.explain("edit", name, err)
	}
	if !removed {
		return absent, fmt.Errorf("edit vocabulary %s: %w", name, ErrLast)
	}
	return absent, s.edit(ctx, name, func(redis.Pipeliner) {})
}

// find returns the fields of labels, and the labels that have none. It reads the
// hash in pieces, so that labels can be removed from a vocabulary that is too large
// to be read.
func (s *Store) find(ctx context.Context, name string, labels []string) (fields, absent []string, err error) {
	exact, spelt := map[string][]string{}, map[string][]string{} // fields
	for _, l := range labels {
		exact[strings.TrimSpace(l)], spelt[Spelling(l)] = nil, nil
	}
	scan := s.client.HScan(ctx, s.Key(name), 0, "", 1000).Iterator()
	for isField := true; scan.Next(ctx); isField = !isField {
		field := scan.Val()
		if trimmed := strings.TrimSpace(field); isField && has(exact, trimmed) {
			exact[trimmed] = append(exact[trimmed], field)
		}
		if spelling := Spelling(field); isField && has(spelt, spelling) {
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
	return slices.Compact(fields), absent, scan.Err()
}

func has(m map[string][]string, key string) bool { _, is := m[key]; return is }

// Clear removes all labels, and notes until labels are added that the vocabulary
// is empty on purpose.
func (s *Store) Clear(ctx context.Context, name string) error {
	return s.edit(ctx, name, func(p redis.Pipeliner) {
		p.Del(ctx, s.Key(name))
		p.Set(ctx, s.emptied(name), "on purpose", 0)
	})
}

// explain says what was being done when Redis returned an error.
func (s *Store) explain(doing, name string, err error) error {
	if redis.HasErrorPrefix(err, "WRONGTYPE") {
		err = wrongType(s.Key(name))
	}
	return fmt.Errorf("%s vocabulary %s: %w", doing, name, err)
}

func wrongType(key string) error {
	return fmt.Errorf("the key %s is not a hash: check what it is, then delete it and add the labels again", key)
}

func (s *Store) edit(ctx context.Context, name string, change func(redis.Pipeliner)) error {
	_, err := s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		change(p)
		p.Publish(ctx, s.hint(), name)
		return nil
	})
	if err != nil {
		return s.explain("edit", name, err)
	}
	return nil
}

// ReadLabels reads a file of labels: one per line, optionally followed by a tab
// and a value as in the hash. Empty lines and lines that begin with # are
// skipped. The error lists every bad line with its number; a JSON file is
// refused.
func ReadLabels(r io.Reader) ([]Label, error) {
	var labels []Label
	var problems []error
	scan := bufio.NewScanner(r)
	for line := 1; scan.Scan(); line++ {
		text := strings.TrimRight(scan.Text(), "\r")
		if line == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // a byte order mark, which some editors write
		}
		if strings.TrimSpace(text) == "" || strings.HasPrefix(text, "#") {
			continue
		}
		field, value, _ := strings.Cut(text, "\t")
		if len(labels)+len(problems) == 0 && looksLikeJSON(field) {
			return nil, fmt.Errorf("line %d: this looks like JSON: want one label a line, optionally followed by a tab and its value", line)
		}
		l, err := ParseLabel(field, value)
		if err == nil && strings.ContainsAny(l.Name[:1], `{}"`) {
			err = fmt.Errorf("a label that begins with %q: want its words without quotes or JSON", l.Name[:1])
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("line %d: %w", line, err))
			continue
		}
		labels = append(labels, l)
	}
	return labels, errors.Join(append(problems, scan.Err())...)
}

// looksLikeJSON reports whether a file whose first line this is may be JSON.
func looksLikeJSON(line string) bool {
	line = strings.TrimSpace(line)
	return strings.HasPrefix(line, "{") || strings.HasPrefix(line, "[")
}
