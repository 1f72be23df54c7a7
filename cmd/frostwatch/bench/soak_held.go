package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// held is what a process held, at one time after the other.
type held struct {
	name, http                                       string // the process, and the address of its metrics
	seconds, memory, heap, native, goroutines, files []float64
}

// metricsMost bounds a page of metrics.
const metricsMost = 16 << 20

// look reads it from a process's metrics, where operators do.
func (h *held) look(ctx context.Context, at time.Duration) error {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.http+"/metrics", http.NoBody)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return fmt.Errorf("read its metrics: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // read to its end, or given up
	values := map[string]float64{}
	lines := bufio.NewScanner(io.LimitReader(res.Body, metricsMost))
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		name, _, _ = strings.Cut(name, "{")
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			values[name] = v
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read its metrics: %w", err)
	}
	return h.take(at, values)
}

func (h *held) take(at time.Duration, values map[string]float64) error {
	for name, to := range map[string]*[]float64{"process_resident_memory_bytes": &h.memory, "go_memstats_heap_alloc_bytes": &h.heap, "process_c_allocated_bytes": &h.native, "go_goroutines": &h.goroutines, "process_open_fds": &h.files} {
		v, ok := values[name]
		if !ok {
			return fmt.Errorf("its metrics lack %s", name)
		}
		*to = append(*to, v)
	}
	h.seconds = append(h.seconds, at.Seconds())
	return nil
}

// latest is for people who wait.
func (h *held) latest() string {
	last := len(h.seconds) - 1
	return fmt.Sprintf("%s %.1f MB", h.name, h.memory[last]/(1<<20))
}

func megabytes(bytes []float64) (out []float64) {
	for _, v := range bytes {
		out = append(out, v/(1<<20))
	}
	return out
}

// figures are those without what came in the first so many seconds.
func (h *held) figures(left float64) soakProcess {
	first := 0
	for first < len(h.seconds) && h.seconds[first] < left {
		first++
	}
	seconds := h.seconds[first:]
	memory, heap, native := megabytes(h.memory[first:]), megabytes(h.heap[first:]), megabytes(h.native[first:])
	most := 0.
	if len(memory) > 0 {
		most = soakMemory * memory[0]
	}
	return soakProcess{
		Name: h.name, Memory: slopeOf(seconds, memory, most), Heap: slopeOf(seconds, heap, most), Native: slopeOf(seconds, native, most),
		Goroutines: slopeOf(seconds, h.goroutines[first:], soakCount), Files: slopeOf(seconds, h.files[first:], soakCount),
	}
}
