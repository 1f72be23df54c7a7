package froster

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/frostwatch/frostwatch/infer/froster/onnx"
)

// The files of a bundle.
const (
	videoFile  = "video.onnx"
	textFile   = "text.onnx"
	bundleFile = "bundle.json"
)

// bundleFormat is the version of the bundle layout. It is raised when programs
// that read the earlier format could no longer serve a new bundle. Format 2:
// graphs use operators that ONNX Runtime adds to ONNX.
const bundleFormat = 2

// framewiseFormat is that of framewise models alone, whose video graph takes single frames.
const framewiseFormat = 3

// format is the version of the layout of a bundle with these dimensions.
func (d Dims) format() int {
	if d.Framewise {
		return framewiseFormat
	}
	return bundleFormat
}

// Bundle describes a model that is ready to be served; it is bundle.json.
type Bundle struct {
	Format int    `json:"format"`
	Name   string `json:"name"`
	// ID is a hash of the weights: equal ids give equal embeddings.
	ID         string  `json:"model_id"`
	Dims       Dims    `json:"dims"`
	LogitScale float32 `json:"logit_scale"` // exp of the logarithm stored in the checkpoint
	// Preprocessing describes it in words: the graph normalises; the framer and
	// infer resize and crop.
	Preprocessing string    `json:"preprocessing"`
	Precision     Precision `json:"precision"`
	Licence       string    `json:"licence"`
	BaseClasses   []string  `json:"base_classes"` // what the model was trained on; every other label is novel
	// References are neutral sentences that, with the base classes, labels are
	// contrasted with. Bundles of older versions have none; see ReferenceTexts.
	References []string          `json:"references,omitempty"`
	Notes      []string          `json:"notes,omitempty"`
	SHA256     map[string]string `json:"sha256"` // of the graph files

	dir string
}

// OpenBundle reads bundle.json in dir and checks it. The graphs are read and
// verified when the model is loaded.
func OpenBundle(dir string) (*Bundle, error) {
	raw, err := os.ReadFile(filepath.Join(dir, bundleFile))
	if err != nil {
		return nil, fmt.Errorf("open model bundle: %w (a bundle is made by importing or pulling a checkpoint)", err)
	}
	b := &Bundle{dir: dir}
	if err := json.Unmarshal(raw, b); err != nil {
		return nil, fmt.Errorf("open model bundle %s: %w", dir, err)
	}
	d := b.Dims
	if b.Format != d.format() {
		return nil, fmt.Errorf("open model bundle %s: format %d, this version reads %d, or %d if it is framewise; import the checkpoint again", dir, b.Format, bundleFormat, framewiseFormat)
	}
	if d.ImageSize < 1 || d.ImageSize > 4096 || d.Frames < 1 || d.Frames > 64 || d.EmbedDim < 1 || d.EmbedDim > 1<<16 || d.Context < 2 {
		return nil, fmt.Errorf("open model bundle %s: impossible dimensions %+v", dir, d)
	}
	if err := b.Precision.check(); err != nil {
		return nil, fmt.Errorf("open model bundle %s: %w", dir, err)
	}
	if b.ID == "" || b.LogitScale <= 0 {
		return nil, fmt.Errorf("open model bundle %s: model_id and logit_scale are required", dir)
	}
	return b, nil
}

// graph reads one of the bundle's graphs and verifies its hash.
func (b *Bundle) graph(name string) ([]byte, error) {
	raw, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		return nil, fmt.Errorf("open model bundle: %w", err)
	}
	if got := hexSum(raw); got != b.SHA256[name] {
		return nil, fmt.Errorf("open model bundle %s: %s has SHA-256 %s, bundle.json says %q: import the checkpoint again", b.dir, name, got, b.SHA256[name])
	}
	return raw, nil
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// save writes the bundle to a temporary folder next to dir and renames that to
// dir, so that dir is either a complete bundle or does not exist.
func (b *Bundle) save(dir string, graphs map[string]func() *onnx.Graph) error {
	if _, err := os.Stat(dir); err == nil {
		return fmt.Errorf("%s exists: remove it or choose another folder", dir)
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), ".bundle-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }() // already renamed away on success
	b.SHA256 = map[string]string{}
	for name, graph := range graphs {
		if b.SHA256[name], err = saveGraph(filepath.Join(temp, name), graph()); err != nil {
			return err
		}
	}
	about, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(temp, bundleFile), append(about, '\n'), 0o644); err != nil {
		return err
	}
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	b.dir = dir
	return os.Rename(temp, dir)
}

// saveGraph writes the graph and returns the file's SHA-256.
func saveGraph(file string, g *onnx.Graph) (sum string, err error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if _, err := g.WriteTo(io.MultiWriter(f, h)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Print writes a summary of the model for a person.
func (b *Bundle) Print(w io.Writer) error {
	d := b.Dims
	frames := fmt.Sprintf("%d frames", d.Frames)
	if d.Framewise {
		frames += ", each by itself"
	}
	_, err := fmt.Fprintf(w, "model    %s, id %s, %s\nshape    %d px, patch %d, vision %d×%d, text %d×%d, embedding %d, %s\nclasses  %d base classes\nlicence  %s\n",
		b.Name, b.ID, b.Precision, d.ImageSize, d.PatchSize, d.VisionLayers, d.VisionWidth, d.TextLayers, d.TextWidth, d.EmbedDim, frames,
		len(b.BaseClasses), b.Licence)
	for _, note := range b.Notes {
		if err == nil {
			_, err = fmt.Fprintf(w, "note     %s\n", note)
		}
	}
	return err
}
