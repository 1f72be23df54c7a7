package commands

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/infer/froster/pull"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// `up --model NAME` downloads what is not there, says who vouches for it, and asks for
// nothing that is there.
func TestUpPullsAModelByName(t *testing.T) {
	raw := shared.Unpacked(t, "parity", "pe", "tiny_pe.pt.gz")
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests == 1 {
			w.Header().Set("Content-Length", fmt.Sprint(len(raw)))
			_, _ = w.Write(raw[:len(raw)/2])
			panic(http.ErrAbortHandler)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(raw))
	}))
	defer server.Close()
	sum := sha256.Sum256(raw)
	known := []pull.Checkpoint{
		{Name: "PE-Tiny", URL: server.URL + "/tiny.pt", SHA256: hex.EncodeToString(sum[:]), Size: int64(len(raw)), Note: "others' word"},
		{Name: "PE-Wrong", URL: server.URL + "/tiny.pt", SHA256: strings.Repeat("0", 64), Size: int64(len(raw))},
	}
	models := t.TempDir()
	ask := func(name string) (string, string, error) {
		var out, errs bytes.Buffer
		dir, err := Program{Out: &out, Err: &errs}.modelFor(t.Context(), known, models, name)
		return dir, errs.String(), err
	}
	dir, errs, err := ask("pe-tiny")
	if err != nil || dir != filepath.Join(models, "pe-tiny") || !strings.Contains(errs, "others' word") || !strings.Contains(errs, "100%") || !strings.Contains(errs, "trying again") {
		t.Fatalf("%s, %v\n%s", dir, err, errs)
	}
	b, err := froster.OpenBundle(dir)
	if err != nil || b.Dims.Architecture != froster.PECore || !b.Dims.Framewise || !strings.HasPrefix(b.Licence, "Apache-2.0") {
		t.Errorf("%+v, %v", b, err)
	}
	before := requests
	for _, again := range []string{"pe-tiny", "PE-Tiny", dir} {
		if got, _, err := ask(again); err != nil || got != dir || requests != before {
			t.Errorf("%s: %s, %v, %d requests", again, got, err, requests-before)
		}
	}
	if got, _, err := ask("pe-tiny-float16"); err != nil || got != filepath.Join(models, "pe-tiny-float16") {
		t.Errorf("in another precision: %s, %v", got, err)
	}
	if _, _, err := ask("pe-wrong"); err == nil || !strings.Contains(err.Error(), "want 0000") {
		t.Errorf("another file than the list says: %v", err)
	}
	if left, err := os.ReadDir(filepath.Join(models, ".checkpoints")); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if _, _, err := ask("gpt"); err == nil || !strings.Contains(err.Error(), "PE-Tiny") {
		t.Errorf("an unknown name: %v", err)
	}
	if _, _, err := ask("pe-core-g14"); err == nil || !strings.Contains(err.Error(), "model import PE-Core-G14-448.pt --name pe-core-g14") {
		t.Errorf("one that can only be imported: %v", err)
	}
	if got, _, err := ask("some/folder"); err != nil || got != "some/folder" {
		t.Errorf("a folder that is not there yet: %s, %v", got, err)
	}
}

// Whose machine can't reach the address is told it, and how to import what another machine
// has downloaded, into the folder that the pull would have made.
func TestAModelThatCantBeReachedMayBeImported(t *testing.T) {
	models := t.TempDir()
	away := httptest.NewServer(http.NotFoundHandler())
	defer away.Close()
	known := []pull.Checkpoint{{Name: "PE-Core-B16", URL: away.URL + "/b16.pt", SHA256: strings.Repeat("0", 64)}}
	for name, want := range map[string]string{
		"pe-core-b16":      "model import FILE --name pe-core-b16 --models " + models + "`",
		"pe-core-b16-int8": "model import FILE --name pe-core-b16 --precision int8 --models " + models + "`",
	} {
		_, err := Program{Out: io.Discard, Err: io.Discard}.modelFor(t.Context(), known, models, name)
		if err == nil || !strings.Contains(err.Error(), "download it elsewhere: "+known[0].URL+", then `frostwatch "+want) {
			t.Errorf("%s: %v, want it to say %s", name, err, want)
		}
	}
}

func TestKnownCheckpointsAreListedWithSizeAndLicence(t *testing.T) {
	out, errs, code := runModel(t, "pull")
	got := strings.Join(strings.Fields(out), " ")
	if code != 0 || !strings.Contains(got, "PE-Core-B16 1707 MB Apache-2.0 https://") || !strings.Contains(got, "ViT-B/16 not known MIT https://") {
		t.Errorf("status %d\n%s%s", code, out, errs)
	}
}

// A doctor looks at the model that serves, which `up --model` has chosen and not the file.
func TestDoctorLooksAtTheModelOfTheFlag(t *testing.T) {
	data := t.TempDir()
	file := filepath.Join(data, "pipeline.yaml")
	for path, text := range map[string]string{
		file:                                  "infer: {bundle: models/other}\n",
		filepath.Join(data, "endpoints.json"): fmt.Sprintf(`{"config": %q, "bundle": "/models/mine"}`, file),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := (&target{data: data}).examined("test").Config.Infer.Bundle; got != "/models/mine" {
		t.Errorf("of the running up: %s", got)
	}
	if got := (&target{config: file, data: data}).examined("test").Config.Infer.Bundle; got != "models/other" {
		t.Errorf("of a file: %s", got)
	}
}
