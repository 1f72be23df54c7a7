package up

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/config"
)

// A file that names another model than --model is named at the start.
func TestAModelOfTheFileThatDoesNotCountIsNamed(t *testing.T) {
	for _, c := range []struct {
		text, model string
		named       bool
	}{
		{"infer: {bundle: models/b16}\n", "models/pe", true},
		{"infer: {bundle: models/b16}\n", "", false},
		{"infer: {bundle: ./models/pe/}\n", "models/pe", false},
		{"rules: []\n", "models/pe", false},
	} {
		path := filepath.Join(t.TempDir(), "f.yaml")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := config.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		line := (&up{Options: Options{Model: c.model}, file: f, cfgPath: path}).bundleOutranked()
		if c.named != (line != "") || c.named && !strings.Contains(line, `"models/b16"`) {
			t.Errorf("%q with --model %q: %q", c.text, c.model, line)
		}
	}
}
