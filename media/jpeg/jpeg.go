// Package jpeg reads and writes JPEG with libjpeg-turbo's TurboJPEG API (2.1),
// which is several times as fast as image/jpeg because it uses SIMD. All C
// memory for it is handled in here.
package jpeg

// #cgo pkg-config: libturbojpeg
// #include <stdlib.h>
// #include <turbojpeg.h>
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// Decoder reads JPEGs one after the other; it serves one goroutine and is to be
// closed.
type Decoder struct{ handle C.tjhandle }

// NewDecoder makes one.
func NewDecoder() (*Decoder, error) {
	h := C.tjInitDecompress()
	if h == nil {
		return nil, fmt.Errorf("make a JPEG decoder: %s", C.GoString(C.tjGetErrorStr2(nil)))
	}
	return &Decoder{h}, nil
}

// Close frees the decoder's memory.
func (d *Decoder) Close() { C.tjDestroy(d.handle) }

// ErrNotColour is a JPEG that is not Y'CbCr.
var ErrNotColour = errors.New("JPEG is not in colour (Y'CbCr)")

// Size reads the header alone, so that a picture can be refused before memory is
// taken for it.
func (d *Decoder) Size(jpeg []byte) (width, height int, err error) {
	if len(jpeg) == 0 {
		return 0, 0, errors.New("read JPEG: it is empty")
	}
	var w, h, sampling, colours C.int
	if C.tjDecompressHeader3(d.handle, bytes(jpeg), C.ulong(len(jpeg)), &w, &h, &sampling, &colours) != 0 {
		err := fmt.Errorf("read JPEG: %s", lastError(d.handle))
		d.renew()
		return 0, 0, err
	}
	if colours != C.TJCS_YCbCr {
		return 0, 0, ErrNotColour
	}
	return int(w), int(h), nil
}

// renew replaces the handle: after a broken header tjDecompressHeader3 of
// libjpeg-turbo 2.1 stays in the middle of it, and would read every later
// header as its continuation.
func (d *Decoder) renew() {
	if h := C.tjInitDecompress(); h != nil {
		C.tjDestroy(d.handle)
		d.handle = h
	}
}

// Decode decodes a JPEG to packed RGB, [height, width, 3], into rgb, which must
// have exactly that size. A damaged JPEG is an error, even if libjpeg would
// fill the rest with grey.
func (d *Decoder) Decode(jpeg, rgb []byte, width, height int) error {
	if len(jpeg) == 0 || width < 1 || height < 1 || len(rgb) != 3*width*height {
		return fmt.Errorf("read JPEG: %d bytes for %dx%d of RGB", len(rgb), width, height)
	}
	if C.tjDecompress2(d.handle, bytes(jpeg), C.ulong(len(jpeg)), bytes(rgb), C.int(width), 0, C.int(height), C.TJPF_RGB, C.TJFLAG_STOPONWARNING) != 0 {
		return fmt.Errorf("read JPEG: %s", lastError(d.handle))
	}
	return nil
}

// Encoder writes JPEGs one after the other; it serves one goroutine. Its memory
// is freed by the garbage collector: it belongs to a camera's frames, which may
// end at any time.
type Encoder struct{ handle C.tjhandle }

// NewEncoder makes one.
func NewEncoder() (*Encoder, error) {
	h := C.tjInitCompress()
	if h == nil {
		return nil, fmt.Errorf("make a JPEG encoder: %s", C.GoString(C.tjGetErrorStr2(nil)))
	}
	e := &Encoder{h}
	runtime.AddCleanup(e, func(h C.tjhandle) { C.tjDestroy(h) }, h)
	return e, nil
}

// Sampling is how much of the colour is kept.
type Sampling int

// Samplings.
const (
	Quarter Sampling = C.TJSAMP_420 // 4:2:0, one colour for four pixels
	Full    Sampling = C.TJSAMP_444 // 4:4:4, one for each
)

// Encode writes packed RGB, [height, width, 3], in a quality of 1 to 100. The
// result is the caller's.
func (e *Encoder) Encode(rgb []byte, width, height, quality int, s Sampling) ([]byte, error) {
	if width < 1 || height < 1 || len(rgb) != 3*width*height {
		return nil, fmt.Errorf("write JPEG: %d bytes for %dx%d of RGB", len(rgb), width, height)
	}
	most := C.tjBufSize(C.int(width), C.int(height), C.int(s))
	if most == ^C.ulong(0) {
		return nil, fmt.Errorf("write JPEG: %dx%d is too large", width, height)
	}
	out := make([]byte, most)
	at, size := bytes(out), most
	// The buffer is Go's: the library must not grow it, and TJFLAG_NOREALLOC says so.
	defer runtime.KeepAlive(e)
	var pinned runtime.Pinner
	defer pinned.Unpin()
	pinned.Pin(at)
	failed := C.tjCompress2(e.handle, bytes(rgb), C.int(width), 0, C.int(height), C.TJPF_RGB, &at, &size, C.int(s), C.int(quality), C.TJFLAG_NOREALLOC) //nolint:gocritic // is about the code that cgo generates
	if failed != 0 {
		return nil, fmt.Errorf("write JPEG: %s", lastError(e.handle))
	}
	return append([]byte(nil), out[:size]...), nil
}

func bytes(b []byte) *C.uchar { return (*C.uchar)(unsafe.Pointer(unsafe.SliceData(b))) }

func lastError(h C.tjhandle) string { return C.GoString(C.tjGetErrorStr2(h)) }
