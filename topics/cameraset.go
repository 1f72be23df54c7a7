package topics

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// CameraSet is what a configuration file or an `up` last put on the table of
// cameras. It is stored on the cameras topic next to the cameras, under a key
// that can't be a camera's name. With it, a camera that people removed or
// changed since can be distinguished from one that was never there.
type CameraSet struct {
	Source string `json:"source"` // SourceFile or SourceUp
	// ID distinguishes sets of one source: for a file, its path.
	ID string `json:"id"`
	// Cameras are hashes of the entries that were put, by camera name; the hash
	// of an entry changes only if the entry does.
	Cameras map[string]string `json:"cameras"`
}

// maxSet is how many cameras one configuration file may put on the table.
const maxSet = 20_000

const cameraSetKey = "set/"

// CameraSetKey is the key of the set of a source and id.
func CameraSetKey(source, id string) string { return cameraSetKey + source + "/" + id }

// IsCameraSetKey reports whether the record with this key on the cameras topic is
// a set rather than a camera.
func IsCameraSetKey(key string) bool { return strings.HasPrefix(key, cameraSetKey) }

func (s CameraSet) validate() error {
	if !slices.Contains([]string{SourceFile, SourceUp}, s.Source) {
		return fmt.Errorf("source %.80q: want %s or %s", s.Source, SourceFile, SourceUp)
	}
	if !isID(s.ID) {
		return fmt.Errorf("id: want 1 to %d bytes of printable text", maxID)
	}
	if len(s.Cameras) > maxSet {
		return fmt.Errorf("cameras: %d elements, want at most %d", len(s.Cameras), maxSet)
	}
	for name := range s.Cameras {
		if !cameraName.MatchString(name) {
			return fmt.Errorf("%.80q is not a camera name", name)
		}
	}
	return nil
}

// EncodeCameraSet makes the JSON record of a valid set.
func EncodeCameraSet(s CameraSet) ([]byte, error) {
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("encode camera set: %w", err)
	}
	return json.Marshal(s)
}

// DecodeCameraSet parses and validates a set.
func DecodeCameraSet(b []byte) (CameraSet, error) {
	var s CameraSet
	err := decodeJSON(b, &s, cameraSetBounds)
	if err == nil {
		err = s.validate()
	}
	if err != nil {
		return CameraSet{}, fmt.Errorf("decode camera set: %w", err)
	}
	return s, nil
}
