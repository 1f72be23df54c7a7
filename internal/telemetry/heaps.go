package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/frostwatch/frostwatch/internal/malloc"
)

// heaps report what C's allocator holds, of which the collector for Go knows nothing: most
// memory of a process that decodes video or runs a model.
func heaps() []prometheus.Collector {
	gauge := func(name, help string, of func() uint64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(of()) })
	}
	return []prometheus.Collector{
		gauge("process_c_allocated_bytes", "Bytes that C's allocator has given out.", func() uint64 { used, _ := malloc.Usage(); return used }),
		gauge("process_c_idle_bytes", "Bytes that were freed and that C's allocator keeps.", func() uint64 { _, idle := malloc.Usage(); return idle }),
	}
}
