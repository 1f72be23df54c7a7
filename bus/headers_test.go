package bus

import (
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// How long a record waited is written at each attempt, so that no record looks young
// because the broker was away.
func TestWaitingIsWrittenAtEachAttempt(t *testing.T) {
	since := time.Unix(1_700_000_000, 0)
	m := Message{Since: since, Headers: []Header{{Key: "a", Value: []byte("b")}}}
	for _, waited := range []time.Duration{0, 1500 * time.Millisecond, time.Minute} {
		sent := Message{Headers: m.queued(since.Add(waited)), Time: time.Now()}
		c := &Client{}
		if age := c.Age(sent); age < waited || age > waited+10*time.Second {
			t.Errorf("after %v the record says that it is %v old", waited, age)
		}
		if got := (HeaderCarrier{Headers: &sent.Headers}).Get("a"); got != "b" || len(m.Headers) != 1 {
			t.Errorf("headers %v of %v", sent.Headers, m.Headers)
		}
	}
	if got := (Message{}).queued(since); len(got) != 0 {
		t.Errorf("a record that has not waited has headers %v; want none of %s", got, topics.HeaderQueued)
	}
}
