package vocab

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

// The rights in docs/vocabulary.md are enough for all that is done with a
// vocabulary.
func TestTheDocumentedRightsAreEnough(t *testing.T) {
	s, ctx := redistest.Start(t, redistest.DocumentedUser(t, "../docs/vocabulary.md", "secret", "f:")...), t.Context()
	client := connect(t, RedisOptions{Address: s.Addr, Username: "frostwatch", Password: "secret"})
	store := NewStore(client, "f:")
	// Only a hint makes it look again within the test's patience.
	w := watch(t, &redistest.Server{Client: client}, time.Hour)
	stagetest.Await(t, "the subscription", func() bool { return len(s.Client.PubSubChannels(ctx, "f:*").Val()) == 1 })
	if err := store.Put(ctx, "default", Label{Name: "fall"}, Label{Name: "run"}); err != nil {
		t.Fatal(err)
	}
	w.awaitLabels(t, "fall", "run")
	if _, err := store.Remove(ctx, "default", "run"); err != nil {
		t.Fatal(err)
	}
	w.awaitLabels(t, "fall")
	v, err := store.List(ctx, "default")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Announce(ctx, "default", NewInForce("model", v)); err != nil {
		t.Fatal(err)
	}
	if force, err := store.InForce(ctx, "default"); err != nil || len(force) != 1 {
		t.Fatalf("in force: %+v, %v", force, err)
	}
	if err := store.Clear(ctx, "default"); err != nil {
		t.Fatal(err)
	}
	w.awaitLabels(t)
	w.awaitHealth(t, "")
}

// A denial says which right the ACL user lacks.
func TestADeniedCommandSaysWhichRightIsMissing(t *testing.T) {
	full := redistest.DocumentedUser(t, "../docs/vocabulary.md", "secret", "f:")
	put := func(s *Store) error {
		return s.Hash("default").unrecorded(t.Context(), func(p redis.Pipeliner) { p.HSet(t.Context(), s.Key("default"), "fall", "") })
	}
	list := func(s *Store) error { _, err := s.List(t.Context(), "default"); return err }
	names := func(s *Store) error { _, err := s.Names(t.Context()); return err }
	announce := func(s *Store) error { return s.Announce(t.Context(), "default", InForce{Model: "m"}) }
	look := func(s *Store) error { _, err := s.Hash("default").state(t.Context()); return err }
	for _, c := range []struct {
		name, prefix, without string
		do                    func(*Store) error
		want                  string
	}{
		{"a command", "f:", "scan", names, "list the vocabularies: Redis denies it: its ACL user \"frostwatch\" lacks the right +scan (docs/vocabulary.md"},
		{"a command of a transaction", "f:", "hset", put, "lacks the right +hset ("},
		{"the time in a script", "f:", "time", announce, "announce vocabulary default: Redis denies it: its ACL user \"frostwatch\" lacks the right +time ("},
		{"another command in a script", "f:", "hlen", look, "to run one of the commands of a script"},
		{"scripts", "f:", "evalsha", look, "lacks the right +evalsha ("},
		{"the keys", "g:", "", list, "to the keys (~PREFIX*"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{}, full...)
			if c.without != "" {
				args = append(args, "-"+c.without)
			}
			s := redistest.Start(t, args...)
			client := connect(t, RedisOptions{Address: s.Addr, Username: "frostwatch", Password: "secret"})
			if err := c.do(NewStore(client, c.prefix)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
