package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
)

const module = "github.com/frostwatch/frostwatch/"

// floors are the rooms, the folders at the top of the repository, from the ground
// up. A room imports rooms of lower floors and nothing beside it.
var floors = [][]string{
	{"topics"},
	{"internal"}, // ground: no room of the product but topics
	{"bus", "media"},
	{"vocab"},
	{"scoring"},
	{"archive"},
	{"cameras"},
	{"ingest", "framer", "infer", "alerts", "notify"},
	{"calibrate", "eval"},
	{"console"},
	{"cmd", "bench", "deploy"},
}

// forTests is what stands in internal for tests alone: it may import what it
// tests with.
var forTests = []string{"internal/e2e", "internal/house", "internal/kafkatest", "internal/redistest", "internal/shared", "internal/stagetest"}

// vague are names that say nothing of what a package is for.
var vague = []string{"util", "utils", "common", "types", "helpers", "helper", "models", "misc"}

// listed is what `go list` knows of a package.
type listed struct {
	ImportPath string
	Name       string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Imports", "./...")
	cmd.Dir = shared.Root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func room(path string) string {
	top, _, _ := strings.Cut(strings.TrimPrefix(path, module), "/")
	return top
}

func floor(room string) int {
	return slices.IndexFunc(floors, func(rooms []string) bool { return slices.Contains(rooms, room) })
}

func TestNoImportRunsUp(t *testing.T) {
	for _, p := range packages(t) {
		for _, w := range wrong(p) {
			t.Error(w)
		}
	}
}

// wrong is what is wrong with the place, name and imports of a package.
func wrong(p listed) (out []string) {
	own, path := room(p.ImportPath), strings.TrimPrefix(p.ImportPath, module)
	if floor(own) < 0 {
		return []string{path + " stands on no floor: add its room to the floors here and in docs/design.md"}
	}
	if slices.Contains(vague, p.Name) {
		out = append(out, fmt.Sprintf("%s: a package named %s says nothing of what it is for", path, p.Name))
	}
	if slices.Contains(forTests, path) {
		return out
	}
	for _, i := range p.Imports {
		to, ours := strings.CutPrefix(i, module)
		switch {
		case !ours:
		case slices.Contains(forTests, to):
			out = append(out, fmt.Sprintf("%s imports %s, which is for tests", path, to))
		case room(i) != own && floor(room(i)) >= floor(own):
			out = append(out, fmt.Sprintf("%s imports %s, which is not below it", path, to))
		}
	}
	return out
}

// The rules catch what they are for.
func TestWhatIsWrong(t *testing.T) {
	for _, tt := range []struct{ name, path, imports, want string }{
		{"up a floor", "vocab", "scoring", "vocab imports scoring, which is not below it"},
		{"up, from a folder in a room", "infer/froster/onnx", "eval/export", "infer/froster/onnx imports eval/export, which is not below it"},
		{"another stage", "framer", "ingest", "framer imports ingest, which is not below it"},
		{"a folder of another stage", "alerts", "infer/froster", "alerts imports infer/froster, which is not below it"},
		{"a room beside it on its floor", "bus", "media", "bus imports media, which is not below it"},
		{"the program", "eval", "cmd/frostwatch/process", "eval imports cmd/frostwatch/process, which is not below it"},
		{"from the ground to a room", "internal/config", "alerts", "internal/config imports alerts, which is not below it"},
		{"from the ground to the bus", "internal/telemetry", "bus", "internal/telemetry imports bus, which is not below it"},
		{"from the ground to the contract", "internal/config", "topics", ""},
		{"from the contract to the ground", "topics", "internal/config", "topics imports internal/config, which is not below it"},
		{"what is for tests", "cmd/frostwatch/up", "internal/kafkatest", "cmd/frostwatch/up imports internal/kafkatest, which is for tests"},
		{"what is for tests, on the ground", "internal/config", "internal/shared", "internal/config imports internal/shared, which is for tests"},
		{"material for tests may use rooms", "internal/kafkatest", "bus", ""},
		{"a new room", "atrium", "bus", "atrium stands on no floor: add its room to the floors here and in docs/design.md"},
		{"a name that says nothing", "internal/util", "", "internal/util: a package named util says nothing of what it is for"},
		{"its own room", "infer", "infer/froster", ""},
		{"below", "infer", "scoring", ""},
		{"others' code", "bus", "github.com/segmentio/kafka-go", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := listed{ImportPath: module + tt.path, Name: path.Base(tt.path)}
			if tt.imports != "" {
				p.Imports = []string{module + tt.imports}
			}
			if tt.name == "others' code" {
				p.Imports = []string{tt.imports}
			}
			if got := strings.Join(wrong(p), "; "); got != tt.want {
				t.Errorf("says %q, want %q", got, tt.want)
			}
		})
	}
}
