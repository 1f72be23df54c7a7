package froster

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/x448/float16"

	"github.com/frostwatch/frostwatch/infer/froster/checkpoint"
)

func write(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// encode is a tensor's values in a safetensors type.
func encode(kind string, values []float32) []byte {
	var b []byte
	for _, v := range values {
		switch kind {
		case "F16":
			b = binary.LittleEndian.AppendUint16(b, float16.Fromfloat32(v).Bits())
		case "BF16":
			b = binary.LittleEndian.AppendUint16(b, uint16(math.Float32bits(v)>>16))
		default:
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
	}
	return b
}

func safetensorsOf(t *testing.T, kind string, w map[string]checkpoint.Tensor) []byte {
	t.Helper()
	header, data := map[string]any{"__metadata__": map[string]string{"format": "pt"}}, []byte(nil)
	for _, name := range slices.Sorted(maps.Keys(w)) {
		raw := encode(kind, w[name].Data)
		header[name] = map[string]any{"dtype": kind, "shape": append([]int{}, w[name].Shape...), "data_offsets": []int{len(data), len(data) + len(raw)}}
		data = append(data, raw...)
	}
	head, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head, data)
}

// torchOf is a zip as torch.save writes it: a pickled dictionary of tensors and
// a file for each storage.
func torchOf(t *testing.T, w map[string]checkpoint.Tensor) []byte {
	t.Helper()
	var file, p bytes.Buffer
	z := zip.NewWriter(&file)
	add := func(name string, content []byte) {
		f, err := z.CreateHeader(&zip.FileHeader{Name: "archive/" + name})
		if err == nil {
			_, err = f.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	text := func(s string) {
		p.WriteByte('X')
		p.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(s))))
		p.WriteString(s)
	}
	number := func(n int) { p.WriteByte('J'); p.Write(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
	p.WriteString("\x80\x02}(")
	for i, name := range slices.Sorted(maps.Keys(w)) {
		tensor, key := w[name], fmt.Sprint(i)
		text(name)
		p.WriteString("ctorch._utils\n_rebuild_tensor_v2\n((")
		text("storage")
		p.WriteString("ctorch\nFloatStorage\n")
		text(key)
		text("cpu")
		number(len(tensor.Data))
		p.WriteString("tQK\x00(")
		stride := len(tensor.Data)
		var strides []int
		for _, side := range tensor.Shape {
			number(side)
			stride /= side
			strides = append(strides, stride)
		}
		p.WriteString("t(")
		for _, s := range strides {
			number(s)
		}
		p.WriteString("t\x89NtR")
		add("data/"+key, encode("F32", tensor.Data))
	}
	p.WriteString("u.")
	add("data.pkl", p.Bytes())
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func sameWeights(t *testing.T, got, want weights, tolerance float64) {
	t.Helper()
	for name, tensor := range want {
		g := got[name]
		if !slices.Equal(g.Shape, tensor.Shape) {
			t.Errorf("%s: shape %v, want %v", name, g.Shape, tensor.Shape)
			continue
		}
		for i, v := range tensor.Data {
			if math.Abs(float64(g.Data[i]-v)) > tolerance*math.Abs(float64(v)) {
				t.Errorf("%s: value %d is %v, want %v", name, i, g.Data[i], v)
				break
			}
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d tensors, want %d", len(got), len(want))
	}
}
