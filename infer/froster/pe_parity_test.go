package froster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
)

// peBundle imports one of the fixture's tiny models.
func peBundle(t *testing.T, name string, p Precision) *Bundle {
	t.Helper()
	return importBundle(t, ImportOptions{Checkpoint: peCheckpoint(t, name), Precision: p})
}

func peCheckpoint(t *testing.T, name string) string {
	t.Helper()
	if name != "tiny_pe_openclip" {
		return gunzip(t, "parity", "pe", name+".pt.gz")
	}
	file := gunzip(t, "parity", "pe", name, "open_clip_model.safetensors.gz")
	config, err := os.ReadFile(shared.Path(t, "parity", "pe", name, "open_clip_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Dir(file), "open_clip_config.json", config)
	return file
}

func peReference(t *testing.T, name string) string {
	t.Helper()
	if name == "tiny_pe_openclip" {
		name = "tiny_pe"
	}
	return shared.Path(t, "parity", "pe", name+"_io.json")
}

func checkPE(t *testing.T, rt *Runtime, b *Bundle, reference string) Report {
	t.Helper()
	report, err := Check(t.Context(), rt, b, reference)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := report.Print(&text); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + text.String())
	return report
}

// Both layouts, with and without a class token, against what the official code computed.
func TestParityWithPerceptionEncoder(t *testing.T) {
	rt := openRuntime(t)
	for _, name := range []string{"tiny_pe", "tiny_pe_g", "tiny_pe_openclip"} {
		for _, p := range []Precision{Float32, Float16, Int8} {
			t.Run(name+" "+string(p), func(t *testing.T) {
				if p.Servable("cpu") != nil {
					return // refused, as TestABatchChangesNothing asserts
				}
				report := checkPE(t, rt, peBundle(t, name, p), peReference(t, name))
				if !report.OK() {
					t.Error("over the tolerances")
				}
				if len(report.Arrays) != 7 || report.Tokens < 200 {
					t.Errorf("only %d arrays and %d texts were compared", len(report.Arrays), report.Tokens)
				}
			})
		}
	}
}
