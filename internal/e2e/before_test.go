package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/lock"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// beforeFile names the revision that counts as the version before where no release is
// tagged: a commit that was in use. CONTRIBUTING.md says when it is raised.
const beforeFile = "internal/e2e/testdata/before"

// version is a version of the program.
type version struct {
	program string
	days    string // bench/days of that version, which writes segments of the archive
	demo    string // the configuration with which `up` begins
}

// versionBefore builds the version before from git. It is kept in the user's cache folder,
// by revision.
func versionBefore(t *testing.T) version {
	t.Helper()
	root := shared.Root(t)
	revision, err := revisionBefore(root)
	if err != nil {
		shared.Missing(t, err.Error())
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "frostwatch-before", revision)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	v := version{filepath.Join(dir, "frostwatch"), filepath.Join(dir, "days"), filepath.Join(dir, "pipeline.yaml")}
	unlock := lockFolder(t, dir)
	defer unlock()
	if _, err := os.Stat(v.demo); err == nil { // written last
		return v
	}
	if err := buildBefore(root, revision, v); err != nil {
		t.Fatalf("build the version before (%.12s): %v", revision, err)
	}
	return v
}

func lockFolder(t *testing.T, dir string) (unlock func()) {
	t.Helper()
	f, err := os.Open(dir)
	if err == nil {
		err = lock.Wait(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() { _ = f.Close() }
}

// revisionBefore is the newest release that this version has in its history, or else what
// beforeFile names.
func revisionBefore(root string) (string, error) {
	name, err := git(root, "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^")
	if err != nil {
		text, err := os.ReadFile(filepath.Join(root, beforeFile))
		if err != nil {
			return "", err
		}
		name = strings.TrimSpace(string(text))
	}
	revision, err := git(root, "rev-parse", "--verify", "--quiet", name+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("the version before, %s of %s or a tag: this clone has no such commit (a shallow one? git fetch --unshallow --tags)", name, beforeFile)
	}
	return revision, nil
}

func git(root string, args ...string) (string, error) {
	out, err := exec.Command("git", append([]string{"-C", root}, args...)...).Output()
	return strings.TrimSpace(string(out)), err
}

// buildBefore lays the version's tree where it always lies, so that Go's build cache has
// what was built there, and removes it.
func buildBefore(root, revision string, v version) (err error) {
	tree := filepath.Join(os.TempDir(), "frostwatch-before-"+revision[:12])
	defer func() { err = errors.Join(err, os.RemoveAll(tree)) }()
	if err := os.RemoveAll(tree); err != nil {
		return err
	}
	if err := os.Mkdir(tree, 0o755); err != nil {
		return err
	}
	archive := exec.Command("git", "-C", root, "archive", revision)
	unpack := exec.Command("tar", "-x", "-C", tree)
	var archiveSaid, unpackSaid bytes.Buffer
	archive.Stderr, unpack.Stderr = &archiveSaid, &unpackSaid
	if unpack.Stdin, err = archive.StdoutPipe(); err != nil {
		return err
	}
	if err := unpack.Start(); err != nil {
		return err
	}
	if err := errors.Join(archive.Run(), unpack.Wait()); err != nil {
		return fmt.Errorf("git archive: %w\n%s%s", err, archiveSaid.Bytes(), unpackSaid.Bytes())
	}
	for to, of := range map[string]string{v.program: "./cmd/frostwatch", v.days: "./bench/days"} {
		build := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-s -w -X main.version=before", "-o", to, of)
		build.Dir = tree
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(tree, "cmd/frostwatch/demo/pipeline.yaml"))
	if err != nil {
		return err
	}
	return os.WriteFile(v.demo, text, 0o644)
}
