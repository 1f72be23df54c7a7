// Package demo holds what `frostwatch up` shows on a machine without cameras:
// rendered clips, a tiny model that recognises them, a vocabulary and rules.
// All of it is made by train/demo. The model knows twelve actions of drawn
// people; its answers on real footage mean nothing.
package demo

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/vocab"
)

//go:embed data
var data embed.FS

//go:embed pipeline.yaml
var config []byte

// ModelName names the demo model and its bundle's folder.
const ModelName = "frost-mini"

// Unpack writes the demo's files into dir: the checkpoint frost-mini.pth with
// its card frost-mini.json, and a clip NAME.mp4 for each of Clips. A file that
// already exists with the right size is left alone.
func Unpack(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("unpack the demo: %w", err)
	}
	entries, err := data.ReadDir("data")
	if err != nil {
		return fmt.Errorf("unpack the demo: %w", err)
	}
	for _, e := range entries {
		if err := unpackFile(dir, e); err != nil {
			return fmt.Errorf("unpack the demo: %w", err)
		}
	}
	return nil
}

func unpackFile(dir string, e fs.DirEntry) error {
	to := filepath.Join(dir, e.Name())
	want, err := e.Info()
	if err != nil {
		return err
	}
	if have, err := os.Stat(to); err == nil && have.Size() == want.Size() {
		return nil
	}
	b, err := data.ReadFile(path.Join("data", e.Name()))
	if err != nil {
		return err
	}
	// Written under another name and then renamed, so that an interrupted start
	// leaves no partial file.
	if err := os.WriteFile(to+".part", b, 0o644); err != nil {
		return err
	}
	return os.Rename(to+".part", to)
}

// Clips returns the names of the demo's cameras, each of which plays a clip of
// its own, in alphabetical order.
func Clips() ([]string, error) {
	matches, err := fs.Glob(data, "data/*.mp4")
	if err != nil {
		return nil, fmt.Errorf("list the demo clips: %w", err)
	}
	for i, m := range matches {
		matches[i] = strings.TrimSuffix(path.Base(m), ".mp4")
	}
	slices.Sort(matches)
	return matches, nil
}

// Label is an action that a clip shows, with its time in the stream.
type Label struct {
	Action string  `json:"action"` // key of the model card's base classes
	Start  float64 `json:"start_s"`
	End    float64 `json:"end_s"`
}

// Truth is what is staged in a clip.
type Truth struct {
	Seconds float64 `json:"seconds"`
	FPS     float64 `json:"fps"`
	Labels  []Label `json:"labels"`
}

// Truths returns the timed labels according to which the clips were staged, by
// clip name.
func Truths() (map[string]Truth, error) {
	b, err := data.ReadFile("data/labels.json")
	if err != nil {
		return nil, fmt.Errorf("read the demo labels: %w", err)
	}
	byFile := map[string]Truth{}
	if err := json.Unmarshal(b, &byFile); err != nil {
		return nil, fmt.Errorf("read the demo labels: %w", err)
	}
	out := make(map[string]Truth, len(byFile))
	for file, t := range byFile {
		out[strings.TrimSuffix(file, ".mp4")] = t
	}
	return out, nil
}

// Vocabulary is what the demo's cameras show, but not that somebody sits on a chair:
// that is for people to add (the README's first example). Climbing a ladder is novel:
// the model was trained on no clip of it. Harmless actions are background: they
// take their share of the score, but no rule alerts on them by tag or as novel.
func Vocabulary() []vocab.Label {
	return []vocab.Label{
		// Who lies there would be taken for somebody who falls, but for these two.
		{Name: "falling down", Begins: "a person standing", Ends: "lying on the floor"},
		{Name: "two people fighting"},
		{Name: "climbing over a fence"},
		{Name: "climbing a ladder"},
		{Name: "walking", Background: true},
		{Name: "standing still", Background: true},
		{Name: "lying on the floor", Background: true},
		{Name: "carrying a box", Background: true},
		{Name: "an empty scene with nobody", Background: true},
	}
}

// Texts are all that a model reads of the demo's vocabulary.
func Texts() []string {
	var out []string
	for _, l := range Vocabulary() {
		out = append(out, l.Texts()...)
	}
	return out
}

// Config is the demo's pipeline.yaml: the defaults and the demo's rules.
func Config() []byte { return slices.Clone(config) }
