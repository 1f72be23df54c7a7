// Package pull downloads known checkpoints. It resumes and verifies downloads,
// and keeps partial files for the next try.
package pull

import (
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path"
	"strings"
)

// addresses holds OpenAI's checkpoints, as clip/clip.py of openai/CLIP lists
// them: the folder in an address is the file's SHA-256. And Meta's of Perception Encoder,
// of each file at one revision, whose SHA-256 was taken from what others had written down.
//
//go:embed addresses.json
var addresses []byte

// Checkpoint is a file that may be pulled.
type Checkpoint struct {
	Name    string `json:"name"`
	URL     string `json:"url"`
	SHA256  string `json:"sha256"`
	Size    int64  `json:"size,omitempty"`    // bytes; 0: not known
	Licence string `json:"licence,omitempty"` // of the weights; empty: the usual one of the format
	// Note is what whoever pulls it is told before, such as who vouches for the SHA-256.
	Note string `json:"note,omitempty"`
	// Activation and BaseClasses are passed to the import; both may be empty.
	Activation  string `json:"activation,omitempty"`
	BaseClasses string `json:"base_classes,omitempty"`
}

// Known returns the built-in checkpoints and those of the JSON file list, if it
// is not empty. The file has the form of addresses.json; its entries come first
// and may replace built-in ones.
func Known(list string) ([]Checkpoint, error) {
	var out []Checkpoint
	if list != "" {
		raw, err := os.ReadFile(list)
		if err == nil {
			err = json.Unmarshal(raw, &out)
		}
		if err != nil {
			return nil, fmt.Errorf("read list of checkpoints %s: %w", list, err)
		}
	}
	var own []Checkpoint
	if err := json.Unmarshal(addresses, &own); err != nil {
		return nil, fmt.Errorf("read built-in list of checkpoints: %w", err)
	}
	for i, c := range append(out, own...) {
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("list of checkpoints: entry %d, %q: %w", i+1, c.Name, err)
		}
	}
	return append(out, own...), nil
}

func (c Checkpoint) check() error {
	u, err := url.Parse(c.URL)
	sum, errSum := hex.DecodeString(c.SHA256)
	switch {
	case c.Name == "":
		return fmt.Errorf("a name is required")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("url: want one of http or https")
	case errSum != nil || len(sum) != 32:
		return fmt.Errorf("sha256: want 64 hexadecimal digits")
	case c.Size < 0 || c.Size > maxSize:
		return fmt.Errorf("size %d: want at most %d", c.Size, int64(maxSize))
	}
	return nil
}

// unlisted is the one Perception Encoder that addresses.json lacks.
const unlisted = "PE-Core-G14"

// Find returns the checkpoint with a name. ViT-B-16 means ViT-B/16 too.
func Find(known []Checkpoint, name string) (Checkpoint, error) {
	var names []string
	for _, c := range known {
		if strings.EqualFold(plain(c.Name), plain(name)) {
			return c, nil
		}
		names = append(names, c.Name)
	}
	if strings.EqualFold(name, unlisted) {
		return Checkpoint{}, fmt.Errorf("%s can't be downloaded by name, because no checksum of it is known: download Meta's PE-Core-G14-448.pt, and `frostwatch model import PE-Core-G14-448.pt --name pe-core-g14`", unlisted)
	}
	return Checkpoint{}, fmt.Errorf("no checkpoint is named %q: known are %s (--list FILE adds others)", name, strings.Join(names, ", "))
}

// plain turns a checkpoint's name into one that a folder can have.
func plain(name string) string { return strings.ReplaceAll(name, "/", "-") }

// Folder is the name of the folder for the bundle made from the checkpoint.
func (c Checkpoint) Folder() string { return strings.ToLower(plain(c.Name)) }

// file is the last part of the address; its suffix shows the format.
func (c Checkpoint) file() string {
	u, err := url.Parse(c.URL)
	if err != nil {
		return c.SHA256
	}
	name := path.Base(u.Path)
	if name == "." || name == "/" {
		return c.SHA256
	}
	return name
}
