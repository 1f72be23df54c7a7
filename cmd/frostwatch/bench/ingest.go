package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// ingestFigures measures ingest and the framer with cameras that all show one
// video.
type ingestFigures struct {
	Video     string  `json:"video"`
	Stream    string  `json:"stream"` // codec, size, and the frame rate if the stream states it
	ShortSide int     `json:"short_side"`
	Views     string  `json:"views"`
	Decode    string  `json:"decode"`
	Processes int     `json:"processes"`
	Watch     string  `json:"watch,omitempty"` // size of the stream that is looked at; empty: that of the video
	Cameras   int     `json:"cameras"`
	Seconds   float64 `json:"seconds"`
	// CPU is in seconds of one core, for the process minus what it uses without
	// cameras. Clips shows that the cameras were read throughout.
	CPU   float64 `json:"cpu_s_per_camera_minute"`
	Clips float64 `json:"clips_per_camera_minute"`
	Idle  float64 `json:"idle_cpu_s_per_minute"` // measured before the first camera
	// MB are megabytes of resident memory, minus the memory before the first
	// camera.
	PeakMB float64 `json:"peak_rss_mb_per_camera"`
	EndMB  float64 `json:"rss_mb_per_camera_at_end"`
	// FurtherMB is what each camera after the first adds: what cameras share is not in it.
	FurtherMB float64 `json:"rss_mb_per_further_camera,omitempty"`
	// FFmpeg is what ffmpeg uses for a camera beside it, with one thread; 0: not measured.
	FFmpeg float64 `json:"ffmpeg_cpu_s_per_camera_minute,omitempty"`
	// Calm is after how many seconds all cameras had learned what is usual for them, or as
	// many as did (Resting), counted from when they were added, of which one was at rest; 0: not all did.
	Calm    float64 `json:"all_calm_after_s,omitempty"`
	Resting int     `json:"resting,omitempty"`
}

const (
	// joinTime is how long the process has to join its consumer group. After
	// it, the process is measured without cameras for idleTime.
	joinTime = 3 * time.Second
	idleTime = 5 * time.Second
	// settleTime is how long cameras may take until each has sent a clip, and a second more
	// for each.
	settleTime = time.Minute
	// calmTime is how long no further camera may come to rest before it is measured what
	// they cost. One alone takes some ten seconds.
	calmTime = 15 * time.Second
	// steadyTime is over how long memory is averaged, since it rises and falls with each
	// collection of garbage.
	steadyTime = 5 * time.Second
)

func (b *bench) ingest(ctx context.Context) ([]ingestFigures, error) {
	films, err := b.films(ctx)
	if err != nil {
		return nil, err
	}
	videos := slices.Concat(films, b.Videos)
	if len(videos) == 0 {
		clips, err := demo.Clips()
		if err != nil {
			return nil, err
		}
		videos = []string{filepath.Join(b.demoDir(), clips[0]+".mp4")}
	}
	var out []ingestFigures
	modes := b.Decode
	switch {
	case len(modes) > 0:
	case len(films) > 0:
		modes = []string{string(topics.DecodeAlways), string(topics.DecodeDemand)}
	default:
		modes = []string{string(config.Default().Ingest.Decode)}
	}
	for _, video := range videos {
		for _, w := range b.ways(modes, slices.Contains(films, video)) {
			b.say("ingest: %d cameras of %s, watch %q, decode %s, %d processes, %v", b.Cameras, filepath.Base(video), w.watch, w.decode, w.processes, b.Time)
			one, err := b.ingestOne(ctx, video, w, filepath.Join(b.dir, fmt.Sprintf("kafka-%d", len(out))))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Base(video), err)
			}
			out = append(out, one)
		}
	}
	return out, nil
}

// way is how the cameras of a video are read.
type way struct {
	watch     string // size of the stream that is looked at; empty: the video itself
	decode    topics.Decode
	processes int
}

// ways are those in which a video is read in turn. Only the films that are made here have
// a smaller stream beside them.
func (b *bench) ways(modes []string, smaller bool) []way {
	watches := []string{""}
	if b.Watch != "" && smaller {
		watches = append(watches, b.Watch)
	}
	var out []way
	for _, decode := range modes {
		for _, watch := range watches {
			for _, processes := range b.Processes {
				out = append(out, way{watch, topics.Decode(decode), processes})
			}
		}
	}
	return out
}

