package telemetry_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// Names and values of any length come from Kafka and Redis, in texts, errors and lists.
func TestTextsOfLinesAreCut(t *testing.T) {
	long := strings.Repeat("ä", 100_000)
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log, err := telemetry.NewLogger(&out, "info", format)
		if err != nil {
			t.Fatal(err)
		}
		log.With("camera", long).Warn(long, "error", errors.New(long), "names", []string{long}, "short", "as it is")
		if line := out.String(); len(line) > 10_000 || strings.Count(line, "(200000 bytes)") != 3 || !strings.Contains(line, "as it is") || !strings.Contains(line, "… (2000") {
			t.Errorf("%s: a line of %d bytes: %.300s", format, len(line), line)
		}
	}
}

// Who may write to Kafka or Redis does not fill the disk by what is wrong with it; other lines
// are still written, and so is who edited what.
func TestLinesOfAMessageAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log, err := telemetry.NewLogger(&out, "info", "text")
		if err != nil {
			t.Fatal(err)
		}
		for n := range 5000 {
			log.With("n", n).Warn("a record goes to the dead letters")
			log.Info("audit", "who", n)
		}
		log.Warn("another")
		text := out.String()
		if n := strings.Count(text, "dead letters"); n != 600 || strings.Count(text, "further=") != 1 {
			t.Errorf("%d lines, %d of which say that more are left out", n, strings.Count(text, "further="))
		}
		if strings.Count(text, "msg=audit") != 5000 || !strings.Contains(text, "msg=another") {
			t.Error("other lines are left out as well")
		}
		time.Sleep(time.Minute)
		log.Warn("a record goes to the dead letters")
		for n := range 3000 { // messages that are made up
			log.Warn(fmt.Sprint("message ", n))
		}
		if n := strings.Count(out.String(), "\n") - strings.Count(text, "\n"); n > 1700 {
			t.Errorf("%d lines of made-up messages", n)
		}
	})
}
