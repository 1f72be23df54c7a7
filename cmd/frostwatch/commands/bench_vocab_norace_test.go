//go:build !race

package commands

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/bench"
)

// Rates and times depend on the machine. That labels and clips were processed side
// by side, and the memory of the large vocabulary, do not.
func TestBenchMeasuresAVocabulary(t *testing.T) {
	out, errs, code := runBench(t, "vocab", "--json", "--for", "2s")
	if code != 0 {
		t.Fatalf("exit status %d\n%s", code, errs)
	}
	var r bench.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	v := r.Vocab
	if v == nil || r.Infer != nil {
		t.Fatalf("other parts than asked for in\n%s", out)
	}
	if v.Alone <= 0 || v.Beside <= 0 || v.Worst > v.Ratio || v.Ratio > v.Best || v.Rounds < 1 || v.Labels <= 0 || v.LabelMax <= 0 || v.Thousand <= 0 {
		t.Errorf("got %+v", v)
	}
	if l := v.Large; l.Labels != 10_000 || l.Dim != 128 || l.Score <= 0 || l.ModelCore <= 0 || l.Load <= 0 || l.Edit <= 0 || l.MB < 5 || l.MB > 100 {
		t.Errorf("got %+v", l)
	}
	var table strings.Builder
	if err := r.Print(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"beside labels", "1,000 in", "an edit in force after"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
}
