package bench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/frostwatch/frostwatch/topics"
)

// Print writes the report as tables.
func (r Report) Print(w io.Writer) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(cells ...string) {
		_, _ = io.WriteString(t, strings.Join(cells, "\t")+"\n") // t writes to memory
	}
	r.Machine.print(row)
	for _, i := range r.Ingest {
		i.print(row)
	}
	if r.Infer != nil {
		r.Infer.print(row)
	}
	if r.Vocab != nil {
		r.Vocab.print(row)
	}
	if r.Search != nil {
		r.Search.print(row)
	}
	if r.Up != nil {
		r.Up.print(row)
	}
	if r.Capacity != nil {
		r.Capacity.print(row)
	}
	if r.Soak != nil {
		r.Soak.print(row)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (m machine) print(row func(...string)) {
	row("machine", fmt.Sprintf("%s, %d cores, %d MB, %s", m.CPU, m.Cores, m.MemoryMB, m.System))
	row("command", m.Command)
	row("", fmt.Sprintf("Frostwatch %s, %s, %s, load %s", m.Frostwatch, m.Go, m.Date.Format("2006-01-02 15:04 MST"), m.Load))
}

func (i ingestFigures) print(row func(...string)) {
	row()
	watched := ""
	if i.Watch != "" {
		watched = " kept and " + i.Watch + " of it looked at"
	}
	row("ingest", fmt.Sprintf("%s%s (%s), %d cameras, %d processes, short side %d, views %s, decode %s, %.0f s", i.Video, watched, i.Stream, i.Cameras, i.Processes, i.ShortSide, i.Views, i.Decode, i.Seconds))
	row("  CPU", fmt.Sprintf("%.2f s per camera minute", i.CPU))
	if i.FFmpeg > 0 {
		row("  ffmpeg", fmt.Sprintf("%.2f s per camera minute beside it; ours is %.2f times that", i.FFmpeg, i.CPU/i.FFmpeg))
	}
	switch {
	case i.Calm > 0:
		row("  quiet", fmt.Sprintf("all %d after %.1f s", i.Resting, i.Calm))
	case i.Decode == string(topics.DecodeDemand):
		row("  quiet", fmt.Sprintf("%d of %d", i.Resting, i.Cameras))
	}
	row("  memory", fmt.Sprintf("%.1f MB peak per camera, %.1f MB at the end", i.PeakMB, i.EndMB))
	if i.FurtherMB > 0 {
		row("", fmt.Sprintf("%.1f MB for each camera after the first", i.FurtherMB))
	}
	row("  clips", fmt.Sprintf("%.1f per camera minute", i.Clips))
	row("  idle", fmt.Sprintf("%.2f CPU s per minute without cameras, not counted above", i.Idle))
}

func (i inferFigures) print(row func(...string)) {
	row()
	row("infer", fmt.Sprintf("ONNX Runtime %s, %s, %d threads", i.ONNXRuntime, i.Provider, i.Threads))
	for _, m := range i.Models {
		kind := string(m.Precision)
		if m.Framewise {
			kind += ", frame by frame"
		}
		row("  "+m.Model, fmt.Sprintf("%s, %.1f GFLOP a clip; matrix products alone reach %.0f GFLOP/s; loaded in %.1f s", kind, m.GFLOPs, m.MatMul, m.LoadS))
		for _, c := range m.Clips {
			row(fmt.Sprintf("  batch %d", c.Batch), fmt.Sprintf("%.2f clips/s, %.0f%% of that", c.Rate, 100*c.Share))
		}
		for _, c := range m.Known {
			row(fmt.Sprintf("  batch %d", c.Batch), fmt.Sprintf("%.2f clips/s where half of the frames are known", c.Rate))
		}
		row("  stages", fmt.Sprintf("of a clip on one core: JPEG decode %.1f ms (%.0f KB), model %.1f ms", m.Stages.Decode, float64(m.Stages.Bytes)/1024, m.Stages.Model))
		row("  labels", fmt.Sprintf("%.1f labels/s (%.0f texts/s)", m.Labels, m.Texts))
	}
}

func (u upFigures) print(row func(...string)) {
	row()
	row("up", fmt.Sprintf("%d cameras, %.0f s", u.Cameras, u.Seconds))
	for _, d := range []struct {
		name string
		delays
	}{
		{"frame to recognition", u.FrameToRecognition}, {"window end to recognition", u.WindowToRecognition},
		{"frame to alert", u.FrameToAlert}, {"window end to alert", u.WindowToAlert},
	} {
		if d.N == 0 {
			row("  "+d.name, "none")
			continue
		}
		row("  "+d.name, fmt.Sprintf("p50 %.0f ms, p99 %.0f ms, max %.0f ms, n %d", d.P50, d.P99, d.Max, d.N))
	}
	row("  CPU", fmt.Sprintf("%.2f cores", u.CPU))
	row("  memory", fmt.Sprintf("%.0f MB peak", u.PeakMB))
}
