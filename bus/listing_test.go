package bus

import (
	"fmt"
	"strings"
	"testing"
)

func TestATableThatIsTooLargeIsNotListed(t *testing.T) {
	l := listing{rows: map[string]Message{}, most: 1 << 20}
	value := make([]byte, 500<<10)
	for i := range 10 { // of one key, or removed, none adds up
		for _, m := range []Message{{Key: []byte("same"), Value: value}, {Key: fmt.Append(nil, i), Value: value}, {Key: fmt.Append(nil, i)}} {
			if err := l.take(m); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(l.rows) != 1 {
		t.Fatalf("%d rows", len(l.rows))
	}
	_ = l.take(Message{Key: []byte("second"), Value: value})
	if err := l.take(Message{Topic: "frostwatch.marks", Key: []byte("third"), Value: value}); err == nil || !strings.Contains(err.Error(), "the table frostwatch.marks has more than 1 MB in 3 keys") {
		t.Errorf("got %v", err)
	}
}
