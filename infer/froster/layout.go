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
	temporal   bool // trained with FROSTER's temporal attention
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
// unless empty, overrides what the format implies.
func readWeights(path, activation string) (source, error) {
	files, err := findCheckpoint(path)
	if err != nil {
		return source{}, fmt.Errorf("import %s: %w", path, err)
	}
	file := files[0]
	tensors, err := openAll(files)
	if err != nil {
		return source{}, err
	}
	if len(tensors) == 0 {
		return source{}, fmt.Errorf("import %s: it holds no tensors of a model", path)
	}
	s, err := arrange(tensors, filepath.Dir(file), filepath.Base(file))
	if err != nil {
		return source{}, fmt.Errorf("import %s: %w", path, err)
	}
	if scale := s.weights["logit_scale"]; len(scale.Data) == 1 {
		// Some programs store this one number as a list of one.
		s.weights["logit_scale"] = checkpoint.Tensor{Shape: []int{}, Data: scale.Data}
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

// openAll reads the tensors of all files, which are parts of one checkpoint.
func openAll(files []string) (map[string]checkpoint.Tensor, error) {
	all := map[string]checkpoint.Tensor{}
	for _, file := range files {
		tensors, err := checkpoint.Open(file, wanted)
		if err != nil {
			return nil, err
		}
		for name, t := range tensors {
			if _, twice := all[name]; twice {
				return nil, fmt.Errorf("import %s: tensor %s is in two parts of the checkpoint", file, name)
			}
			all[name] = t
		}
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
	wraps := []string{"model_state.", "state_dict.", "module.", "model.", "clip.", "clip_model.", "_orig_mod.", "_forward_module.", "net."}
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
	_, huggingFace := w["vision_model.embeddings.class_embedding"]
	switch {
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
