package vocab

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// set edits the vocabulary that tests watch: label, value, label, value, ...
func set(t *testing.T, s *redistest.Server, pairs ...string) {
	t.Helper()
	s.HSet(t, "f:vocab:default", pairs...)
}

// watched is a Watcher at work.
type watched struct {
	*Watcher
	log     *stagetest.Log
	reports *stagetest.Reports
	reader  *sdkmetric.ManualReader
}

func watch(t *testing.T, s *redistest.Server, poll time.Duration) *watched {
	t.Helper()
	out := &watched{log: &stagetest.Log{}, reports: stagetest.NewReports(), reader: sdkmetric.NewManualReader()}
	w, err := NewWatcher(WatcherOptions{
		Client: s.Client, Prefix: "f:", Name: "default", Poll: poll,
		Logger: out.log.Logger(), Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(out.reader)).Meter(""), Reporter: out.reports,
	})
	if err != nil {
		t.Fatal(err)
	}
	out.Watcher = w
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return out
}

// labels are the names in force, nil before the first vocabulary.
func (w *watched) labels() []string {
	v, _ := w.Current()
	if v == nil {
		return nil
	}
	names := []string{}
	for _, l := range v.Labels {
		names = append(names, l.Name)
	}
	return names
}

func (w *watched) awaitLabels(t *testing.T, want ...string) {
	t.Helper()
	stagetest.Await(t, fmt.Sprintf("labels %q", want), func() bool { got := w.labels(); return got != nil && slices.Equal(got, want) })
}

// awaitHealth waits until a look at Redis reports an error that contains want;
// "" is one without an error.
func (w *watched) awaitHealth(t *testing.T, want string) {
	t.Helper()
	w.reports.AwaitProblem(t, "vocabulary", want)
}

func (w *watched) warning() error { return w.reports.WarningOf("vocabulary") }
