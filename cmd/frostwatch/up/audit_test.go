package up

import (
	"log/slog"
	"strings"
	"testing"
)

// `up` prints problems only, but who edited what is in its log all the same.
func TestEditsAreLogged(t *testing.T) {
	var said strings.Builder
	log := slog.New(audited{
		quiet: slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelError}),
		loud:  slog.NewTextHandler(&said, nil),
	}).With("worker", "w")
	log.Info("a stage has begun")
	log.Info("audit", "who", "anna", "what", "mark alerts")
	log.Error("a disk is full")
	text := said.String()
	if strings.Count(text, "\n") != 2 || !strings.Contains(text, "msg=audit worker=w who=anna what=\"mark alerts\"") || !strings.Contains(text, "a disk is full") {
		t.Errorf("the log: %s", text)
	}
}
