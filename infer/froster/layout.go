package froster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
)

// source is a model's weights and what their format says about them.
type source struct {
	weights    weights
	activation string
	licence    string
	notes      []string
	temporal   bool               // trained with FROSTER's temporal attention
	files      []*checkpoint.File // from which the weights are read
}

// unchanged is an error if a file has changed since it was opened.
func (s source) unchanged() error {
	for _, f := range s.files {
		if err := f.Unchanged(); err != nil {
			return err
		}
	}
	return nil
}

// close closes the files. The weights can't be read afterwards.
func (s source) close() error {
	var err error
	for _, f := range s.files {
		err = errors.Join(err, f.Close())
	}
	return err
}

const (
	licenceUnknown = "unknown: see where the checkpoint was published"
	frozenFrames   = "CLIP that was not fine-tuned on video, frame by frame: a clip is the mean of its frames"
	frozenCLIP     = "CLIP that was not fine-tuned on video, with FROSTER's temporal attention: the paper's frozen CLIP baseline"
)

// framewise makes the notes those of a model whose frames are embedded by themselves.
func (s source) framewise() error {
	if s.temporal {
		return errors.New("its weights were trained with FROSTER's temporal attention, without which they are another network: leave out --framewise")
	}
	if at := slices.Index(s.notes, frozenCLIP); at >= 0 {
		s.notes[at] = frozenFrames
	}
	return nil
}

// readWeights finds a model in a checkpoint, which is a file or a folder in
// Hugging Face's layout, and renames its tensors to OpenAI's names. activation,
// unless empty, overrides what the format implies. The caller closes the source.
func readWeights(path, activation string) (s source, err error) {
	files, err := findCheckpoint(path)
	if err != nil {
		return source{}, fmt.Errorf("import %s: %w", path, err)
	}
	file := files[0]
	opened, err := openAll(files)
	defer func() {
		if err != nil {
			err = errors.Join(err, source{files: opened}.close())
		}
	}()
	if err != nil {
		return source{}, err
	}
	tensors, err := together(opened)
	if err != nil {
		return source{}, fmt.Errorf("import %s: %w", path, err)
	}
	if s, err = arrange(tensors, filepath.Dir(file), filepath.Base(file)); err != nil {
		return source{}, fmt.Errorf("import %s: %w", path, err)
	}
	s.files = opened
	if scale, ok := s.weights["logit_scale"]; ok && slices.Equal(scale.Shape, []int{1}) {
		// Some programs store this one number as a list of one.
		s.weights["logit_scale"] = reshaped(scale)
	}
	if isPE(s.weights) && activation != "" && activation != GELU {
		return source{}, fmt.Errorf("import %s: activation %q: Perception Encoder has %s", path, activation, GELU)
	}
	switch activation {
	case "":
	case QuickGELU, GELU:
		s.activation = activation
	default:
		return source{}, fmt.Errorf("import %s: activation %q: want %s or %s", path, activation, QuickGELU, GELU)
	}
	return s, nil
}

// findCheckpoint returns the files with the weights: path itself, or one in the folder
// path, or those that an index in the folder names.
func findCheckpoint(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, indexSuffix) {
		return shards(path)
	}
	if index := indexOf(path); index != "" && !info.IsDir() {
		return shards(index)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	names := []string{"model.safetensors", "open_clip_model.safetensors", "pytorch_model.bin", "open_clip_pytorch_model.bin"}
	for _, name := range names {
		file := filepath.Join(path, name)
		if _, err := os.Stat(file); err == nil {
			return []string{file}, nil
		}
		if _, err := os.Stat(file + indexSuffix); err == nil {
			return shards(file + indexSuffix)
		}
	}
	return nil, fmt.Errorf("the folder holds none of %s, nor an index of parts (%s)", strings.Join(names, ", "), names[0]+indexSuffix)
}

// openAll opens all files, which are parts of one checkpoint. After an error those that
// are open are returned too.
func openAll(files []string) (opened []*checkpoint.File, err error) {
	for _, file := range files {
		f, err := checkpoint.Open(file, wanted)
		if err != nil {
			return opened, err
		}
		opened = append(opened, f)
	}
	return opened, nil
}

// together are the tensors of all parts of a checkpoint.
func together(parts []*checkpoint.File) (map[string]checkpoint.Tensor, error) {
	all := map[string]checkpoint.Tensor{}
	for _, f := range parts {
		for name, t := range f.Tensors {
			if _, twice := all[name]; twice {
				return nil, fmt.Errorf("tensor %s is in two parts of the checkpoint", name)
			}
			all[name] = t
		}
	}
	if len(all) == 0 {
		return nil, errors.New("it holds no tensors of a model")
	}
	return all, nil
}

// wanted reports whether a tensor is read: not the teacher of FROSTER's
// training, whose values differ, nor the training's projectors, nor buffers
// that are not weights.
func wanted(name string) bool {
	bare := unwrapped(name)
	for _, part := range []string{"raw_model.", "projector_", "optimizer_state.", "optimizer.", "cfg."} {
		if strings.HasPrefix(bare, part) {
			return false
		}
	}
	return !isScalar(bare) && !strings.HasSuffix(bare, "position_ids") && bare != "attn_mask" && bare != "text.attn_mask"
}

// unwrapped removes from a name the prefixes that training code puts before it.
func unwrapped(name string) string {
	wraps := []string{"model_state.", "state_dict.", "weights.", "module.", "model.", "clip.", "clip_model.", "_orig_mod.", "_forward_module.", "net."}
	for again := true; again; {
		again = false
		for _, wrap := range wraps {
			if rest, ok := strings.CutPrefix(name, wrap); ok {
				name, again = rest, true
			}
		}
	}
	return name
}

// isScalar reports whether name is one of the numbers that OpenAI's archives
// hold beside the weights.
func isScalar(name string) bool {
	return slices.Contains([]string{"input_resolution", "context_length", "vocab_size"}, name)
}

// arrange recognises the format by the tensors' names.
func arrange(tensors map[string]checkpoint.Tensor, dir, file string) (source, error) {
	w, froster, trained := weights{}, false, false
	for name, t := range tensors {
		bare := unwrapped(name)
		if _, twice := w[bare]; twice {
			return source{}, fmt.Errorf("two tensors are named %s", bare)
		}
		w[bare] = t
		froster = froster || strings.HasPrefix(name, "model_state.")
		trained = trained || strings.HasPrefix(name, "state_dict.")
	}
	if err := refuseVisionAlone(w); err != nil {
		return source{}, err
	}
	_, huggingFace := w["vision_model.embeddings.class_embedding"]
	switch {
	case isPE(w):
		return fromPE(w), nil
	case froster:
		return source{weights: w, activation: QuickGELU, licence: licenceFroster, temporal: true}, nil
	case huggingFace:
		return fromHuggingFace(w, dir)
	case strings.HasSuffix(file, ".pt") && !trained:
		// OpenAI's TorchScript archives and state dictionaries taken from them.
		// OpenCLIP's training also writes .pt files, in which a state_dict is
		// stored beside an epoch.
		return source{weights: w, activation: QuickGELU, licence: licenceCLIP, notes: []string{frozenCLIP}}, nil
	}
	return fromOpenCLIP(w, dir, file)
}
