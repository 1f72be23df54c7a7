package up

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/config"
)

// The file is for its user alone, even where another of its name was left behind.
func TestEndpointsAreForTheirUser(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, endpointsFile)
	if err := os.WriteFile(path+".part", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Archive.Bucket = "s3://past?token=SECRET&credential=SECRETB&auth=SECRETC"
	if err := (Endpoints{Settings: config.File{Config: c}.Settings()}).write(dir); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 || strings.Contains(string(raw), "SECRET") || !strings.Contains(string(raw), "s3://past?token=***") {
		t.Errorf("mode %v:\n%s", info.Mode(), raw)
	}
}
