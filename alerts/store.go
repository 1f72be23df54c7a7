package alerts

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/vocab"
)

// Store is the rules in Redis: a hash of rules by name, beside those of the
// configuration file, which count where both have a name (Join). Its history works as
// that of a vocabulary.
type Store struct{ *vocab.Hash }

// NewStore works on the key <prefix>rules. The caller closes the client.
func NewStore(client redis.UniversalClient, prefix string) *Store {
	return &Store{vocab.NewHash(vocab.HashOptions{
		Client: client, Prefix: prefix, Kind: "rules", What: "the rules in Redis", Items: "rules", Most: maxStored,
	})}
}

// By returns a Store whose edits are recorded as made by somebody, with a note such
// as the command that was used.
func (s *Store) By(who, note string) *Store { return &Store{s.Hash.By(who, note)} }

// List reads the rules.
func (s *Store) List(ctx context.Context) (Stored, error) {
	c, err := s.Read(ctx)
	if err != nil {
		return Stored{}, err
	}
	return ParseStored(c), nil
}

// Put adds a rule, or replaces the one of that name, by a text as ParseRule reads it.
func (s *Store) Put(ctx context.Context, name, value string) error {
	if _, err := ParseRule(name, value); err != nil {
		return err
	}
	return s.Edit(ctx, func(entries map[string]string) (map[string]string, error) {
		entries[name] = value
		return entries, nil
	})
}

// Remove removes rules. absent are the names that there were none of. If any is
// absent, nothing is removed.
func (s *Store) Remove(ctx context.Context, names ...string) (absent []string, err error) {
	err = s.Edit(ctx, func(entries map[string]string) (map[string]string, error) {
		absent = nil
		after := entries
		for _, name := range names {
			if _, is := entries[name]; !is {
				absent = append(absent, name)
			}
		}
		if len(absent) == 0 {
			for _, name := range names {
				delete(after, name)
			}
		}
		return after, nil
	})
	return absent, err
}
