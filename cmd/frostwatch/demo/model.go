package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/frostwatch/frostwatch/infer/froster"
)

// Checkpoint is the demo model's checkpoint in the folder that Unpack wrote.
func Checkpoint(dir string) froster.ImportOptions {
	return froster.ImportOptions{
		Checkpoint: filepath.Join(dir, ModelName+".pth"),
		Card:       filepath.Join(dir, ModelName+".json"),
		Name:       ModelName,
	}
}

// ImportModel makes the demo's bundle in the folder out from what Unpack wrote
// to dir, unless it is already there.
func ImportModel(dir, out string) error {
	if _, err := froster.OpenBundle(out); err == nil {
		return nil
	}
	// There is no bundle yet, or one of an older version.
	if err := os.RemoveAll(out); err != nil {
		return fmt.Errorf("import the demo model: %w", err)
	}
	o := Checkpoint(dir)
	o.Out = out
	// It takes about a second, so that there is nothing to stop.
	if _, err := froster.Import(context.Background(), o); err != nil {
		return fmt.Errorf("import the demo model: %w", err)
	}
	return nil
}
