package bus_test

import (
	"strings"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

// logs are written by many and read by the test.
type logs struct{ stagetest.Log }

// raw is the first text of a library that a user would have to guess at; empty: none.
func raw(text string) string {
	for _, words := range []string{"deadline exceeded", "context canceled", "use of closed", "kafka.(", "EOF", "dial tcp", "i/o timeout", "not a client facing", "broken pipe", "connection reset"} {
		if strings.Contains(text, words) {
			return words
		}
	}
	return ""
}

// has is whether one line has all of these.
func (l *logs) has(want ...string) bool {
	for line := range strings.Lines(l.String()) {
		all := true
		for _, w := range want {
			all = all && strings.Contains(line, w)
		}
		if all {
			return true
		}
	}
	return false
}

// measured returns a client, its log and its metrics.
func measured(t testing.TB, broker string) (*bus.Client, *logs, sdkmetric.Reader) {
	t.Helper()
	out, reader := &logs{}, sdkmetric.NewManualReader()
	c, err := bus.New(bus.Options{Brokers: []string{broker}, Logger: out.Logger(),
		Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, out, reader
}
