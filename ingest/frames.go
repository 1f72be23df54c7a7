package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// frames hands f and all frames after it to the sink, until the stream ends.
func (r *runner) frames(ctx context.Context, sink Sink, s stream, f *media.Frame) (err error) {
	info := s.Info()
	info.Width, info.Height = f.Width, f.Height
	r.attempt, r.warned = 0, ""
	r.log.InfoContext(ctx, "streaming", "url", cameras.RedactURL(r.camera.Looked()), "codec", info.Codec,
		"width", info.Width, "height", info.Height)
	r.Reporter.Warning(r.part(), nil)
	r.streaming(info)
	r.lookedReel().sized(s.Track())
	sink.Connected(info)
	defer func() { sink.Disconnected(err.Error()) }()
	p := pace{start: time.Now(), on: info.Recorded && !r.AnyPace}
	m := frameRate{reported: info.FPS > 0}
	for {
		if !p.wait(ctx, f.PTS) {
			return media.ErrStopped
		}
		if p.on {
			f.Arrived = time.Now()
		}
		settled := m.see(f.PTS, f.Skipped > 0)
		if settled {
			info.FPS = m.fps
		}
		if settled || f.Width != info.Width || f.Height != info.Height {
			info.Width, info.Height = f.Width, f.Height
			r.streaming(info)
			r.lookedReel().sized(s.Track())
		}
		r.fps.Store(int64(m.fps * 1000))
		r.metrics.frame(ctx, r.camera.Name)
		r.came(f.PTS, f.Kept)
		if err := sink.Frame(ctx, f); err != nil {
			return err
		}
		r.length = f.Until
		if f, err = s.Next(); err != nil {
			return err
		}
	}
}

func (r *runner) streaming(i media.StreamInfo) {
	r.status(topics.StreamStatus{State: topics.StreamStreaming, Codec: i.Codec, Width: i.Width, Height: i.Height, FPS: i.FPS})
}

// endOfFile is how the reason of a recording's end begins.
const endOfFile = "end of file"

// ended publishes the end of a recording.
func (r *runner) ended(ctx context.Context) {
	level, reason := slog.LevelInfo, endOfFile
	window := r.window()
	// The last of a window's frames is that of 127/128 of it.
	if r.length < window*(topics.WindowSpan-1)/topics.WindowSpan {
		level = slog.LevelWarn
		reason = fmt.Sprintf(endOfFile+": it holds %v of video, too little for a clip, which takes %v", r.length.Round(time.Millisecond), window)
	}
	r.log.Log(ctx, level, "stream", "state", topics.StreamStopped, "reason", reason)
	r.health.online()
	r.status(topics.StreamStatus{State: topics.StreamStopped, Reason: reason})
}
