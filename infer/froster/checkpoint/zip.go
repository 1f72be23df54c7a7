package checkpoint

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// maxTotal bounds the uncompressed size of a checkpoint. ViT-L/14 with a
// teacher and optimizer state in float32 is below it.
const maxTotal = 16 << 30

// maxCode bounds by how much the uncompressed files may exceed the archive's
// length: TorchScript's code is compressed, tensors are not.
const maxCode = 16 << 20

// File is a checkpoint whose tensors are read when their values are asked for, until
// it is closed.
type File struct {
	Tensors map[string]Tensor // by their dotted names
	file    *os.File
	opened  os.FileInfo
}

// Unchanged is an error if the file is not as it was when it was opened: then some values
// may be others than those that were read before.
func (f *File) Unchanged() error {
	now, err := f.file.Stat()
	if err != nil {
		return fmt.Errorf("read checkpoint: %w", err)
	}
	if now.Size() != f.opened.Size() || !now.ModTime().Equal(f.opened.ModTime()) {
		return fmt.Errorf("read checkpoint %s: it was changed while it was read", f.file.Name())
	}
	return nil
}

// Close closes the file; tensors that are in memory stay.
func (f *File) Close() error { return f.file.Close() }

// Open opens a PyTorch zip file or a safetensors file. Tensors for which keep returns
// false are left out.
func Open(file string, keep func(name string) bool) (*File, error) {
	f, info, err := openRegular(file)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	tensors, err := Read(f, info.Size(), keep)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read checkpoint %s: %w", file, err), f.Close())
	}
	return &File{tensors, f, info}, nil
}

// Read is like Open, for a file of size bytes in r, which must stay open.
func Read(r io.ReaderAt, size int64, keep func(string) bool) (map[string]Tensor, error) {
	var head [64]byte
	n, err := r.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read: %w", err)
	}
	// The length of a safetensors header is far below what its last byte counts.
	if n > 8 && head[8] == '{' && head[7] == 0 {
		return readSafetensors(r, size, keep)
	}
	switch what := foreign(head[:n]); {
	case what != "":
		return nil, errors.New(what)
	case n < 9:
		return nil, fmt.Errorf("not a checkpoint: %d bytes", n)
	case head[8] == '{':
		return readSafetensors(r, size, keep) // to say that its header is too long
	case head[0] == 0x80:
		return nil, errors.New("a bare pickle, as torch wrote before 1.6: load it with torch and save it again")
	}
	z, err := zip.NewReader(r, size)
	switch {
	case err != nil && bytes.HasPrefix(head[:n], []byte("PK")):
		return nil, fmt.Errorf("it begins as a PyTorch zip file does, and its end is missing: it may have been downloaded in part (%w)", err)
	case err != nil:
		return nil, errors.New("neither a PyTorch file nor safetensors")
	}
	a, err := newArchive(z, r, size)
	if err != nil {
		return nil, err
	}
	raw, err := a.read("data.pkl", maxPickle)
	if err != nil {
		return nil, err
	}
	value, err := unpickle(raw)
	if err != nil {
		return nil, err
	}
	refs := map[string]reference{}
	if err := collect(value, func(name string, r reference) {
		if keep(name) {
			refs[name] = r
		}
	}); err != nil {
		return nil, err
	}
	return a.tensors(refs)
}

// archive is a torch zip file. Everything in it is in one folder, which may
// have any name.
type archive struct {
	r     io.ReaderAt
	files map[string]*zip.File // by path within the folder
}

func newArchive(z *zip.Reader, r io.ReaderAt, size int64) (*archive, error) {
	a := &archive{r: r, files: map[string]*zip.File{}}
	total := uint64(0)
	root := ""
	for _, f := range z.File {
		if !fs.ValidPath(strings.TrimSuffix(f.Name, "/")) {
			return nil, fmt.Errorf("%.200q is not a valid name in an archive", f.Name)
		}
		if dir, ok := strings.CutSuffix(f.Name, "/data.pkl"); ok && !strings.Contains(dir, "/") {
			root = dir
		}
		// torch stores tensors uncompressed. An archive that grows far beyond
		// its length is a zip bomb, in one file or in many.
		if f.UncompressedSize64 > maxTotal {
			return nil, fmt.Errorf("%.200q has %d bytes uncompressed: want at most %d", f.Name, f.UncompressedSize64, uint64(maxTotal))
		}
		if total += f.UncompressedSize64; total > min(2*uint64(size)+maxCode, maxTotal) {
			return nil, fmt.Errorf("%.200q and those before it have %d bytes uncompressed, in a file of only %d", f.Name, total, size)
		}
	}
	if root == "" {
		return nil, errors.New("not a PyTorch checkpoint: no data.pkl in it")
	}
	for _, f := range z.File {
		if name, ok := strings.CutPrefix(f.Name, root+"/"); ok {
			a.files[name] = f
		}
	}
	if order, err := a.read("byteorder", 16); err == nil && string(order) != "little" {
		return nil, fmt.Errorf("byte order %q: want little", order)
	}
	return a, nil
}