// ingestOne serves the video from another process and reads it in this one. The
// broker here carries only the cameras table and the cameras' status.
func (b *bench) ingestOne(ctx context.Context, video string, w way, dir string) (out ingestFigures, err error) {
	films := slices.Repeat([]string{video}, b.Cameras)
	if w.watch != "" {
		films = append(films, slices.Repeat([]string{subFilm(video)}, b.Cameras)...)
	}
	sim, urls, err := b.simulate(ctx, films)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, sim.end()) }()
	log, err := telemetry.NewLogger(b.Err, "error", "text")
	if err != nil {
		return out, err
	}
	broker, err := embedded.StartBroker(embedded.BrokerOptions{Dir: dir, Logger: log})
	if err != nil {
		return out, err
	}
	defer broker.Close()
	cfg := config.Default()
	cfg.Kafka = cfg.Kafka.At(broker.Addr())
	cfg.Ingest.Decode, cfg.Ingest.Processes = w.decode, w.processes
	cfg.Ingest.Allow = []string{"127.0.0.1"} // the simulator
	if b.Watch != "" {                       // packets are kept in both ways
		cfg.Ingest.Packets.Dir, cfg.Archive.Bucket = dir+"-packets", dir+"-films"
	}
	if len(b.Views) > 0 {
		cfg.Framer.Views = nil
	}
	for _, v := range b.Views {
		cfg.Framer.Views = append(cfg.Framer.Views, topics.View(v))
	}
	pr, err := process.Open(ctx, process.Options{Config: cfg, Logger: log, Service: "frostwatch-bench", Version: b.Version, Itself: true})
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, pr.Close(ctx)) }()
	if err := pr.EnsureTopics(ctx); err != nil {
		return out, err
	}
	out = ingestFigures{Video: filepath.Base(video), ShortSide: cfg.Framer.ShortSide, Views: topics.ViewNames(cfg.Framer.Views), Decode: string(w.decode), Watch: w.watch, Processes: w.processes, Cameras: b.Cameras}
	err = b.withIngest(ctx, pr, func(ctx context.Context, r *sink) error {
		return b.readCameras(ctx, pr, r, camerasAt(urls, b.Cameras), &out)
	})
	return out, err
}

// camerasAt are n cameras that are read at the first n URLs, and looked at by the others,
// where there are any.
func camerasAt(urls []string, n int) []topics.Camera {
	out := make([]topics.Camera, n)
	for i := range out {
		out[i] = topics.Camera{Name: fmt.Sprintf("camera-%d", i+1), URL: urls[i]}
		if len(urls) > n {
			out[i].Watch = urls[n+i]
		}
	}
	return out
}

// readCameras measures first without cameras, then with them.
func (b *bench) readCameras(ctx context.Context, pr *process.Process, r *sink, cameras []topics.Camera, out *ingestFigures) error {
	if _, err := b.spend(ctx, r, joinTime); err != nil {
		return err
	}
	debug.FreeOSMemory()
	idle, err := b.spend(ctx, r, idleTime)
	if err != nil {
		return err
	}
	if err := forgetPeak(); err != nil {
		return err
	}
	before := heldMB()
	one, err := b.join(ctx, pr, r, cameras[:1], out)
	if err != nil {
		return err
	}
	all, err := b.join(ctx, pr, r, cameras, out)
	if err != nil {
		return err
	}
	busy, beside, err := b.spendBeside(ctx, r, cameras[0].URL, pr.Config)
	if err != nil {
		return err
	}
	n := float64(b.Cameras)
	out.Stream, out.Seconds, out.Idle, out.FFmpeg = r.stream(), busy.wall.Seconds(), idle.cpuPerMinute(), beside
	out.CPU = (busy.cpuPerMinute() - idle.cpuPerMinute()) / n
	out.Clips = float64(busy.clips) / n / busy.wall.Minutes()
	_, most := readersMB()
	out.PeakMB, out.EndMB = (peakMB(self)+most-before)/n, (heldMB()-before)/n
	if b.Cameras > 1 {
		out.FurtherMB = (all - one) / (n - 1)
	}
	return nil
}

// join adds those cameras that are not there yet, waits until all are as they will be, and
// returns the memory of the process then, if there are several to be compared.
func (b *bench) join(ctx context.Context, pr *process.Process, r *sink, cameras []topics.Camera, out *ingestFigures) (mb float64, err error) {
	table, err := pr.Cameras()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	for _, camera := range cameras {
		if err := table.Put(ctx, camera); err != nil {
			return 0, err
		}
	}
	if err := r.settled(ctx, len(cameras)); err != nil {
		return 0, err
	}
	if out.Decode == string(topics.DecodeDemand) {
		if out.Resting, err = r.rested(ctx, len(cameras)); err != nil {
			return 0, err
		}
		if out.Calm = 0; out.Resting == len(cameras) {
			out.Calm = time.Since(begun).Seconds()
		}
	}
	if b.Cameras == 1 {
		return 0, nil
	}
	return steadyMB(ctx, steadyTime)
}

// spendBeside measures for the time asked for, with ffmpeg beside it if that is wanted.
func (b *bench) spendBeside(ctx context.Context, r *sink, url string, c config.Config) (busy spent, ffmpeg float64, err error) {
	if !b.Beside && len(b.Films) == 0 {
		busy, err = b.spend(ctx, r, b.Time)
		return busy, 0, err
	}
	p, err := startPeer(ctx, url, c.Framer.ShortSide, c.Framer.Window)
	if err != nil {
		return busy, 0, err
	}
	defer p.end()
	if _, err := b.spend(ctx, r, joinTime); err != nil {
		return busy, 0, err
	}
	before, err := p.cpu()
	if err != nil {
		return busy, 0, err
	}
	if busy, err = b.spend(ctx, r, b.Time); err != nil {
		return busy, 0, err
	}
	after, err := p.cpu()
	return busy, (after - before).Seconds() / busy.wall.Minutes(), err
}
