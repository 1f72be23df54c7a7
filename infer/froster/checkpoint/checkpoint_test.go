package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
)

func everything(string) bool { return true }

// read reads a checkpoint and all values of its tensors.
func read(b []byte) (map[string]Tensor, error) {
	tensors, err := Read(bytes.NewReader(b), int64(len(b)), everything)
	for name, t := range tensors {
		if t.Data, err = t.Values(); err != nil {
			return nil, err
		}
		tensors[name] = t
	}
	return tensors, err
}

// archiveOf is a torch zip of the given pickle and storages.
func archiveOf(t testing.TB, method uint16, pickle []byte, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, content []byte) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "m/" + name, Method: method})
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add("data.pkl", pickle)
	for name, content := range files {
		add("data/"+name, content)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// view is the pickle of {"w": tensor}: a storage of the given class and size,
// shape and stride as pickled tuples.
func view(class string, size byte, shape, stride string) []byte {
	return []byte("\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\n" + class +
		"\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK" + string([]byte{size}) + "tQK\x00" + shape + stride + "\x89NtRs.")
}

func TestStorageKindsAndViews(t *testing.T) {
	f32 := func(vs ...float32) (b []byte) {
		for _, v := range vs {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		return b
	}
	for _, c := range []struct {
		name   string
		pickle []byte
		raw    []byte
		want   []float32
	}{
		{"float32", view("FloatStorage", 4, "K\x02K\x02\x86", "K\x02K\x01\x86"), f32(1, 2, 3, 4), []float32{1, 2, 3, 4}},
		{"transposed view", view("FloatStorage", 4, "K\x02K\x02\x86", "K\x01K\x02\x86"), f32(1, 2, 3, 4), []float32{1, 3, 2, 4}},
		{"float16", view("HalfStorage", 2, "K\x02\x85", "K\x01\x85"), []byte{0x00, 0x3c, 0x01, 0x80}, []float32{1, -1.0 / (1 << 24)}},
		{"bfloat16", view("BFloat16Storage", 1, "K\x01\x85", "K\x01\x85"), []byte{0x20, 0xc0}, []float32{-2.5}},
		{"int64", view("LongStorage", 1, ")", ")"), []byte{7, 0, 0, 0, 0, 0, 0, 0}, []float32{7}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := read(archiveOf(t, zip.Store, c.pickle, map[string][]byte{"0": c.raw}))
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range c.want {
				if got["w"].Data[i] != v {
					t.Errorf("got %v, want %v", got["w"].Data, c.want)
					break
				}
			}
		})
	}
}

// text is a pickled one.
func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

// viewsOf is the pickle of n tensors that are the same view of one storage.
func viewsOf(n int, class string, size byte, shape, stride string) []byte {
	one := view(class, size, shape, stride)
	var b bytes.Buffer
	b.Write(one[:len(one)-2]) // without SETITEM and STOP
	b.WriteString("q\x00s")
	for i := range n - 1 {
		b.WriteString(text(fmt.Sprint(i)) + "h\x00s")
	}
	b.WriteByte('.')
	return b.Bytes()
}

// nested is the pickle of n dictionaries, each under the key in the one before,
// with a tensor in the last.
func nested(n int, key string) []byte {
	one := view("FloatStorage", 1, ")", ")")
	return []byte("\x80\x02" + strings.Repeat("}"+text(key), n) + string(one[2:len(one)-1]) + strings.Repeat("s", n) + ".")
}

func TestHostileFilesAreRefused(t *testing.T) {
	bomb := bytes.Repeat([]byte{0}, 40<<20)
	bombs := map[string][]byte{"0": {0, 0, 0, 0}}
	for i := range 10 {
		bombs[fmt.Sprint("b", i)] = bomb[:4<<20]
	}
	// A tuple of the one before, twice, thirty times over.
	doubled := ")" + strings.Repeat("q\x00h\x00\x86", 30)
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"a pickle that runs a command", archiveOf(t, zip.Store, []byte("\x80\x02cposix\nsystem\nX\x10\x00\x00\x00touch /tmp/owned\x85R."), nil), "posix.system"},
		{"an eval", archiveOf(t, zip.Store, []byte("\x80\x02c__builtin__\neval\nX\x01\x00\x00\x001\x85R."), nil), "__builtin__.eval"},
		{"a class of someone's", archiveOf(t, zip.Store, []byte("\x80\x02cmine\nThing\n)\x81."), nil), "mine.Thing"},
		{"a foreign storage", archiveOf(t, zip.Store, bytes.ReplaceAll(view("FloatStorage", 1, ")", ")"), []byte("ctorch\nFloat"), []byte("cevil_\nFloat")), nil), "evil_.FloatStorage"},
		{"protocol 0", archiveOf(t, zip.Store, []byte("(lp0\n."), nil), "is not one that a checkpoint needs"},
		{"cut short", archiveOf(t, zip.Store, []byte("\x80\x02}X\xff\xff\xff\x7fw"), nil), "ends early"},
		{"a view beyond its storage", archiveOf(t, zip.Store, view("FloatStorage", 2, "K\x02\x85", "K\x09\x85"), map[string][]byte{"0": make([]byte, 8)}), "reaches value 9 of a storage of 2"},
		{"many values of one", archiveOf(t, zip.Store, view("FloatStorage", 1, "M\xff\xffM\xff\x00\x86", "K\x00K\x00\x86"), map[string][]byte{"0": make([]byte, 4)}), "larger than its storage"},
		{"a tensor larger than any model's", archiveOf(t, zip.Store, view("FloatStorage", 1, "J\x01\x00\x00\x04\x85", "K\x01\x85"), nil), `tensor "w": shape [67108865] is larger than any of a model that can be imported: want at most 67108864 values`},
		{"a small one spread over more", archiveOf(t, zip.Store, bytes.Replace(view("FloatStorage", 1, "K\x02\x85", "J\x01\x00\x00\x04\x85"), []byte("K\x01tQ"), []byte("J\x02\x00\x00\x04tQ"), 1), nil), "is read from 67108866 values"},
		{"a shape that overflows", archiveOf(t, zip.Store, view("FloatStorage", 1, "J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x87", "K\x00K\x00K\x00\x87"), nil), "tensor of shape"},
		{"a short storage", archiveOf(t, zip.Store, view("FloatStorage", 4, "K\x04\x85", "K\x01\x85"), map[string][]byte{"0": {1, 2}}), "holds 2 bytes"},
		{"a missing storage", archiveOf(t, zip.Store, view("FloatStorage", 4, "K\x04\x85", "K\x01\x85"), nil), "data/0 is missing"},
		{"a zip bomb", archiveOf(t, zip.Deflate, view("FloatStorage", 1, ")", ")"), map[string][]byte{"0": bomb}), "those before it have"},
		{"a zip bomb of many files", archiveOf(t, zip.Deflate, view("FloatStorage", 1, ")", ")"), bombs), "those before it have"},
		{"a name that climbs", archiveOf(t, zip.Store, view("FloatStorage", 1, ")", ")"), map[string][]byte{"../../../tmp/owned": {0, 0, 0, 0}}), "not a valid name in an archive"},
		{"a storage outside", archiveOf(t, zip.Store, bytes.Replace(view("FloatStorage", 1, ")", ")"), []byte(text("0")), []byte(text("../data.pkl")), 1), nil), "data/../data.pkl is missing"},
		{"a thousand times its own length", archiveOf(t, zip.Store, viewsOf(1000, "FloatStorage", 200, "K\xc8\x85", "K\x01\x85"), map[string][]byte{"0": make([]byte, 800)}), "show 200000 values"},
		{"a storage named by a billion tuples", archiveOf(t, zip.Store, bytes.Replace(view("FloatStorage", 1, ")", ")"), []byte(text("0")), []byte(doubled), 1), nil), "want a text"},
		{"names that grow", archiveOf(t, zip.Store, nested(60, strings.Repeat("a", 100_000)), nil), "name is longer than"},
		{"a pickle beyond all bounds", archiveOf(t, zip.Store, make([]byte, maxPickle+1), nil), "want at most"},
		{"no zip at all", []byte("GIF89a\x00, and more of it"), "neither a PyTorch file nor safetensors"},
		{"an empty file", archiveOf(t, zip.Store, nil, nil)[:0], "the file is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := read(c.file)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %.500v, want %q in it", err, c.want)
			}
			if used, most := after.TotalAlloc-before.TotalAlloc, uint64(8*len(c.file)+1<<20); used > most {
				t.Errorf("%d bytes were allocated for a file of %d, want at most %d", used, len(c.file), most)
			}
		})
	}
	if _, err := os.Stat("/tmp/owned"); !errors.Is(err, os.ErrNotExist) {
		t.Error("the pickle ran")
	}
}

