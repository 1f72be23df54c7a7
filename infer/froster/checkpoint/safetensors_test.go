package checkpoint

import (
	"bytes"
	"encoding/binary"
	"math"
	"runtime"
	"strings"
	"testing"
)

func safetensors(header string, data ...byte) []byte {
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), data...)
}

func TestSafetensorsKinds(t *testing.T) {
	file := safetensors(`{"__metadata__":{"format":"pt"},"half":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},`+
		`"brain":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]},"one":{"dtype":"F32","shape":[],"data_offsets":[6,10]},`+
		`"none":{"dtype":"I64","shape":[0,3],"data_offsets":[10,10]},"byte":{"dtype":"U8","shape":[1,2],"data_offsets":[10,12]}}  `,
		0x00, 0x3c, 0x00, 0xc0, // 1, -2
		0x20, 0x40, // 2.5
		0, 0, 0x80, 0x3e, // 0.25
		7, 255)
	got, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]float32{"half": {1, -2}, "brain": {2.5}, "one": {0.25}, "none": {}, "byte": {7, 255}} {
		tensor, ok := got[name]
		if !ok || len(tensor.Data) != len(want) {
			t.Fatalf("%s: %v", name, tensor)
		}
		for i, v := range want {
			if tensor.Data[i] != v {
				t.Errorf("%s: value %d is %v, want %v", name, i, tensor.Data[i], v)
			}
		}
	}
	some, err := Read(bytes.NewReader(file), int64(len(file)), func(name string) bool { return name == "one" })
	if err != nil || len(some) != 1 {
		t.Errorf("asked for one tensor, got %d, %v", len(some), err)
	}
}

func TestBrokenSafetensorsAreRefused(t *testing.T) {
	one := `"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"header longer than the file", append(binary.LittleEndian.AppendUint64(nil, 1<<20), '{'), "header of 1048576 bytes"},
		{"header beyond all bounds", append(binary.LittleEndian.AppendUint64(nil, math.MaxUint64), '{'), "want at most"},
		{"no object", safetensors(`{]`), "header"},
		{"cut off", safetensors(`{` + one), "header"},
		{"data missing", safetensors(`{` + one + `}`), "the tensors are 4 bytes, the file holds 0"},
		{"data left over", safetensors(`{`+one+`}`, 0, 0, 0, 0, 0), "the file holds 5"},
		{"one name twice", safetensors(`{`+one+`,`+one+`}`, 0, 0, 0, 0), `duplicate tensor "a"`},
		{"overlap", safetensors(`{`+one+`,"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}`, 0, 0, 0, 0, 0, 0), "begins at byte 2"},
		{"hole", safetensors(`{`+one+`,"b":{"dtype":"U8","shape":[1],"data_offsets":[5,6]}}`, 0, 0, 0, 0, 0, 0), "begins at byte 5"},
		{"unknown type", safetensors(`{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}`, 0), `"F8_E4M3"`},
		{"more values than bytes", safetensors(`{"a":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4]}}`, 0, 0, 0, 0), "do not hold"},
		{"billions of billions", safetensors(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}`, 0, 0, 0, 0), "too large"},
		{"negative side", safetensors(`{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}`, 0, 0, 0, 0), "too large"},
		{"negative offset", safetensors(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`), "do not hold"},
		{"empty file", nil, "the file is empty"},
		{"bare pickle", []byte("\x80\x02}q\x00X\x01\x00\x00\x00aK\x01s."), "before 1.6"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := read(c.file)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want one about %q", err, c.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
				t.Errorf("%d bytes were allocated for a file of %d", used, len(c.file))
			}
		})
	}
}

// endless is a file that begins with some bytes and goes on with zeros.
type endless []byte

func (e endless) ReadAt(p []byte, at int64) (int, error) {
	clear(p)
	if at < int64(len(e)) {
		copy(p, e[at:])
	}
	return len(p), nil
}

// Of a file that is as long as it says, a tensor would be in memory as a whole. What is not
// asked for may be of any size.
func TestATensorLargerThanAnyModelsIsRefused(t *testing.T) {
	header := `{"a.b":{"dtype":"F16","shape":[8193,8192],"data_offsets":[0,134234112]}}`
	file := safetensors(header)
	size := int64(len(file)) + 134234112
	_, err := Read(endless(file), size, everything)
	if err == nil || !strings.Contains(err.Error(), `tensor "a.b": shape [8193 8192] is larger than any of a model that can be imported: want at most 67108864 values`) {
		t.Errorf("got %v", err)
	}
	if got, err := Read(endless(file), size, func(string) bool { return false }); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	large := strings.NewReplacer("8193", "8192", "134234112", "134217728").Replace(header)
	if _, err := Read(endless(safetensors(large)), int64(len(file))+134217728, everything); err != nil {
		t.Errorf("the largest that is read: %v", err)
	}
}

func FuzzReadSafetensors(f *testing.F) {
	f.Add(safetensors(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 1, 2, 3, 4))
	f.Add(safetensors(`{"__metadata__":{},"a":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]},"b":{"dtype":"I8","shape":[],"data_offsets":[4,5]}}`, 1, 2, 3, 4, 5))
	f.Add(safetensors(`{}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := read(file)
		if err != nil {
			return
		}
		values := 0
		for name, tensor := range got {
			n, ok := elements(tensor.Shape)
			if !ok || n != len(tensor.Data) {
				t.Errorf("%q: %d values for shape %v", name, len(tensor.Data), tensor.Shape)
			}
			values += n
		}
		if len(file) > 8 && file[8] == '{' && values > len(file) {
			t.Errorf("%d values out of %d bytes", values, len(file))
		}
	})
}
