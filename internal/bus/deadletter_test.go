package bus_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/frostwatch/frostwatch/internal/bus"
	"github.com/frostwatch/frostwatch/topics"
)

func TestDeadLetter(t *testing.T) {
	m := bus.Message{Topic: "clips", Partition: 3, Offset: 42, Key: []byte("lobby"), Value: []byte("x"), Headers: []bus.Header{{Key: "traceparent", Value: []byte("t")}}}
	for _, c := range []struct{ name, why, want string }{
		{"short", "id is empty", "id is empty"},
		{"at the bound", strings.Repeat("a", 500), strings.Repeat("a", 500)},
		{"long", strings.Repeat("a", 1<<20), strings.Repeat("a", 497) + "…"},
		{"cut within a character", "ab" + strings.Repeat("€", 400), "ab" + strings.Repeat("€", 165) + "…"},
		{"not UTF-8", "a\xff\xfeb", "ab"},
	} {
		t.Run(c.name, func(t *testing.T) {
			letter := m.DeadLetter("dead", "infer", errors.New(c.why))
			got := bus.HeaderCarrier{Headers: &letter.Headers}
			if reason := got.Get(topics.HeaderReason); reason != c.want || !utf8.ValidString(reason) || len(reason) > 500 {
				t.Errorf("reason of %d bytes: %q", len(reason), reason)
			}
			for key, want := range map[string]string{
				"traceparent": "t", topics.HeaderStage: "infer", topics.HeaderTopic: "clips", topics.HeaderPartition: "3", topics.HeaderOffset: "42",
			} {
				if got.Get(key) != want {
					t.Errorf("%s is %q, want %q", key, got.Get(key), want)
				}
			}
			if letter.Topic != "dead" || string(letter.Key) != "lobby" || string(letter.Value) != "x" || len(m.Headers) != 1 {
				t.Errorf("got %+v of %+v", letter, m)
			}
		})
	}
}
