package scoring

import (
	"testing"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/vocab"
)

// The rights in docs/vocabulary.md are enough to embed a vocabulary, to cache
// what was embedded, and to announce what is in force.
func TestTheDocumentedRightsAreEnough(t *testing.T) {
	s := redistest.Start(t, redistest.DocumentedUser(t, "../docs/vocabulary.md", "secret", "f:")...)
	client, err := vocab.Connect(vocab.RedisOptions{Address: s.Addr, Username: "frostwatch", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	set(t, s, "fall", "", "run", "")
	w := watch(t, &redistest.Server{Client: client}, setup{})
	w.awaitLabels(t, "fall", "run")
	w.awaitHealth(t, "")
	store := vocab.NewStore(client, "f:")
	stagetest.Await(t, "the announcement", func() bool {
		force, err := store.InForce(t.Context(), "default")
		return err == nil && len(force) == 1 && force[0].Labels == 2
	})
	if w.log.Contains("NOPERM") || w.log.Contains("denies") || w.log.Contains("script can't") {
		t.Errorf("something was denied: %s", w.log)
	}
}
