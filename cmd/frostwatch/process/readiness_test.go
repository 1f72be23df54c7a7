package process

import (
	"strings"
	"testing"
	"time"
)

// A problem that becomes another one is reported again, but not when only an amount in
// it changes, and not more often than every 10 s.
func TestAProblemThatChangesIsReportedAgain(t *testing.T) {
	known, now := map[string]report{}, time.Now()
	for _, c := range []struct {
		after time.Duration
		text  string
		want  bool
	}{
		{0, "no answer for 58s in 2 tries", true},
		{time.Minute, "no answer for 1m58s in 12 tries", false},
		{time.Hour, "no answer for 1h1m58.5s in 120 tries", false},
		{time.Second, "the key is not a hash", true},
		{5 * time.Second, "it came back empty", false}, // too soon
		{3 * time.Second, "the key is not a hash", false},
		{time.Second, "it came back empty", false},
		{time.Second, "it came back empty", true}, // and still so after 10 s
		{time.Hour, "it came back empty", false},
	} {
		now = now.Add(c.after)
		got := begun(known, map[string]string{"vocabulary": c.text}, now)
		if strings.Join(got, " ") == "vocabulary" != c.want {
			t.Errorf("after %v, %q: reported: %v", c.after, c.text, got)
		}
	}
	if got := ended(known, map[string]string{}); len(got) != 1 {
		t.Errorf("ended: %v", got)
	}
}
