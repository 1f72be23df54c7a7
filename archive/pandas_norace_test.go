//go:build !race

package archive

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
)

// The page's example reads what the stage writes.
func TestPandasReadsSegments(t *testing.T) {
	python := filepath.Join(shared.Root(t), "train", ".venv", "bin", "python")
	if err := exec.Command(python, "-c", "import pandas, pyarrow").Run(); err != nil {
		shared.Missing(t, "pandas and pyarrow in train/.venv (`make setup-test` installs them)")
	}
	page, err := os.ReadFile(filepath.Join(shared.Root(t), "docs", "archive.md"))
	must(t, err)
	example := regexp.MustCompile("(?s)```python\n(.*?)```").FindSubmatch(page)
	if example == nil {
		t.Fatal("docs/archive.md has no example")
	}
	k, b := recorded(t, 5000, hour), bucket(t)
	seen := viewed("door", hour.Add(time.Second), 8, 3)
	k.parts["t.actions"][1][1].Value = encoded(t, seen)
	archived(t, k, b, 1, -1, 4096)
	program := strings.NewReplacer("frostwatch-data/archive", b.dir, "yard_ladder", "lobby").Replace(string(example[1])) + `
door = actions[actions["offset"] == 1].iloc[0]
places = np.frombuffer(door["view_places"], np.dtype([("view", "u1"), ("box", "<f8", 4), ("references_logit", "<f8")]))
print("RESULT", json.dumps({
  "rows": len(actions), "lobby": len(yard), "shape": embeddings.shape, "dtypes": {c: str(t) for c, t in actions.dtypes.items()},
  "label": yard["label"].iloc[0], "score": yard["score"].iloc[0], "end": str(yard["end"].iloc[0]), "offset": int(yard["offset"].iloc[-1]),
  "first": np.frombuffer(yard["embedding"].iloc[0], "<f2").astype("float64").tolist(), "clip": json.loads(yard["extra"].iloc[0])["clip"],
  "tags": json.loads(yard["camera_tags"].iloc[0]), "nulls": int(actions["epoch"].isna().sum()),
  "exact": np.frombuffer(yard["label_values"].iloc[0], np.dtype([("label", "<u2"), ("similarity", "<f4"), ("score", "<f8"), ("contrast", "<f8")])).tolist(),
  "views": places["view"].tolist(), "box": places["box"][2].tolist(), "logit": places["references_logit"].tolist(),
  "zoom": np.frombuffer(door["view_embedding"], "<f2").reshape(len(places) - 1, -1)[1].astype("float64").tolist(), "of": list(door["label_views"]),
  "names": [json.loads(line)["label"] for lines in actions["label_dictionary"].dropna() for line in lines.split("\n")]}))`
	out, err := exec.CommandContext(t.Context(), python, "-W", "ignore", "-c", program).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, result, _ := bytes.Cut(out, []byte("RESULT "))
	var got struct {
		Rows, Lobby, Offset, Nulls int
		Shape                      []int
		Dtypes                     map[string]string
		Label, End                 string
		Score                      float64
		First                      []float64
		Exact                      [][]float64
		Names                      []string
		Clip                       struct{ Offset int }
		Tags                       []string
		Views, Of                  []int
		Box, Zoom, Logit           []float64
	}
	if err := json.Unmarshal(result, &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := action("lobby", hour, 8)
	if got.Rows != 4096 || got.Lobby != 2048 || !equal(got.Shape, []int{2048, 8}) || got.Offset != 4094 || got.Nulls != 0 {
		t.Errorf("%+v", got)
	}
	if got.Label != "person falling" || got.Score != 0.75 || got.End != "2026-11-28 09:59:59.500000+00:00" || got.Clip.Offset != 17 || !equal(got.Tags, []string{"indoor"}) {
		t.Errorf("%+v", got)
	}
	if len(got.Names) < 2 || !equal(got.Names[:2], []string{"person falling", "nothing"}) || len(got.Exact) != 2 || !equal(got.Exact[0], []float64{0, .3125, .75, 0}) || !equal(got.Exact[1], []float64{1, 0, .1, 0}) {
		t.Errorf("labels %v of %q", got.Exact, got.Names)
	}
	for i, v := range want.Embedding {
		if got.First[i] != float64(v) {
			t.Errorf("the embedding is %v, want %v", got.First, want.Embedding)
			break
		}
	}
	last := seen.Views[2]
	for i, v := range last.Embedding {
		if got.Zoom[i] != float64(v) {
			t.Errorf("the third view has %v, want %v", got.Zoom, last.Embedding)
			break
		}
	}
	if box := last.Box; !equal(got.Views, []int{0, 1, 2}) || !equal(got.Of, []int{2, 1}) || !equal(got.Box, []float64{box.Left, box.Top, box.Width, box.Height}) || !equal(got.Logit, []float64{0, seen.Views[1].Logit, last.Logit}) {
		t.Errorf("views %v, labels of %v, the last in %v, logits %v", got.Views, got.Of, got.Box, got.Logit)
	}
	if d := got.Dtypes; d["end"] != "datetime64[ns, UTC]" || d["offset"] != "int64" || d["background_score"] != "float64" {
		t.Errorf("types %v", d)
	}
}
