package vocab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Store edits vocabularies. Anything that writes the hash does as well; a
// Store's edits also tell the workers to look at once.
type Store struct {
	client redis.UniversalClient
	prefix string
}

// NewStore works on keys <prefix>vocab:<name>. The client stays the caller's.
func NewStore(client redis.UniversalClient, prefix string) *Store {
	return &Store{client: client, prefix: prefix}
}

func (s *Store) key(name string) string { return s.prefix + "vocab:" + name }

// hint is the channel on which a name is published after an edit.
func (s *Store) hint() string { return s.prefix + "vocab-edited" }

// List reads a vocabulary; one that does not exist is empty.
func (s *Store) List(ctx context.Context, name string) (Vocabulary, error) {
	entries, err := s.client.HGetAll(ctx, s.key(name)).Result()
	if err != nil {
		return Vocabulary{}, fmt.Errorf("read vocabulary %s: %w", name, err)
	}
	return parse(name, entries)
}

// Put adds or replaces labels, all or none.
func (s *Store) Put(ctx context.Context, name string, labels ...Label) error {
	if len(labels) == 0 {
		return nil
	}
	fields := make([]string, 0, 2*len(labels))
	for _, l := range labels {
		value, err := l.Value()
		if err != nil {
			return err
		}
		if _, err := ParseLabel(l.Name, value); err != nil {
			return fmt.Errorf("label %q: %w", l.Name, err)
		}
		fields = append(fields, strings.TrimSpace(l.Name), value)
	}
	return s.edit(ctx, name, func(p redis.Pipeliner) { p.HSet(ctx, s.key(name), fields) })
}

// Remove deletes labels; those that were not there are returned.
func (s *Store) Remove(ctx context.Context, name string, labels ...string) (absent []string, err error) {
	for _, l := range labels {
		there, err := s.client.HExists(ctx, s.key(name), l).Result()
		if err != nil {
			return nil, fmt.Errorf("edit vocabulary %s: %w", name, err)
		}
		if !there {
			absent = append(absent, l)
		}
	}
	return absent, s.edit(ctx, name, func(p redis.Pipeliner) { p.HDel(ctx, s.key(name), labels...) })
}

func (s *Store) edit(ctx context.Context, name string, change func(redis.Pipeliner)) error {
	_, err := s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		change(p)
		p.Publish(ctx, s.hint(), name)
		return nil
	})
	if err != nil {
		return fmt.Errorf("edit vocabulary %s: %w", name, err)
	}
	return nil
}

// ReadLabels reads a file of labels: one a line, optionally followed by a tab
// and a value as the hash holds it. Empty lines and those that begin with # are
// passed over. Every bad line is reported, with its number.
func ReadLabels(r io.Reader) ([]Label, error) {
	var labels []Label
	var problems []error
	scan := bufio.NewScanner(r)
	for line := 1; scan.Scan(); line++ {
		text := strings.TrimRight(scan.Text(), "\r")
		if strings.TrimSpace(text) == "" || strings.HasPrefix(text, "#") {
			continue
		}
		field, value, _ := strings.Cut(text, "\t")
		l, err := ParseLabel(field, value)
		if err != nil {
			problems = append(problems, fmt.Errorf("line %d: %w", line, err))
			continue
		}
		labels = append(labels, l)
	}
	return labels, errors.Join(append(problems, scan.Err())...)
}
