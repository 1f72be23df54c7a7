package telemetry_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// Somebody who makes up names of cameras does not fill the memory. That more are not told apart
// is said at once, and cameras that are gone make room for new ones without a restart.
func TestSeriesAreBounded(t *testing.T) {
	now := time.Now()
	var said []string
	tel := start(t, telemetry.Options{Service: "x", Now: func() time.Time { return now }, Full: func(metric string, err error) { said = append(said, fmt.Sprint(metric, ": ", err)) }})
	i := telemetry.Instruments{Meter: tel.Meter("x")}
	c := i.CounterBy("frostwatch.clips", "{clip}", "clips")
	gaps := i.TimeBy("frostwatch.gap", "time without a clip")
	of := func(n int) metric.AddOption { return metric.WithAttributes(attribute.Int("camera", n)) }
	for n := range 10_100 {
		c.Add(context.Background(), 1, of(n))
		gaps.Add(context.Background(), .5, of(n))
	}
	body := scrape(t, tel)
	for _, name := range []string{"frostwatch_clips_total", "frostwatch_gap_seconds_total"} {
		if n := strings.Count(body, "\n"+name+"{"); n != 10_000 || !strings.Contains(body, name+`{otel_metric_overflow="true"} `) {
			t.Errorf("%s: %d series, or what is beyond is not added up", name, n)
		}
	}
	if !strings.Contains(body, `frostwatch_clips_total{otel_metric_overflow="true"} 101`) || len(said) != 2 || !strings.HasPrefix(said[0], "frostwatch.clips: it has more than 10000 series") {
		t.Errorf("said is %q", said)
	}
	now = now.Add(30 * time.Minute)
	c.Add(context.Background(), 1, of(7)) // one that is still there
	gaps.Add(context.Background(), .5, of(7))
	now = now.Add(31 * time.Minute)
	c.Add(context.Background(), 1, of(20_000))
	body = scrape(t, tel)
	for _, want := range []string{`frostwatch_clips_total{camera="7"} 2`, `frostwatch_clips_total{camera="20000"} 1`, `frostwatch_clips_total{otel_metric_overflow="true"} 101`, `frostwatch_gap_seconds_total{camera="7"} 1`} {
		if !strings.Contains(body, "\n"+want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	if n := strings.Count(body, "\nfrostwatch_clips_total{"); n != 3 || len(said) != 4 || said[2] != "frostwatch.clips: <nil>" {
		t.Errorf("%d series; said is %q", n, said)
	}
}

// An instrument that several stages of a process make is one.
func TestACounterThatIsMadeTwice(t *testing.T) {
	tel := start(t, telemetry.Options{Service: "x"})
	for range 2 {
		i := telemetry.Instruments{Meter: tel.Meter("x")}
		i.Counter("frostwatch.clips", "{clip}", "clips").Add(context.Background(), 2)
		if err := i.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if body := scrape(t, tel); !strings.Contains(body, "\nfrostwatch_clips_total 4\n") {
		t.Errorf("\n%s", body)
	}
}
