package froster

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
)

// indexSuffix is what Hugging Face's index of a checkpoint in several files has behind
// the name that one file would have.
const indexSuffix = ".index.json"

// partName is the name of one file of several: "model-00001-of-00002.safetensors".
var partName = regexp.MustCompile(`^(.+)-\d{5}-of-\d{5}(\.[a-z]+)$`)

// indexOf is where the index of a part of a checkpoint is; "": it is no part.
func indexOf(file string) string {
	m := partName.FindStringSubmatch(filepath.Base(file))
	if m == nil {
		return ""
	}
	return filepath.Join(filepath.Dir(file), m[1]+m[2]+indexSuffix)
}

// maxIndex bounds an index: ViT-L/14 has some 600 tensors, of 100 bytes each.
const maxIndex = 16 << 20

// shards returns the files that an index names, in its folder and in order.
func shards(index string) ([]string, error) {
	raw, err := checkpoint.ReadSmall(index, maxIndex)
	if err != nil {
		return nil, fmt.Errorf("find the other parts of the checkpoint: %w", err)
	}
	var content struct {
		Files map[string]string `json:"weight_map"` // by tensor
	}
	if err := json.Unmarshal(raw, &content); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(index), err)
	}
	parts := map[string]bool{}
	for tensor, name := range content.Files {
		if name == "" || name != filepath.Base(name) || !filepath.IsLocal(name) {
			return nil, fmt.Errorf("%s: tensor %.100q is in %.100q, which is no file of the folder", filepath.Base(index), tensor, name)
		}
		parts[filepath.Join(filepath.Dir(index), name)] = true
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("%s names no files (weight_map)", filepath.Base(index))
	}
	files := slices.Sorted(maps.Keys(parts))
	for _, file := range files {
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("%s names %s, which is missing: download all parts", filepath.Base(index), filepath.Base(file))
		}
	}
	return files, nil
}
