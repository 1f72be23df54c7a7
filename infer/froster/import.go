package froster

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
	"github.com/frostwatch/frostwatch/infer/froster/onnx"
)

// The licences of published weights.
const (
	licenceFroster = "CC BY-NC-SA 4.0 (FROSTER's published weights: not for commercial use)"
	licenceCLIP    = "MIT (OpenAI CLIP's published weights)"
)

// ImportOptions say what to read and where to put the bundle.
type ImportOptions struct {
	Checkpoint string    // a file, or a folder in Hugging Face's layout
	Out        string    // the bundle's folder, which must not exist yet
	Name       string    // empty: the checkpoint's file name
	Precision  Precision // empty: Float32
	Activation string    // QuickGELU or GELU; empty: what the checkpoint's format implies
	Framewise  bool      // embed each frame by itself, as CLIP does, and not with FROSTER's temporal attention
	// BaseClasses, those the model was trained on, are Kinetics400 or a file with
	// one class a line. Card is a JSON file about the model: base_classes, licence, summary,
	// not_what, limits. Either may be empty.
	BaseClasses string
	Card        string
	// PatchWith is a checkpoint of the CLIP that was fine-tuned, whose weights make up
	// PatchRatio, from 0 to 1, of those of the bundle; empty: it is not patched.
	PatchWith  string
	PatchRatio float64

	inside int64 // for tests: in place of maxInside
}

// Import reads a checkpoint and writes a bundle. If it returns an error,
// nothing has been written. Once ctx has ended no further tensor is read.
func Import(ctx context.Context, o ImportOptions) (*Bundle, error) {
	if o.Precision == "" {
		o.Precision = Float32
	}
	if err := o.Precision.check(); err != nil {
		return nil, err
	}
	from, err := readWeights(o.Checkpoint, o.Activation)
	if err != nil {
		return nil, err
	}
	if o.PatchWith != "" {
		if from, err = o.patch(from); err != nil {
			return nil, errors.Join(err, from.close())
		}
	}
	from.weights = from.weights.until(ctx)
	b, err := o.convert(from)
	if err == nil {
		if err = from.unchanged(); err != nil {
			err = errors.Join(err, os.RemoveAll(o.Out)) // its id would be that of other weights
		}
	}
	return b, errors.Join(err, from.close())
}

// until are the same weights, of which none can be read once ctx has ended: what is read of
// one takes a second at most.
func (w weights) until(ctx context.Context) weights {
	out := make(weights, len(w))
	for name, t := range w {
		out[name] = t.Until(ctx)
	}
	return out
}

// convert makes the bundle of a model. The weights are read twice, one at a time: to be
// checked and hashed, and to be written.
func (o ImportOptions) convert(from source) (*Bundle, error) {
	w := from.weights
	d, err := dimsOf(w)
	if err == nil {
		err = d.bounds()
	}
	if err == nil {
		err = d.check(w)
	}
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", o.Checkpoint, err)
	}
	d.Activation, d.Framewise = from.activation, d.Framewise || o.Framewise
	if o.Framewise {
		if err := from.framewise(); err != nil {
			return nil, fmt.Errorf("import %s: %w", o.Checkpoint, err)
		}
	}
	id, err := w.hash(o.Precision, d)
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", o.Checkpoint, err)
	}
	scale, err := w["logit_scale"].Values()
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", o.Checkpoint, err)
	}
	b := &Bundle{
		Name: o.Name, ID: id, Dims: d, Precision: o.Precision, Licence: from.licence, Notes: from.notes,
		References: NeutralSentences(),
		LogitScale: float32(math.Exp(float64(scale[0]))), Preprocessing: d.preprocessing(), Templates: templatesFor(d),
	}
	if b.Name == "" {
		b.Name = strings.TrimSuffix(filepath.Base(o.Checkpoint), filepath.Ext(o.Checkpoint))
	}
	if err := b.describe(o); err != nil {
		return nil, err
	}
	graphs := map[string]*onnx.Graph{videoFile: visualGraph(w, d, o.Precision), textFile: textGraph(w, d)}
	if err := b.save(o.Out, graphs, cmp.Or(o.inside, maxInside)); err != nil {
		return nil, fmt.Errorf("write model bundle: %w", err)
	}
	return b, nil
}

