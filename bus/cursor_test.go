package bus

import (
	"log/slog"
	"testing"
)

// Kafka answers with the end as it was before it read the batches, so that a batch may
// lie beyond it.
func TestABatchBeyondTheEndIsFetchedAgain(t *testing.T) {
	c, err := New(Options{Brokers: []string{"127.0.0.1:1"}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	r := c.cursor("t", 0, 100)
	answer := func(end int64) {
		r.end.Store(end)
		r.rest = lastBatch(0) // offsets 100 to 104
		r.check(t.Context(), r.offset.Load())
	}
	for range maxDoubts {
		answer(104)
		if m, ok := r.buffered(t.Context()); ok || r.offset.Load() != 100 {
			t.Fatalf("record %q is taken, and the cursor is at %d", m.Value, r.offset.Load())
		}
	}
	answer(105)
	for _, want := range []string{"a", "b"} {
		if m, ok := r.buffered(t.Context()); !ok || string(m.Value) != want {
			t.Fatalf("got %q, %v, want %q", m.Value, ok, want)
		}
	}
	// Offsets that have rotted are beyond every end, and must not hold the cursor up.
	r.seek(100)
	for range maxDoubts + 1 {
		answer(104)
		if m, ok := r.buffered(t.Context()); ok {
			t.Fatalf("record %q is taken", m.Value)
		}
	}
	if at := r.offset.Load(); at <= 100 {
		t.Errorf("the cursor stays at %d", at)
	}
}
