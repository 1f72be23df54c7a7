package process

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/internal/disk"
	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// gauges show what is asked at each scrape.
type gauges struct {
	ready, problems, warnings, free, size metric.Int64ObservableGauge
}

// observe registers the gauges of the process itself. They end with its meter.
func (p *Process) observe() error {
	meter := p.tel.Meter("process")
	i := telemetry.Instruments{Meter: meter}
	g := gauges{
		ready:    i.GaugeBy("frostwatch.ready", "", "1 if the process can work, else 0, as /readyz says"),
		problems: i.GaugeBy("frostwatch.problems", "{problem}", "what keeps the process from working, as /readyz lists it"),
		warnings: i.GaugeBy("frostwatch.warnings", "{warning}", "what is wrong but does not keep the process from working, as /readyz lists it"),
		free:     i.GaugeBy("frostwatch.disk.free", "By", "free space on the disk of a folder that is written to, by what it holds"),
		size:     i.GaugeBy("frostwatch.disk.size", "By", "size of that disk, by what the folder holds"),
	}
	if err := i.Err(); err != nil {
		return err
	}
	_, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		p.gauge(o, g)
		return nil
	}, g.ready, g.problems, g.warnings, g.free, g.size)
	if err != nil {
		return fmt.Errorf("observe the process: %w", err)
	}
	return nil
}

func (p *Process) gauge(o metric.Observer, g gauges) {
	now, ready := p.reporter.look(), int64(0)
	if len(now.Problems) == 0 {
		ready = 1
	}
	o.ObserveInt64(g.ready, ready)
	o.ObserveInt64(g.problems, int64(len(now.Problems)))
	o.ObserveInt64(g.warnings, int64(len(now.Warnings)))
	for holds, dir := range p.written() {
		if room, _, err := disk.Above(dir); err == nil { // else the stage that writes there says so
			of := metric.WithAttributes(attribute.String("holds", holds))
			o.ObserveInt64(g.free, room.Free, of)
			o.ObserveInt64(g.size, room.Size, of)
		}
	}
}

// written are the folders that this process writes to, by what they hold.
func (p *Process) written() map[string]string {
	out := map[string]string{}
	all := p.folders()
	for stage, holds := range map[string]string{"archive": "archive", "ingest": "packets"} {
		if dir := all[stage]; dir != "" && slices.Contains(p.stages, stage) {
			out[holds] = dir
		}
	}
	if p.data != "" {
		out["data"] = p.data
	}
	return out
}
