// Package shared finds, for tests, the material that lies beside the checkout:
// real videos and recorded outputs of the reference implementation.
package shared

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// Root is the checkout's top folder.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
}

// Path is ../shared/elem... beside the checkout. A missing file fails the test
// where CI=true and skips it elsewhere.
func Path(t testing.TB, elem ...string) string {
	t.Helper()
	p := filepath.Join(append([]string{filepath.Dir(Root(t)), "shared"}, elem...)...)
	if _, err := os.Stat(p); err != nil {
		Missing(t, p)
	}
	return p
}

// Unpacked is the content of a gzip file of the material.
func Unpacked(t testing.TB, elem ...string) []byte {
	t.Helper()
	f, err := os.Open(Path(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Missing ends a test that lacks something it needs: it fails where CI=true, so that
// nothing is skipped there unnoticed, and skips the test elsewhere.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("missing: %s", what)
	}
	t.Skipf("missing: %s", what)
}