// read returns one file, which must not be longer than limit.
func (a *archive) read(name string, limit uint64) ([]byte, error) {
	f, ok := a.files[name]
	if !ok {
		return nil, fmt.Errorf("%.200s is missing in the archive", name)
	}
	if f.UncompressedSize64 > limit {
		return nil, fmt.Errorf("%s is %d bytes long: want at most %d", name, f.UncompressedSize64, limit)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	defer func() { _ = r.Close() }()
	// The limit applies to what is really read, not to the size that the header
	// claims: a false size then allocates nothing.
	b, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if uint64(len(b)) > limit {
		return nil, fmt.Errorf("%s is longer than %d bytes", name, limit)
	}
	return b, nil
}

// tensors are the tensors that refs describe. Each reads of its storage what it shows, and
// no more than twice what is stored is ever read, however many of them are views of it.
func (a *archive) tensors(refs map[string]reference) (map[string]Tensor, error) {
	storages, stored, shown, read := map[string]storage{}, 0, 0, 0
	for name, r := range refs {
		if err := bounded(name, r.shape); err != nil {
			return nil, err
		}
		n, _ := elements(r.shape)
		// A stride of zero shows a few stored values as many.
		if n > r.storage.size {
			return nil, fmt.Errorf("tensor %s: shape %v is larger than its storage of %d values", name, r.shape, r.storage.size)
		}
		if err := r.inside(); err != nil {
			return nil, fmt.Errorf("tensor %s: %w", name, err)
		}
		s, seen := storages[r.storage.key]
		switch {
		case !seen:
			storages[r.storage.key] = r.storage
			stored += r.storage.size
		case s.kind.name != r.storage.kind.name || s.size != r.storage.size:
			return nil, fmt.Errorf("tensor %s and another describe storage %s in two ways", name, r.storage.key)
		}
		from, to := a.reach(r)
		if to-from > maxTensor {
			return nil, fmt.Errorf("tensor %s: shape %v is read from %d values of its storage: want at most %d", name, r.shape, to-from, maxTensor)
		}
		shown, read = shown+n, read+to-from
	}
	// Tied weights are two views of one storage, but only a few tensors are
	// tied.
	if shown > 2*stored {
		return nil, fmt.Errorf("the tensors show %d values, their storages hold %d", shown, stored)
	}
	if read > 2*stored {
		return nil, fmt.Errorf("the tensors are spread over %d values, their storages hold %d", read, stored)
	}
	out := make(map[string]Tensor, len(refs))
	for name, r := range refs {
		t := Later(r.shape, func() ([]float32, error) {
			v, err := a.values(r)
			if err != nil {
				return nil, fmt.Errorf("tensor %s: %w", name, err)
			}
			return v, nil
		})
		t.Half = r.storage.kind.half()
		out[name] = t
	}
	return out, nil
}

// reach is which values of its storage are read for a view: what it shows, but all of a
// storage that is compressed.
func (a *archive) reach(r reference) (from, to int) {
	if f := a.files["data/"+r.storage.key]; f == nil || f.Method != zip.Store {
		return 0, r.storage.size
	}
	return r.extent()
}

// values reads a view.
func (a *archive) values(r reference) ([]float32, error) {
	name, size := "data/"+r.storage.key, r.storage.kind.size
	from, to := a.reach(r)
	if to-from == r.storage.size { // nearly always; the archive's checksum is verified
		raw, err := a.read(name, uint64(r.storage.size)*uint64(size))
		if err != nil {
			return nil, err
		}
		return r.load(raw, 0)
	}
	f := a.files[name]
	if f.UncompressedSize64 < uint64(r.storage.size)*uint64(size) {
		return nil, fmt.Errorf("storage %s holds %d bytes, %d values of %s need more", r.storage.key, f.UncompressedSize64, r.storage.size, r.storage.kind.name)
	}
	begin, err := f.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", name, err)
	}
	raw := make([]byte, (to-from)*size)
	if _, err := a.r.ReadAt(raw, begin+int64(from)*int64(size)); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return r.load(raw, from)
}
