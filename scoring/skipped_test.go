package scoring

import (
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/vocab"
)

// There is a warning about a label that can't be used, whether its value is broken
// or the model refuses it, until it is corrected or removed.
func TestLabelsThatAreSkippedAreWarnings(t *testing.T) {
	s := redistest.Start(t)
	edits := make(chan []vocab.Change, 10)
	set(t, s, "run", "", "falling down", "")
	w := watch(t, s, setup{OnEdit: func(_ string, c []vocab.Change) { edits <- c }})
	w.awaitLabels(t, "falling down", "run")
	set(t, s, "falling down", `{"treshold":0.9}`, "endless", "")
	stagetest.Await(t, "both are warned of", func() bool {
		return strings.Contains(w.warning(`label "falling down"`), `skipped: its value has an unknown key "treshold" (at byte 2)`) && strings.Contains(w.warning(`label "endless"`), "99 tokens")
	})
	for _, c := range <-edits {
		if c.What != vocab.Skipped || c.Why == "" {
			t.Errorf("the edit is reported as %+v", c)
		}
	}
	set(t, s, "falling down", `{"threshold":0.9}`)
	if err := s.Client.HDel(t.Context(), "f:vocab:default", "endless").Err(); err != nil {
		t.Fatal(err)
	}
	stagetest.Await(t, "no warning is left", func() bool { return w.reports.Warnings() == 0 })
	var many []string
	for i := range maxWarnings + 7 {
		many = append(many, fmt.Sprintf("broken %d", i), "{"+strings.Repeat("x", 2000))
	}
	set(t, s, many...)
	stagetest.Await(t, "a count of those beyond the bound", func() bool { return strings.HasPrefix(w.warning("labels"), "7 more of vocabulary default are skipped") })
	if n := w.reports.Warnings(); n != maxWarnings+1 {
		t.Errorf("%d warnings", n)
	}
}

// cutting is a model that reads 20 letters of a text.
type cutting struct{ *embedder }

func (cutting) Cut(text string) error {
	if len(text) <= 20 {
		return nil
	}
	return fmt.Errorf("not read from %q on", text[20:])
}

// A label that the model doesn't read to its end is watched for, with a warning that says
// where the end is, also when its vector comes from the cache.
func TestLabelsThatAreCutAreWarnings(t *testing.T) {
	s := redistest.Start(t)
	set(t, s, "run", "", "fall", "from a ladder, or from a roof")
	for range 2 {
		w := watch(t, s, setup{Embedder: cutting{&embedder{}}})
		w.awaitLabels(t, "fall", "run")
		stagetest.Await(t, "it is warned of", func() bool {
			return w.warning(`label "fall"`) == `watched for, but not as a whole: not read from " or from a roof" on` && w.reports.Warnings() == 1
		})
	}
	w := watch(t, s, setup{Embedder: cutting{&embedder{}}})
	set(t, s, "fall", "from a ladder")
	stagetest.Await(t, "no warning is left", func() bool { return w.reports.Warnings() == 0 })
}

// Skipped labels are counted in a metric, also those beyond the warnings' bound.
func TestSkippedLabelsAreCounted(t *testing.T) {
	s, reader := redistest.Start(t), metric.NewManualReader()
	set(t, s, "run", "", "bad", "{", "endless", "")
	w := watch(t, s, setup{Meter: metric.NewMeterProvider(metric.WithReader(reader)).Meter("")})
	w.awaitLabels(t, "run")
	counted := func(want int64) {
		t.Helper()
		stagetest.Await(t, fmt.Sprintf("%d skipped", want), func() bool {
			var out metricdata.ResourceMetrics
			if err := reader.Collect(t.Context(), &out); err != nil {
				t.Fatal(err)
			}
			for _, m := range out.ScopeMetrics[0].Metrics {
				if g, ok := m.Data.(metricdata.Gauge[int64]); ok && m.Name == "frostwatch.vocabulary.labels_skipped" {
					return g.DataPoints[0].Value == want
				}
			}
			return false
		})
	}
	counted(2)
	set(t, s, "bad", "")
	counted(1)
	if err := s.Client.HDel(t.Context(), "f:vocab:default", "endless").Err(); err != nil {
		t.Fatal(err)
	}
	counted(0)
}

// Labels that look alike when shown have a warning each.
func TestEachSkippedLabelHasAWarningOfItsOwn(t *testing.T) {
	s := redistest.Start(t)
	long := strings.Repeat("x", 2*maxWarning)
	set(t, s, "run", "", "", "", " ", "", "  ", "", "a\x00b", "", "a\x01b", "", long+"1", "", long+"2", "")
	w := watch(t, s, setup{})
	w.awaitLabels(t, "run")
	stagetest.Await(t, "seven warnings", func() bool { return w.reports.Warnings() == 7 })
	for _, part := range []string{`label ""`, `label " "`, `label " " (2)`, `label "a\x00b"`, `label "a\x01b"`} {
		if w.warning(part) == "" {
			t.Errorf("no warning about %s", part)
		}
	}
}

// People correct what they see in Redis, so warnings are about what was read last,
// even while that is not in force.
func TestWarningsAreOfTheContentReadLast(t *testing.T) {
	s, ctx := redistest.Start(t), t.Context()
	v := &valve{}
	set(t, s, "run", "", "bad", "{", "worse", "{", "endless", "")
	w := watch(t, s, setup{Embedder: &embedder{gate: v.gate}})
	w.awaitLabels(t, "run")
	only := func(parts ...string) {
		t.Helper()
		stagetest.Await(t, fmt.Sprintf("warnings about %q", parts), func() bool {
			for _, part := range parts {
				if w.warning(part) == "" {
					return false
				}
			}
			return w.reports.Warnings() == len(parts)
		})
	}
	only(`label "bad"`, `label "worse"`, `label "endless"`)
	v.shut.Store(true) // what follows is not embedded
	set(t, s, "swim", "", "bad", "", "third", "{")
	only(`label "third"`, `label "worse"`, `label "endless"`)
	if err := s.Client.HDel(ctx, "f:vocab:default", "endless", "third").Err(); err != nil {
		t.Fatal(err)
	}
	only(`label "worse"`)
	many := []string{"worse", ""}
	for i := range 20_001 {
		many = append(many, fmt.Sprintf("label %d", i), "")
	}
	set(t, s, many...)
	w.awaitWatcher(t, "at most 20000")
	only()
	if err := s.Client.Del(ctx, "f:vocab:default").Err(); err != nil {
		t.Fatal(err)
	}
	set(t, s, "fourth", "{")
	w.awaitWatcher(t, "none of the 1 labels of vocabulary default can be used")
	only(`label "fourth"`)
}

// warning is the text of the current warning about a part, or "".
func (w *watched) warning(part string) string {
	if err := w.reports.WarningOf(part); err != nil {
		return err.Error()
	}
	return ""
}
