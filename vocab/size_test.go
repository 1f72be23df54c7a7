package vocab

import (
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

// Redis would be busy for a minute with one look at hundreds of megabytes, and answer
// nobody else.
func TestAHashWithLongValuesIsRefusedUnread(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	store := NewStore(s.Client, "f:")
	w := watch(t, s, quick)
	set(t, s, "kept", "")
	w.awaitLabels(t, "kept")
	long := strings.Repeat("x", maxBytes/2)
	set(t, s, "long 1", long)
	stagetest.Await(t, "the long one to be skipped alone", func() bool { v, _ := w.Current(); return len(v.Problems) == 1 })
	set(t, s, "long 2", long)
	const refusal = "MB in all, at most 16 MB: remove the long ones"
	w.awaitHealth(t, refusal)
	if got := w.labels(); len(got) != 1 || got[0] != "kept" {
		t.Errorf("in force: %q", got)
	}
	for what, err := range map[string]error{
		"list": second(store.List(ctx, "default")), "add": store.Put(ctx, "default", Label{Name: "another"}), "history": second(store.Past(ctx, "default")),
	} {
		if err == nil || !strings.Contains(err.Error(), refusal) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if absent, err := store.Remove(ctx, "default", "long 2", "long 9"); err != nil || len(absent) != 1 || absent[0] != "long 9" {
		t.Errorf("absent %q, %v", absent, err)
	}
	if absent, err := store.Remove(ctx, "default", "long 2"); err != nil || len(absent) != 0 {
		t.Errorf("absent %q, %v", absent, err)
	}
	w.awaitHealth(t, "")
	if err := store.Restore(ctx, "default", map[string]string{"a": long, "b": long}); err == nil || !strings.Contains(err.Error(), "2 labels of") {
		t.Errorf("an edit after which it could not be read: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// They are beside the hash, where anyone may write them as well.
func TestKeysOfAnotherTypeBesideTheHashAreReplaced(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	store := NewStore(s.Client, "f:")
	for _, key := range []string{"f:vocab-recorded:default", "f:vocab-recording:default", "f:vocab-history:default"} {
		if err := s.Client.Set(ctx, key, "nonsense", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	w := watch(t, s, quick)
	set(t, s, "waving", "")
	w.awaitLabels(t, "waving")
	for _, key := range []string{"f:vocab-recorded:default", "f:vocab-recording:default", "f:vocab-history:default"} {
		if err := s.Client.Del(ctx, key).Err(); err != nil {
			t.Fatal(err)
		}
		if err := s.Client.Set(ctx, key, "nonsense", 0).Err(); err != nil {
			t.Fatal(err)
		}
		if err := store.Put(ctx, "default", Label{Name: "added with " + key}); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	past, err := store.Past(ctx, "default")
	if err != nil || len(past.Edits) == 0 {
		t.Errorf("%d edits, %v", len(past.Edits), err)
	}
}
