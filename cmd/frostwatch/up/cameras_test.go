package up

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// A mistake in --video is reported by the name of the flag.
func TestAVideoNamedTwiceIsRefused(t *testing.T) {
	file := shared.Path(t, "model", "demo", "yard_fence.mp4")
	u := &up{Options: Options{Videos: []string{file, file}}, cfg: config.Default(), log: slog.New(slog.DiscardHandler), at: Endpoints{RTSP: "127.0.0.1:0"}}
	err := u.findCameras()
	if err == nil || !strings.HasPrefix(err.Error(), "--video "+file+": add camera yard_fence: another has this name") {
		t.Errorf("got %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := u.sim.Run(ended); err != nil {
		t.Errorf("close the simulator: %v", err)
	}
}