// What people take for a checkpoint is named, with what to do about it.
func TestWhatIsNoCheckpointIsNamed(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"a pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n", "Git LFS pointer"},
		{"a page", "\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>", "a web page"},
		{"a page with a mark", "\xef\xbb\xbf<html lang=\"en\"><body>404</body></html>", "a web page"},
		{"S3's refusal", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code></Error>", "a web page"},
		{"a configuration", "{\n  \"architectures\": [\"CLIPModel\"]\n}\n", "it is JSON"},
		{"a text", "Not Found: the repository does not exist or is private", "it is a text"},
		{"a text of another alphabet", strings.Repeat("не найдено ", 9), "it is a text"},
		{"compressed", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "unpack it"},
		{"another format", "GGUF\x03\x00\x00\x00\x01\x00", "GGUF"},
		{"a part", string(archiveOf(t, zip.Store, []byte("\x80\x02}."), nil)[:40]), "downloaded in part"},
	} {
		if _, err := read([]byte(c.content)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Each would else read all of it.
func TestAStorageOfManyTensorsIsReadOnce(t *testing.T) {
	file := archiveOf(t, zip.Store, bytes.Replace(viewsOf(500, "FloatStorage", 1, ")", ")"), []byte("K\x01tQ"), []byte("J\x00\x00\x40\x00tQ"), 1),
		map[string][]byte{"0": make([]byte, 4<<22)})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := read(file)
	runtime.ReadMemStats(&after)
	if err != nil || len(got) != 500 {
		t.Fatalf("%d tensors, %v", len(got), err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 20*4<<22 {
		t.Errorf("%d bytes were allocated for a storage of %d", used, 4<<22)
	}
}

func TestASelfContainingPickleEnds(t *testing.T) {
	for name, pickle := range map[string]string{
		"d = {}; d[a] = d":       "\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.",
		"the same with two keys": "\x80\x02}q\x00X\x01\x00\x00\x00ah\x00sX\x01\x00\x00\x00bh\x00s.",
	} {
		done := make(chan error, 1)
		go func() { _, err := read(archiveOf(t, zip.Store, []byte(pickle), nil)); done <- err }()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), "nested too deeply") {
				t.Errorf("%s: got %v", name, err)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: still walking", name)
		}
	}
}

// scripted is the pickle of a TorchScript module with one tensor, w.
func scripted() []byte {
	one := view("FloatStorage", 1, ")", ")")
	return []byte("\x80\x02c__torch__.clip\nModule\n)\x81" + string(one[2:len(one)-1]) + "b.")
}

func TestATorchScriptModuleIsRead(t *testing.T) {
	got, err := read(archiveOf(t, zip.Store, scripted(), map[string][]byte{"0": {0, 0, 0x80, 0x3f}}))
	if err != nil || len(got["w"].Data) != 1 || got["w"].Data[0] != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

func FuzzUnpickle(f *testing.F) {
	f.Add(view("FloatStorage", 4, "K\x02K\x02\x86", "K\x02K\x01\x86"))
	f.Add([]byte("\x80\x02cposix\nsystem\nX\x01\x00\x00\x00a\x85R."))
	f.Add([]byte("\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s."))
	f.Add(scripted())
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := unpickle(b)
		if err != nil {
			return
		}
		_ = collect(v, func(_ string, r reference) {
			if r.inside() == nil && r.storage.size < 1<<12 {
				if n, ok := elements(r.shape); ok && n <= r.storage.size {
					if _, err := r.load(make([]byte, r.storage.size*r.storage.kind.size), 0); err != nil {
						t.Errorf("a view inside its storage can't be read: %v", err)
					}
				}
			}
		})
	})
}

func FuzzRead(f *testing.F) {
	f.Add(archiveOf(f, zip.Store, view("FloatStorage", 1, ")", ")"), map[string][]byte{"0": {0, 0, 0, 0}}))
	f.Add(archiveOf(f, zip.Deflate, scripted(), map[string][]byte{"0": {0, 0, 0x80, 0x3f}}))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = read(b) })
}

func TestEveryTensorOfARealCheckpointIsFound(t *testing.T) {
	f, err := Open(shared.Path(t, "model", "frost-mini.pth"), everything)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if n := len(f.Tensors); n != 134 {
		t.Errorf("%d tensors, the pickle holds 134", n)
	}
}
