package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

func TestReadyIsForProblemsAlone(t *testing.T) {
	r := newRig(t, "127.0.0.1:1", "vocabulary", "infer")
	stuck := errors.New("no clip for 20s")
	var progress error
	r.reporter.Check("infer", func() error { return progress })
	r.reporter.Problem("kafka", nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- serve(ctx, l, r.mux, slog.New(slog.DiscardHandler)) }()
	for _, step := range []struct {
		name               string
		do                 func()
		problems, warnings map[string]string
	}{
		{"at first", func() {}, map[string]string{"vocabulary": "starting", "infer": "starting"}, nil},
		{"what is waited for", func() { r.reporter.waits("Kafka at b:1") }, map[string]string{"vocabulary": "starting: waits for Kafka at b:1", "infer": "starting: waits for Kafka at b:1"}, nil},
		{"one well", func() { r.reporter.started("infer") }, map[string]string{"vocabulary": "starting: waits for Kafka at b:1"}, nil},
		{"both well", func() { r.reporter.Problem("vocabulary", nil) }, nil, nil},
		{"redis away", func() { r.reporter.Problem("vocabulary", errors.New("redis is away")) }, map[string]string{"vocabulary": "redis is away"}, nil},
		{"a part that reported is not starting", func() { r.reporter.started("vocabulary") }, map[string]string{"vocabulary": "redis is away"}, nil},
		{"redis back", func() { r.reporter.Problem("vocabulary", nil) }, nil, nil},
		{"one camera's fault", func() { r.reporter.Warning("camera lobby", errors.New("no\x1b[31m route")) }, nil, map[string]string{"camera lobby": "no [31m route"}},
		{"no progress", func() { progress = stuck }, map[string]string{"infer": "no clip for 20s"}, map[string]string{"camera lobby": "no [31m route"}},
		{"progress and camera back", func() { progress = nil; r.reporter.Warning("camera lobby", nil) }, nil, nil},
	} {
		step.do()
		status, body := get(t, "http://"+l.Addr().String()+"/readyz")
		var got struct {
			Ready              bool
			Problems, Warnings map[string]string
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%s: %q: %v", step.name, body, err)
		}
		ready := 1
		if len(step.problems) > 0 {
			ready = 0
		}
		_, metrics := get(t, "http://"+l.Addr().String()+"/metrics")
		for _, line := range []string{fmt.Sprintf("frostwatch_ready %d", ready), fmt.Sprintf("frostwatch_problems %d", len(step.problems)), fmt.Sprintf("frostwatch_warnings %d", len(step.warnings))} {
			if !strings.Contains(metrics, "\n"+line+"\n") {
				t.Errorf("%s: the metrics lack %q", step.name, line)
			}
		}
		want := http.StatusOK
		if len(step.problems) > 0 {
			want = http.StatusServiceUnavailable
		}
		if status != want || got.Ready != (len(step.problems) == 0) || !maps.Equal(got.Problems, step.problems) || !maps.Equal(got.Warnings, step.warnings) {
			t.Errorf("%s: %d %s, want %d with problems %v and warnings %v", step.name, status, strings.TrimSpace(body), want, step.problems, step.warnings)
		}
		// Not being ready is no reason to be killed.
		if status, _ := get(t, "http://"+l.Addr().String()+"/healthz"); status != http.StatusOK {
			t.Errorf("%s: /healthz is %d", step.name, status)
		}
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if err := r.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// An event stream lives as long as the process, and does not hold up its end.
func TestServeEndsWithItsContext(t *testing.T) {
	mux := http.NewServeMux()
	gone := make(chan struct{})
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "data: one\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(gone)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- serve(ctx, l, mux, slog.New(slog.DiscardHandler)) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprint(conn, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	cancel()
	if err := <-served; err != nil {
		t.Errorf("serve: %v, want nil when asked to end", err)
	}
	<-gone
	if took := time.Since(begun); took > 8*time.Second {
		t.Errorf("the stream of events held up the end for %v", took)
	}
	if c, err := net.DialTimeout("tcp", l.Addr().String(), time.Second); err == nil {
		_ = c.Close()
		t.Error("the port still answers")
	}
}

func TestServeNamesADeadListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	err = serve(t.Context(), l, http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("error %v, want one that names %s", err, l.Addr())
	}
}

func TestReporterFillsTheWorkersRecord(t *testing.T) {
	r := newReporter()
	r.Describe(func(w *topics.Worker) { w.Stages["infer"] = topics.WorkerStage{Partitions: []int{1, 2}, Lag: 3} })
	r.Describe(func(w *topics.Worker) { w.Model = "m" })
	r.Problem("kafka", errors.New("away"))
	r.Warning("camera a", errors.New("dark"))
	w := topics.Worker{Stages: map[string]topics.WorkerStage{}}
	r.fill(&w)
	if w.Model != "m" || w.Stages["infer"].Lag != 3 || w.Problems["kafka"] != "away" || w.Warnings["camera a"] != "dark" {
		t.Errorf("got %+v", w)
	}
}
