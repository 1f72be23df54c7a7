package commands

import (
	"context"
	"io"
	"testing"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
)

// A stage that is stopped while it starts ends without an error.
func TestAStopDuringAStagesStartIsNoError(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	build := func(*process.Process) ([]process.Part, error) { stop(); return nil, ctx.Err() }
	if err := (Program{Out: io.Discard, Err: io.Discard}).runStage(ctx, stageFlags{}, "ingest", nil, build); err != nil {
		t.Error(err)
	}
}
