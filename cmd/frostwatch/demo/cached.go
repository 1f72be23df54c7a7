package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/frostwatch/frostwatch/infer/froster"
)

// ImageSize is the demo model's, in pixels.
const ImageSize = 112

// CachedModel makes the demo's bundle in the user's cache folder, or returns the one that
// is there. Another version of the program with another model has a folder of its own;
// processes that come at the same time don't disturb each other.
func CachedModel() (dir string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the demo model: %w", err)
	}
	checkpoint, err := data.ReadFile("data/" + ModelName + ".pth")
	if err != nil {
		return "", fmt.Errorf("read the demo model: %w", err)
	}
	sum := sha256.Sum256(checkpoint)
	folder := filepath.Join(cache, "frostwatch", "demo-"+hex.EncodeToString(sum[:6]))
	dir = filepath.Join(folder, ModelName)
	if _, err := froster.OpenBundle(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("import the demo model: %w", err)
	}
	return dir, importBeside(folder, dir)
}

// importBeside makes the bundle under another name and then renames it.
func importBeside(folder, dir string) (err error) {
	temp, err := os.MkdirTemp(folder, "import-*")
	if err != nil {
		return fmt.Errorf("import the demo model: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	if err := Unpack(filepath.Join(temp, "demo")); err != nil {
		return err
	}
	made := filepath.Join(temp, ModelName)
	if err := ImportModel(filepath.Join(temp, "demo"), made); err != nil {
		return err
	}
	if err := os.Rename(made, dir); err == nil {
		return nil
	}
	if _, err := froster.OpenBundle(dir); err == nil { // another process was first
		return nil
	}
	// What is there is of a version that can't be read.
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("import the demo model: %w", err)
	}
	if err := os.Rename(made, dir); err != nil {
		return fmt.Errorf("import the demo model: %w", err)
	}
	return nil
}
