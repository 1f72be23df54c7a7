package froster

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// fixture is a file of recorded outputs of the reference implementation: JSON,
// with the arrays in a .bin file of the same name, little-endian, C order.
type fixture struct {
	Dims      Dims               `json:"dims"`
	Classes   []string           `json:"classes"`
	Tolerance map[string]float64 `json:"tolerance"`
	Tokenizer []struct {
		Text  string          `json:"text"`
		Why   string          `json:"why"`
		IDs   []int           `json:"ids"`
		Error json.RawMessage `json:"error"`
	} `json:"tokenizer"`
	Arrays map[string]struct {
		DType  string `json:"dtype"`
		Shape  []int  `json:"shape"`
		Offset int    `json:"offset"`
		Bytes  int    `json:"bytes"`
	} `json:"arrays"`

	data []byte
}

func openFixture(path string) (*fixture, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open reference: %w", err)
	}
	f := &fixture{}
	if err := json.Unmarshal(raw, f); err != nil {
		return nil, fmt.Errorf("open reference %s: %w", path, err)
	}
	if f.data, err = os.ReadFile(strings.TrimSuffix(path, filepath.Ext(path)) + ".bin"); err != nil {
		return nil, fmt.Errorf("open reference: %w", err)
	}
	return f, nil
}

// array returns the raw bytes of an array, which must have the given type.
func (f *fixture) array(name, dtype string) ([]byte, error) {
	a, ok := f.Arrays[name]
	if !ok {
		return nil, fmt.Errorf("the reference has no array %s", name)
	}
	if a.DType != dtype {
		return nil, fmt.Errorf("array %s is %s, want %s", name, a.DType, dtype)
	}
	if a.Offset < 0 || a.Bytes < 0 || a.Offset > len(f.data)-a.Bytes {
		return nil, fmt.Errorf("array %s lies outside its file", name)
	}
	return f.data[a.Offset : a.Offset+a.Bytes], nil
}

func (f *fixture) bytes(name string) ([]byte, error) { return f.array(name, "uint8") }

func (f *fixture) floats(name string) ([]float32, error) {
	raw, err := f.array(name, "float32")
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(raw)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return out, nil
}

func (f *fixture) ints(name string) ([]int, error) {
	raw, err := f.array(name, "int32")
	if err != nil {
		return nil, err
	}
	out := make([]int, len(raw)/4)
	for i := range out {
		out[i] = int(int32(binary.LittleEndian.Uint32(raw[4*i:])))
	}
	return out, nil
}