// templatesFor are what a bundle says of its templates.
func templatesFor(d Dims) Templates {
	if d.Architecture == PECore {
		return peTemplates()
	}
	return nil // FROSTER's
}

// float16Most is the largest number of float16.
const float16Most = 65504

// hash covers names, shapes and values, and also precision, activation, architecture and
// templates if they are not the default: with others the embeddings differ. Its error lists the
// tensors with values that are no numbers.
func (w weights) hash(p Precision, d Dims) (string, error) {
	h := sha256.New()
	if p != Float32 {
		h.Write([]byte(p))
	}
	if d.Activation != QuickGELU {
		h.Write([]byte(d.Activation))
	}
	if d.Framewise {
		h.Write([]byte("framewise"))
	}
	if d.Architecture != FROSTER {
		h.Write([]byte(d.Architecture + strings.Join(templatesFor(d), "\n")))
	}
	var problems []string
	buffer := make([]byte, 0, 1<<16)
	for _, name := range slices.Sorted(maps.Keys(w)) {
		t := w[name]
		values, err := t.Values()
		if err != nil {
			return "", err
		}
		buffer = fmt.Appendf(buffer[:0], "%s%v", name, t.Shape)
		for _, v := range values {
			buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v))
			if len(buffer) > 1<<16-8 {
				h.Write(buffer)
				buffer = buffer[:0]
			}
		}
		h.Write(buffer)
		most := float32(math.MaxFloat32)
		if p == Float16 && strings.HasPrefix(name, "visual.") {
			most = float16Most
		}
		if i := slices.IndexFunc(values, func(v float32) bool { return !(v >= -most && v <= most) }); i >= 0 { // nor is NaN
			problems = append(problems, fmt.Sprintf("%s: value %d is %v", name, i, values[i]))
		}
	}
	if len(problems) > 0 {
		return "", &ShapeError{Problems: problems}
	}
	return hex.EncodeToString(h.Sum(nil)[:12]), nil
}

// card is what can be known about a model besides its weights.
type card struct {
	BaseClasses json.RawMessage `json:"base_classes"` // list, or object of key → text
	Licence     string          `json:"licence"`
	Summary     string          `json:"summary"`
	NotWhat     string          `json:"not_what"`
	Limits      []string        `json:"limits"`
}

// describe adds base classes, licence and notes to the bundle.
func (b *Bundle) describe(o ImportOptions) error {
	if o.Card != "" {
		if err := b.readCard(o.Card); err != nil {
			return fmt.Errorf("read model card %s: %w", o.Card, err)
		}
	}
	if o.BaseClasses != "" {
		classes, err := baseClasses(o.BaseClasses)
		if err != nil {
			return err
		}
		b.BaseClasses = classes
	}
	return nil
}

func (b *Bundle) readCard(file string) error {
	raw, err := checkpoint.ReadSmall(file, maxAbout)
	if err != nil {
		return err
	}
	var c card
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	if len(c.BaseClasses) > 0 {
		byKey := map[string]string{}
		if json.Unmarshal(c.BaseClasses, &byKey) == nil {
			b.BaseClasses = slices.Sorted(maps.Values(byKey))
		} else if err := json.Unmarshal(c.BaseClasses, &b.BaseClasses); err != nil {
			return errors.New("base_classes: want a list of texts, or an object of texts")
		}
	}
	if c.Licence != "" {
		b.Licence = c.Licence
	}
	for _, note := range append([]string{c.Summary, c.NotWhat}, c.Limits...) {
		if note != "" {
			b.Notes = append(b.Notes, note)
		}
	}
	return nil
}
