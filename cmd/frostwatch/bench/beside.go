package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// peer is an ffmpeg that does with one camera what ingest and the framer do with each:
// it reads the same stream, picks a frame each step of a clip, makes it smaller and
// compresses it. It runs at the same time, so that both meet the same load.
type peer struct {
	cmd  *exec.Cmd
	stop context.CancelFunc
}

// startPeer runs until end is called.
func startPeer(ctx context.Context, url string, short int, window time.Duration) (*peer, error) {
	step := window.Seconds() * (topics.WindowSpan - 1) / topics.WindowSpan / (topics.ClipFrames - 1)
	ctx, stop := context.WithCancel(ctx)
	//nolint:gosec // the URL is that of the benchmark's own simulator
	cmd := exec.CommandContext(ctx, "ffmpeg", "-nostdin", "-v", "error", "-threads", "1", "-filter_threads", "1",
		"-rtsp_transport", "tcp", "-i", url, "-vf", fmt.Sprintf("fps=1/%.6f,scale=-2:%d", step, short),
		"-threads", "1", "-c:v", "mjpeg", "-q:v", "3", "-f", "null", "-")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		stop()
		return nil, fmt.Errorf("run ffmpeg beside it: %w", err)
	}
	return &peer{cmd, stop}, nil
}

// cpu is its processor time so far; an error once it has ended.
func (p *peer) cpu() (time.Duration, error) { return cpuOf(strconv.Itoa(p.cmd.Process.Pid)) }

// end stops it and waits for it.
func (p *peer) end() {
	p.stop()
	_ = p.cmd.Wait() // it was interrupted; an end of its own is noticed by cpu
}
