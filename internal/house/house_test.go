package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
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
	{"ingest", "framer", "infer", "alerts"},
	{"eval"},
	{"cmd"},
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
		own := room(p.ImportPath)
		if floor(own) < 0 {
			t.Errorf("%s stands on no floor: add its room to the floors here and in docs/design.md", p.ImportPath)
			continue
		}
		if slices.Contains(vague, p.Name) {
			t.Errorf("%s: a package named %s says nothing of what it is for", p.ImportPath, p.Name)
		}
		if slices.Contains(forTests, strings.TrimPrefix(p.ImportPath, module)) {
			continue
		}
		for _, i := range p.Imports {
			if !strings.HasPrefix(i, module) || room(i) == own && !slices.Contains(forTests, strings.TrimPrefix(i, module)) {
				continue
			}
			if slices.Contains(forTests, strings.TrimPrefix(i, module)) {
				t.Errorf("%s imports %s, which is for tests", p.ImportPath, i)
			} else if floor(room(i)) >= floor(own) {
				t.Errorf("%s imports %s, which is not below it", p.ImportPath, i)
			}
		}
	}
}
