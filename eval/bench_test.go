package eval

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// BenchmarkBesideTheModelAlone is an evaluation's clips a second beside those of
// the model alone on frames that are decoded already, as `frostwatch bench
// infer` measures it, in turn, so that both meet the same load of the machine:
// `FROSTWATCH_EVAL_MODEL=FOLDER go test ./internal/eval -run xxx -bench Beside
// -benchtime 5x`. Without the variable the demo's model is measured, which costs
// little beside the decoding.
func BenchmarkBesideTheModelAlone(b *testing.B) {
	bundle, err := froster.OpenBundle(os.Getenv("FROSTWATCH_EVAL_MODEL"))
	if os.Getenv("FROSTWATCH_EVAL_MODEL") == "" {
		bundle, err = importDemo(b), nil
	}
	if err != nil {
		b.Fatal(err)
	}
	m := &demoModel{Model: load(b, bundle)}
	o := testOptions(m)
	o.Batch, o.Decoders = 8, 0
	plan := benchPlan(b, 24) // 72 clips: whole batches, and enough that the first and the last weigh little
	r, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	var ratios, work, busy []float64
	for b.Loop() {
		alone := measured(b, m, func() error { return embedAlone(b, m, o.Batch, 3) })
		whole := measured(b, m, func() error {
			_, err := r.Run(b.Context(), plan)
			return err
		})
		ratios, work, busy = append(ratios, whole.rate/alone.rate), append(work, alone.cpu/whole.cpu), append(busy, whole.busy)
		b.Logf("model alone: %v; evaluation: %v; %.1f%% of the rate", alone, whole, 100*whole.rate/alone.rate)
	}
	b.ReportMetric(middle(ratios), "of_the_rate")
	b.ReportMetric(middle(work), "of_the_cpu_time")
	b.ReportMetric(middle(busy), "of_the_time_the_model_runs")
}

// figures are clips a second, this process' CPU seconds a clip, and the share of
// the time that the model runs. On a machine that others use the last two say
// more than the first.
type figures struct{ rate, cpu, busy float64 }

func (f figures) String() string {
	return fmt.Sprintf("%.3f clips/s, %.3f CPU s a clip, the model running %.1f%% of the time", f.rate, f.cpu, 100*f.busy)
}

func measured(b *testing.B, m *demoModel, do func() error) figures {
	b.Helper()
	clips, busy, begun, spent := m.clips.Load(), m.busy.Load(), time.Now(), cpuTime(b)
	if err := do(); err != nil {
		b.Fatal(err)
	}
	took, n := time.Since(begun).Seconds(), float64(m.clips.Load()-clips)
	return figures{n / took, (cpuTime(b) - spent) / n, float64(m.busy.Load()-busy) / 1e9 / took}
}

func cpuTime(b *testing.B) float64 {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func embedAlone(b *testing.B, m *demoModel, batch, batches int) error {
	b.Helper()
	d := m.Bundle().Dims
	frames := make([]byte, batch*d.Frames*d.ImageSize*d.ImageSize*3)
	for i := range frames {
		frames[i] = byte(i * 7)
	}
	for range batches {
		if _, err := m.EmbedClips(b.Context(), frames, batch); err != nil {
			return err
		}
	}
	return nil
}

// benchPlan is ten-second videos of the size that Kinetics is handed around in.
func benchPlan(b *testing.B, videos int) Plan {
	b.Helper()
	dir := b.TempDir()
	source := shared.Path(b, "videos", "one-by-one-person-detection.mp4")
	var lines strings.Builder
	for i := range videos {
		ffmpeg(b, "-ss", fmt.Sprint(10*i%130), "-t", "10", "-i", source, "-vf", "scale=340:256,fps=30", "-c:v", "libx264", "-crf", "23", filepath.Join(dir, fmt.Sprintf("%d.mp4", i)))
		fmt.Fprintf(&lines, "%d.mp4 0\n", i)
	}
	write(b, filepath.Join(dir, "classes.txt"), "walking\nrunning\n")
	p, err := ReadPlan(Lists{Lists: []string{write(b, filepath.Join(dir, "list.txt"), lines.String())}})
	if err != nil {
		b.Fatal(err)
	}
	return p
}
