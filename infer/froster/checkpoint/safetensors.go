package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxHeader bounds the JSON in front of the tensors; ViT-L/14 has some 70 KB.
const maxHeader = 16 << 20

// entry is one tensor of a safetensors file's header.
type entry struct {
	name  string
	kind  kind
	shape []int
	begin int64 // in the data after the header
	end   int64
}

// readSafetensors reads a file as the safetensors documentation describes it:
// the length of a JSON header in 8 bytes, the header, then the tensors one after
// the other without gaps.
func readSafetensors(r io.ReaderAt, size int64, keep func(string) bool) (map[string]Tensor, error) {
	length, err := headerLength(r, size)
	if err != nil {
		return nil, err
	}
	raw := make([]byte, length)
	if _, err := r.ReadAt(raw, 8); err != nil {
		return nil, fmt.Errorf("read safetensors header: %w", err)
	}
	entries, err := parseHeader(raw)
	if err != nil {
		return nil, fmt.Errorf("safetensors header: %w", err)
	}
	data := io.NewSectionReader(r, 8+length, size-8-length)
	if err := fillExactly(entries, data.Size()); err != nil {
		return nil, fmt.Errorf("safetensors header: %w", err)
	}
	out := map[string]Tensor{}
	for _, e := range entries {
		if !keep(e.name) {
			continue
		}
		if err := bounded(e.name, e.shape); err != nil {
			return nil, err
		}
		t := Later(e.shape, func() ([]float32, error) {
			v, err := e.load(data)
			if err != nil {
				return nil, fmt.Errorf("tensor %s: %w", e.name, err)
			}
			return v, nil
		})
		t.Half = e.kind.half()
		out[e.name] = t
	}
	return out, nil
}

func headerLength(r io.ReaderAt, size int64) (int64, error) {
	var head [8]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return 0, fmt.Errorf("read safetensors header: %w", err)
	}
	n := binary.LittleEndian.Uint64(head[:])
	if n > maxHeader || int64(n) > size-8 {
		return 0, fmt.Errorf("safetensors header of %d bytes in a file of %d: want at most %d", n, size, maxHeader)
	}
	return int64(n), nil
}

// parseHeader reads the JSON object key by key: decoding into a map would
// silently keep the last of two tensors of the same name.
func parseHeader(raw []byte) ([]entry, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	var out []entry
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string)
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		if seen[name] {
			return nil, fmt.Errorf("duplicate tensor %q", name)
		}
		seen[name] = true
		if name == "__metadata__" {
			continue
		}
		e, err := parseEntry(name, value)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		out = append(out, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	return out, nil
}

func parseEntry(name string, raw json.RawMessage) (entry, error) {
	var v struct {
		Type    string  `json:"dtype"`
		Shape   []int   `json:"shape"`
		Offsets []int64 `json:"data_offsets"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return entry{}, err
	}
	class, ok := safetensorsKinds()[v.Type]
	if !ok {
		return entry{}, fmt.Errorf("values of type %q: want F64, F32, F16, BF16 or integers", v.Type)
	}
	k, _ := kindOf(class)
	n, ok := elements(v.Shape)
	if !ok {
		return entry{}, fmt.Errorf("shape %v is too large", v.Shape)
	}
	if len(v.Offsets) != 2 || v.Offsets[0] < 0 || v.Offsets[1] < v.Offsets[0] || v.Offsets[1]-v.Offsets[0] != int64(n)*int64(k.size) {
		return entry{}, fmt.Errorf("data_offsets %v do not hold shape %v of %s", v.Offsets, v.Shape, v.Type)
	}
	if v.Shape == nil {
		v.Shape = []int{}
	}
	return entry{name, k, v.Shape, v.Offsets[0], v.Offsets[1]}, nil
}

// safetensorsKinds are torch's storage classes by safetensors' type names.
func safetensorsKinds() map[string]string {
	return map[string]string{
		"F64": "DoubleStorage", "F32": "FloatStorage", "F16": "HalfStorage", "BF16": "BFloat16Storage",
		"I64": "LongStorage", "I32": "IntStorage", "I16": "ShortStorage", "I8": "CharStorage", "U8": "ByteStorage", "BOOL": "BoolStorage",
	}
}

// fillExactly checks that the tensors fill the data without gap or overlap:
// then no more is read than the file holds.
func fillExactly(entries []entry, size int64) error {
	sorted := slices.Clone(entries)
	slices.SortFunc(sorted, func(a, b entry) int {
		if a.begin != b.begin {
			return int(min(max(a.begin-b.begin, -1), 1))
		}
		return int(min(max(a.end-b.end, -1), 1))
	})
	at := int64(0)
	for _, e := range sorted {
		if e.begin != at {
			return fmt.Errorf("%q begins at byte %d, the one before it ends at %d", e.name, e.begin, at)
		}
		at = e.end
	}
	if at != size {
		return fmt.Errorf("the tensors are %d bytes, the file holds %d", at, size)
	}
	return nil
}

// load converts the values piece by piece, so that a tensor's bytes are never in memory
// as a whole.
func (e entry) load(data io.ReaderAt) ([]float32, error) {
	const piece = 1 << 20
	out := make([]float32, (e.end-e.begin)/int64(e.kind.size))
	buffer := make([]byte, min(piece, e.end-e.begin))
	for at, i := e.begin, 0; at < e.end; {
		part := buffer[:min(piece, e.end-at)]
		if _, err := data.ReadAt(part, at); err != nil {
			return nil, err
		}
		n := len(part) / e.kind.size
		e.kind.readAll(part, out[i:i+n])
		at, i = at+int64(len(part)), i+n
	}
	return out, nil
}
