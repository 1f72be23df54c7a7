package vocab

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

// If a vocabulary loses its labels without anybody having cleared it, that is a
// fault, and the last one stays current.
func TestAVocabularyThatIsLostStaysCurrent(t *testing.T) {
	for _, c := range []struct {
		name string
		lose func(t *testing.T, s *redistest.Server) error
		want string
	}{
		{"flushed", func(t *testing.T, s *redistest.Server) error { return s.Client.FlushAll(t.Context()).Err() },
			"vocabulary default came back empty (Redis key f:vocab:default): the 2 labels that were read before are kept until labels are added, or it is emptied on purpose"},
		{"its last labels deleted by hand", func(t *testing.T, s *redistest.Server) error {
			return s.Client.HDel(t.Context(), "f:vocab:default", "fall", "run").Err()
		}, "came back empty"},
		{"a key of another type", func(t *testing.T, s *redistest.Server) error {
			return s.Client.Set(t.Context(), "f:vocab:default", "fall", 0).Err()
		}, "the key f:vocab:default is not a hash"},
		{"labels that are all broken", func(t *testing.T, s *redistest.Server) error {
			return s.Client.HSet(t.Context(), "f:vocab:default", "fall", "{", "run", "{").Err()
		}, "none of the 2 labels of vocabulary default can be used; what is wrong with the first: its value begins with { and is not valid JSON"},
		{"a server that starts anew without its data", func(_ *testing.T, s *redistest.Server) error {
			s.Kill()
			s.Forget()
			s.Restart()
			return nil
		}, "came back empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := redistest.Start(t)
			set(t, s, "fall", "", "run", "")
			w := watch(t, s, quick)
			w.awaitLabels(t, "fall", "run")
			if err := c.lose(t, s); err != nil {
				t.Fatal(err)
			}
			w.awaitHealth(t, c.want)
			w.awaitHealth(t, c.want) // it stays so
			if got := w.labels(); !slices.Equal(got, []string{"fall", "run"}) {
				t.Errorf("current are %q", got)
			}
			if err := s.Client.Del(t.Context(), "f:vocab:default").Err(); err != nil {
				t.Fatal(err)
			}
			set(t, s, "wave", "")
			w.awaitLabels(t, "wave")
			w.awaitHealth(t, "")
		})
	}
}

func TestAVocabularyEmptiedOnPurpose(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	store := NewStore(s.Client, "f:")
	set(t, s, "fall", "", "run", "")
	w := watch(t, s, quick)
	w.awaitLabels(t, "fall", "run")
	if _, err := store.Remove(ctx, "default", "fall", "run"); !errors.Is(err, ErrLast) {
		t.Fatalf("the last labels were removed: %v", err)
	}
	if err := store.Clear(ctx, "default"); err != nil {
		t.Fatal(err)
	}
	w.awaitLabels(t)
	w.awaitHealth(t, "")
	stagetest.Await(t, "the warning", func() bool {
		return w.warning() != nil && strings.Contains(w.warning().Error(), "was emptied on purpose")
	})
	// A label by hand ends it: an empty vocabulary is a fault again.
	set(t, s, "wave", "")
	w.awaitLabels(t, "wave")
	if err := s.Client.HDel(ctx, "f:vocab:default", "wave").Err(); err != nil {
		t.Fatal(err)
	}
	w.awaitHealth(t, "came back empty")
	if got := w.labels(); !slices.Equal(got, []string{"wave"}) {
		t.Errorf("current are %q", got)
	}
}

func TestAReplicaWithoutDataTakesOver(t *testing.T) {
	master, replica, ctx := redistest.Start(t), redistest.Start(t), t.Context()
	set(t, master, "fall", "")
	var at atomic.Value // the address that the server's name resolves to
	at.Store(master.Addr)
	client := redis.NewClient(&redis.Options{Addr: "redis.example:6379", Dialer: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, at.Load().(string))
	}})
	t.Cleanup(func() { _ = client.Close() })
	w := watch(t, &redistest.Server{Client: client}, quick)
	w.awaitLabels(t, "fall")
	at.Store(replica.Addr)
	master.Kill()
	w.awaitHealth(t, "came back empty")
	if got := w.labels(); !slices.Equal(got, []string{"fall"}) {
		t.Errorf("current are %q", got)
	}
	if err := replica.Client.HSet(ctx, "f:vocab:default", "run", "").Err(); err != nil {
		t.Fatal(err)
	}
	w.awaitLabels(t, "run")
}
