package up

import (
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Anyone may write to the topics: no text of a record may move the cursor, or
// pass for a line of its own.
func TestLinesOfAlertsAreOneLine(t *testing.T) {
	const evil = "x\x1b[2J\r\n12:00:00  ALERT   vault \u202e"
	line := alertLine(topics.Alert{At: time.Now(), Camera: evil, Rule: evil, Severity: evil, Label: evil, NearestBase: evil, Novel: true, Reason: evil})
	if strings.ContainsAny(line, "\x1b\r\n\u202e") {
		t.Errorf("printed raw: %q", line)
	}
}
