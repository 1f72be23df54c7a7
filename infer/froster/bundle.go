package froster

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
	"github.com/frostwatch/frostwatch/infer/froster/onnx"
)

// The files of a bundle.
const (
	videoFile  = "video.onnx"
	textFile   = "text.onnx"
	bundleFile = "bundle.json"
	// apartSuffix is added to a graph's name for the file with its larger constants.
	apartSuffix = ".data"
)

// maxInside is up to how many bytes of constants are in the graph's own file: it can't
// have 2 GiB, and is read as a whole, where values apart are mapped into memory.
const maxInside = 1 << 30

// The versions of the bundle layout. A bundle has the lowest one whose programs serve it
// right. Format 2: graphs use operators that ONNX Runtime adds to ONNX. Format 3:
// framewise models, whose video graph takes single frames, other architectures than
// FROSTER's, and constants in files of their own.
const (
	formatContrib = 2
	formatNewest  = 3
)

// format is the lowest version of the layout that a bundle with these dimensions has.
func (d Dims) format() int {
	if d.Framewise || d.Architecture != FROSTER {
		return formatNewest
	}
	return formatContrib
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
	References []string `json:"references,omitempty"`
	// Templates are those around class texts; empty: FROSTER's.
	Templates Templates         `json:"templates,omitempty"`
	Notes     []string          `json:"notes,omitempty"`
	SHA256    map[string]string `json:"sha256"` // of the graph files

	dir string
}

// maxAbout bounds bundle.json, and a model's card: base classes are most of both.
const maxAbout = 16 << 20

// OpenBundle reads bundle.json in dir and checks it. The graphs are read and
// verified when the model is loaded.
func OpenBundle(dir string) (*Bundle, error) {
	raw, err := checkpoint.ReadSmall(filepath.Join(dir, bundleFile), maxAbout)
	if err != nil {
		return nil, fmt.Errorf("open model bundle: %w (a bundle is made by importing or pulling a checkpoint)", err)
	}
	b := &Bundle{dir: dir}
	if err := json.Unmarshal(raw, b); err != nil {
		return nil, fmt.Errorf("open model bundle %s: %w", dir, err)
	}
	d := b.Dims
	if b.Format < d.format() || b.Format > formatNewest {
		return nil, fmt.Errorf("open model bundle %s: format %d, this version reads %d to %d; import the checkpoint again", dir, b.Format, d.format(), formatNewest)
	}
	if err := d.bounds(); err != nil {
		return nil, fmt.Errorf("open model bundle %s: %w", dir, err)
	}
	if d.Architecture != FROSTER && d.Architecture != PECore {
		return nil, fmt.Errorf("open model bundle %s: architecture %q: this version knows FROSTER's and %s", dir, d.Architecture, PECore)
	}
	if err := errors.Join(b.Precision.check(), b.Templates.check()); err != nil {
		return nil, fmt.Errorf("open model bundle %s: %w", dir, err)
	}
	if b.ID == "" || b.LogitScale <= 0 {
		return nil, fmt.Errorf("open model bundle %s: model_id and logit_scale are required", dir)
	}
	return b, nil
}

// Missing are the bundle's files that are not there, in order. What is in the others is
// verified when the model is loaded.
func (b *Bundle) Missing() []string {
	var missing []string
	for _, name := range []string{textFile, textFile + apartSuffix, videoFile, videoFile + apartSuffix} {
		if _, listed := b.SHA256[name]; !listed && strings.HasSuffix(name, apartSuffix) {
			continue
		}
		if info, err := os.Stat(filepath.Join(b.dir, name)); err != nil || !info.Mode().IsRegular() {
			missing = append(missing, name)
		}
	}
	return missing
}

// graph reads one of the bundle's graphs and verifies its hash, and that of the file
// with its larger constants, if there is one.
func (b *Bundle) graph(name string) ([]byte, error) {
	raw, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		return nil, fmt.Errorf("open model bundle: %w", err)
	}
	if err := b.same(name, hexSum(raw)); err != nil {
		return nil, err
	}
	if _, apart := b.SHA256[name+apartSuffix]; !apart {
		return raw, nil
	}
	f, err := os.Open(filepath.Join(b.dir, name+apartSuffix))
	if err != nil {
		return nil, fmt.Errorf("open model bundle: %w", err)
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, fmt.Errorf("open model bundle: %w", err)
	}
	return raw, b.same(name+apartSuffix, hex.EncodeToString(h.Sum(nil)))
}

// same compares a file's hash with that in bundle.json.
func (b *Bundle) same(file, sum string) error {
	if sum == b.SHA256[file] {
		return nil
	}
	return fmt.Errorf("open model bundle %s: %s has SHA-256 %s, bundle.json says %q: import the checkpoint again", b.dir, file, sum, b.SHA256[file])
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// save writes the bundle to a temporary folder next to dir and renames that to
// dir, so that dir is either a complete bundle or does not exist. Graphs whose
// constants have more than inside bytes get a second file for these.
func (b *Bundle) save(dir string, graphs map[string]*onnx.Graph, inside int64) error {
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
	b.SHA256, b.Format = map[string]string{}, b.Dims.format()
	for name, graph := range graphs {
		if err := b.saveGraph(temp, name, graph, graph.Size() > inside); err != nil {
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

// saveGraph writes a graph, with its larger constants apart or not, and notes the
// hashes of what it wrote.
func (b *Bundle) saveGraph(dir, name string, g *onnx.Graph, apart bool) (err error) {
	model, err := create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, model.close()); b.SHA256[name] = model.sum() }()
	if !apart {
		return g.Write(model, nil, "")
	}
	b.Format = formatNewest
	data, err := create(filepath.Join(dir, name+apartSuffix))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.close()); b.SHA256[name+apartSuffix] = data.sum() }()
	return g.Write(model, data, name+apartSuffix)
}

// hashedFile is a file that is written, and hashed meanwhile.
type hashedFile struct {
	*bufio.Writer
	file *os.File
	hash hash.Hash
}

func create(path string) (*hashedFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	return &hashedFile{bufio.NewWriterSize(io.MultiWriter(f, h), 1<<16), f, h}, nil
}

func (f *hashedFile) close() error { return errors.Join(f.Flush(), f.file.Close()) }

func (f *hashedFile) sum() string { return hex.EncodeToString(f.hash.Sum(nil)) }

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
