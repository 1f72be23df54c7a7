package eval

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/frostwatch/frostwatch/internal/lock"
)

const storeFile = "embeddings.jsonl"

// maxRecord bounds a line of the store: an embedding of 65536 numbers.
const maxRecord = 1 << 20

// key is everything that an embedding depends on.
type key struct {
	Model    string `json:"model"`              // the model's id
	Sampling string `json:"sampling,omitempty"` // for a video
	Video    string `json:"video,omitempty"`    // the video's path
	Size     int64  `json:"size,omitempty"`     // bytes
	Changed  int64  `json:"changed,omitempty"`  // modification time: with Size it distinguishes another file of the same name
	Text     string `json:"text,omitempty"`     // for a class
	// Templates are those of the class, a line each; empty: the model's.
	Templates string `json:"templates,omitempty"`
}

type record struct {
	key
	Vector string `json:"vector"` // base64 of little-endian float32
}

// store keeps embeddings in a file, one on each line, so that an interrupted
// run can go on. It serves one goroutine. The zero value keeps embeddings in
// memory only, for the run.
type store struct {
	file  *os.File
	known map[key][]float32
}

// WorkFile is the path of the store's file in a work folder.
func WorkFile(dir string) string { return filepath.Join(dir, storeFile) }

// openStore reads the embeddings of one model in a folder. A last line that was
// not written completely is cut off. Any other line that can't be read is an
// error, because this program does not write such lines.
func openStore(dir, model string, dim int) (*store, error) {
	s := &store{known: map[key][]float32{}}
	if dir == "" {
		return s, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make work folder: %w", err)
	}
	path := WorkFile(dir)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open work file: %w", err)
	}
	s.file = f
	if err := s.load(path, model, dim); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

func (s *store) load(path, model string, dim int) error {
	if err := lock.Take(s.file); err != nil {
		if errors.Is(err, lock.ErrHeld) {
			return fmt.Errorf("work file %s is in use by another evaluation: wait for it, or choose another folder", path)
		}
		return fmt.Errorf("lock work file %s: %w", path, err)
	}
	lines, whole := bufio.NewReaderSize(s.file, maxRecord), int64(0)
	for number := 1; ; number++ {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return s.cut(path, whole, len(line))
		case errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("read work file %s:%d: the line has more than %d bytes: remove the line or the file", path, number, maxRecord)
		case err != nil:
			return fmt.Errorf("read work file %s: %w", path, err)
		}
		whole += int64(len(line))
		if err := s.learn(line, model, dim); err != nil {
			return fmt.Errorf("read work file %s:%d: %w: remove the line or the file", path, number, err)
		}
	}
}

// cut removes the rest of a line whose writing was interrupted.
func (s *store) cut(path string, whole int64, torn int) error {
	if torn == 0 {
		return nil
	}
	if err := s.file.Truncate(whole); err != nil {
		return fmt.Errorf("cut off the torn end of work file %s: %w", path, err)
	}
	return nil
}

func (s *store) learn(line []byte, model string, dim int) error {
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return fmt.Errorf("not an embedding: %w", err)
	}
	if r.Model != model {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(r.Vector)
	if err != nil || len(raw) != 4*dim {
		return fmt.Errorf("not an embedding of %d numbers", dim)
	}
	v := make([]float32, dim)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	if !finite(v) {
		return errors.New("an embedding that is not finite")
	}
	s.known[r.key] = v
	return nil
}

func finite(v []float32) bool {
	for _, x := range v {
		if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
			return false
		}
	}
	return true
}

func (s *store) get(k key) ([]float32, bool) {
	v, ok := s.known[k]
	return v, ok
}

// put stores an embedding by writing one line at once.
func (s *store) put(k key, v []float32) error {
	s.known[k] = v
	if s.file == nil {
		return nil
	}
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	line, err := json.Marshal(record{k, base64.StdEncoding.EncodeToString(raw)})
	if err == nil {
		_, err = s.file.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write work file: %w", err)
	}
	return nil
}

func (s *store) close() error {
	if s.file == nil {
		return nil
	}
	if err := s.file.Close(); err != nil {
		return fmt.Errorf("close work file: %w", err)
	}
	return nil
}
