package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/up"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// upFigures measures the whole product in a process of its own, simulator
// included. A delay ends at the record's time on Kafka, as its producer wrote
// it. It begins at the clip's last frame, or at the end of the clip's window,
// which is about a frame later. Both are times of the clock that the framer
// gives the stream, which counts from when its first frame was decoded.
type upFigures struct {
	Cameras int     `json:"cameras"`
	Seconds float64 `json:"seconds"`
	// CPU is for `up` and its Redis from start to end, including the import of
	// the model; PeakMB is for `up` alone.
	CPU    float64 `json:"cpu_cores_used"`
	PeakMB float64 `json:"peak_rss_mb"`

	FrameToRecognition  delays `json:"frame_to_recognition"`
	WindowToRecognition delays `json:"window_end_to_recognition"`
	FrameToAlert        delays `json:"frame_to_alert"`
	WindowToAlert       delays `json:"window_end_to_alert"`
}

func (b *bench) up(ctx context.Context) (out *upFigures, err error) {
	b.say("up: %v", b.Time)
	data := filepath.Join(b.dir, "up")
	args := []string{"up", "--ports", "auto", "--data", data}
	if b.Model != "" {
		args = append(args, "--model", b.Model)
	}
	for _, v := range b.Videos {
		args = append(args, "--video", v)
	}
	begun := time.Now()
	c, err := b.startChild(ctx, args...)
	if err != nil {
		return nil, err
	}
	var figures upFigures
	err = b.watchUp(ctx, c, data, &figures)
	if err = errors.Join(err, c.end()); err != nil {
		return nil, err
	}
	state := c.cmd.ProcessState
	figures.CPU = (state.UserTime() + state.SystemTime()).Seconds() / time.Since(begun).Seconds()
	return &figures, nil
}

// watchUp measures the records of a running `up` and reads its output
// meanwhile.
func (b *bench) watchUp(ctx context.Context, c *child, data string, out *upFigures) error {
	at, err := awaitEndpoints(ctx, c, data)
	if err != nil {
		return err
	}
	client, err := process.Kafka(config.Kafka{}.At(at.Kafka), "frostwatch-bench", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	past, err := archive.NewReader(archive.ReaderOptions{Log: client, Names: topics.Names{Prefix: topics.DefaultPrefix}})
	if err != nil {
		return err
	}
	// `up` may still be creating its topics; this waits for them.
	if _, err := client.PartitionOf(ctx, topics.Names{Prefix: topics.DefaultPrefix}.Of(topics.Actions), nil); err != nil {
		return err
	}
	w := upWatch{past: past, since: time.Now().Add(-time.Second)}
	if err := w.run(ctx, b.Time); err != nil {
		return err
	}
	captured, err := w.captured(ctx)
	if err != nil {
		return err
	}
	w.summarise(captured, out)
	out.Seconds = b.Time.Seconds()
	out.PeakMB = peakMB(fmt.Sprint(c.cmd.Process.Pid))
	return nil
}

// awaitEndpoints waits for the line that `up` prints once it runs. Later output
// is discarded by a goroutine that ends with `up`.
func awaitEndpoints(ctx context.Context, c *child, data string) (at up.Endpoints, err error) {
	if _, err := c.line(); err != nil {
		return at, fmt.Errorf("start up: %w", err)
	}
	if at, err = up.ReadEndpoints(data); err != nil {
		return at, err
	}
	c.drain()
	return at, ctx.Err()
}

// seenRecord is the part of a record that is needed for its delay.
type seenRecord struct {
	clip      string
	windowEnd time.Time
	published time.Time
}

// upWatch collects the records of one `up`.
type upWatch struct {
	past  *archive.Reader
	since time.Time

	recognitions []seenRecord
	alerts       []seenRecord
	cameras      map[string]bool
}

// run waits for d after the first recognition and collects the records of that
// time.
func (w *upWatch) run(ctx context.Context, d time.Duration) error {
	const startTime = 2 * time.Minute
	if err := w.begun(ctx, startTime); err != nil {
		return err
	}
	if !pause.For(ctx, d) {
		return context.Cause(ctx)
	}
	return w.collect(ctx)
}

// begun returns once there is a recognition.
func (w *upWatch) begun(ctx context.Context, within time.Duration) error {
	const look = 250 * time.Millisecond
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		found := false
		_, err := w.past.Actions(ctx, archive.Range{Since: w.since}, func(archive.Record[topics.Recognition]) error {
			found = true
			return archive.ErrStop
		})
		if err != nil || found {
			return err
		}
		if !pause.For(ctx, look) {
			return context.Cause(ctx)
		}
	}
	return fmt.Errorf("no recognition within %v", within)
}

func (w *upWatch) collect(ctx context.Context) error {
	w.cameras = map[string]bool{}
	g := archive.Range{Since: w.since}
	_, err := w.past.Actions(ctx, g, func(r archive.Record[topics.Recognition]) error {
		w.cameras[r.Value.Camera] = true
		w.recognitions = append(w.recognitions, seenRecord{r.Value.ClipID, r.Value.End, r.Time})
		return nil
	})
	if err != nil {
		return err
	}
	_, err = w.past.Alerts(ctx, g, func(r archive.Record[topics.Alert]) error {
		// Alerts that are cleared had to wait for later clips, so only raised
		// ones count.
		if r.Value.State == topics.AlertRaised {
			w.alerts = append(w.alerts, seenRecord{r.Value.Clip, r.Value.At, r.Time})
		}
		return nil
	})
	return err
}

// captured returns when the last frame of each clip was captured. Clips are
// read after the measurement because they are large.
func (w *upWatch) captured(ctx context.Context) (map[string]time.Time, error) {
	const readTime = time.Minute
	ctx, stop := context.WithTimeout(ctx, readTime)
	defer stop()
	wanted := map[string]bool{}
	for _, r := range append(slices.Clone(w.recognitions), w.alerts...) {
		wanted[r.clip] = true
	}
	out := map[string]time.Time{}
	_, err := w.past.Clips(ctx, archive.Range{Since: w.since}, func(r archive.Record[topics.Clip]) error {
		c := r.Value
		if wanted[c.ID] {
			out[c.ID] = c.Frames[len(c.Frames)-1].Captured
		}
		if len(out) == len(wanted) {
			return archive.ErrStop
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the clips of %d recognitions: %w", len(wanted), err)
	}
	return out, nil
}

func (w *upWatch) summarise(captured map[string]time.Time, out *upFigures) {
	out.Cameras = len(w.cameras)
	fromFrame := func(s seenRecord) (time.Time, bool) { t, ok := captured[s.clip]; return t, ok }
	fromWindow := func(s seenRecord) (time.Time, bool) { return s.windowEnd, true }
	out.FrameToRecognition = delaysFrom(w.recognitions, fromFrame)
	out.WindowToRecognition = delaysFrom(w.recognitions, fromWindow)
	out.FrameToAlert = delaysFrom(w.alerts, fromFrame)
	out.WindowToAlert = delaysFrom(w.alerts, fromWindow)
}
