package jpeg

import (
	stdbytes "bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"strings"
	"testing"
)

// picture is packed RGB with edges, gradients and colours.
func picture(w, h int) []byte {
	out := make([]byte, 0, 3*w*h)
	for y := range h {
		for x := range w {
			edge := 0
			if (x/16+y/24)%2 == 0 {
				edge = 60
			}
			out = append(out, byte(40+edge+x*120/w), byte(30+y*150/h), byte(200-edge-x*y*100/(w*h)))
		}
	}
	return out
}

func psnr(a, b []byte) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a))/sum)
}

func coders(t testing.TB) (*Encoder, *Decoder) {
	t.Helper()
	e, err := NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return e, d
}

// The two libraries read each other's pictures, and ours.
func TestAgreesWithImageJPEG(t *testing.T) {
	e, d := coders(t)
	for _, size := range [][2]int{{224, 224}, {399, 224}, {31, 57}, {8, 8}, {1, 1}} {
		w, h := size[0], size[1]
		rgb := picture(w, h)
		own, err := e.Encode(rgb, w, h, 95, Full)
		if err != nil {
			t.Fatal(err)
		}
		if gw, gh, err := d.Size(own); err != nil || gw != w || gh != h {
			t.Fatalf("size %dx%d, %v", gw, gh, err)
		}
		got := make([]byte, len(rgb))
		if err := d.Decode(own, got, w, h); err != nil {
			t.Fatal(err)
		}
		if p := psnr(got, rgb); p < 35 {
			t.Errorf("%dx%d: PSNR %.1f dB", w, h, p)
		}
		img, err := jpeg.Decode(stdbytes.NewReader(own))
		if err != nil {
			t.Fatal(err)
		}
		theirs := make([]byte, 0, len(rgb))
		for y := range h {
			for x := range w {
				c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
				theirs = append(theirs, c.R, c.G, c.B)
			}
		}
		if p := psnr(got, theirs); p < 45 {
			t.Errorf("%dx%d: the two decoders are %.1f dB apart", w, h, p)
		}
	}
}

func TestDamagedPicturesAreErrors(t *testing.T) {
	e, d := coders(t)
	whole, err := e.Encode(picture(64, 48), 64, 48, 90, Quarter)
	if err != nil {
		t.Fatal(err)
	}
	rgb := make([]byte, 3*64*48)
	for name, c := range map[string][]byte{
		"empty": nil, "garbage": []byte("not a picture"), "header alone": whole[:200], "half": whole[:len(whole)/2],
		"last bytes missing": whole[:len(whole)-40],
	} {
		_, _, sizeErr := d.Size(c)
		if err := d.Decode(c, rgb, 64, 48); err == nil {
			t.Errorf("%s: decoded", name)
		} else if !strings.HasPrefix(err.Error(), "read JPEG: ") {
			t.Errorf("%s: %v", name, err)
		}
		if name == "garbage" && sizeErr == nil {
			t.Error("garbage has a size")
		}
	}
	// The one after a bad one is fine.
	if err := d.Decode(whole, rgb, 64, 48); err != nil {
		t.Error(err)
	}
	if err := d.Decode(whole, rgb[:10], 64, 48); err == nil {
		t.Error("decoded into too little memory")
	}
	var grey stdbytes.Buffer
	if err := jpeg.Encode(&grey, image.NewGray(image.Rect(0, 0, 16, 16)), nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Size(grey.Bytes()); !errors.Is(err, ErrNotColour) {
		t.Errorf("a grey picture: %v", err)
	}
	if _, err := e.Encode(rgb, 63, 48, 90, Quarter); err == nil {
		t.Error("encoded a picture of another size")
	}
}

func FuzzDecode(f *testing.F) {
	e, d := coders(f)
	for _, s := range []Sampling{Quarter, Full} {
		whole, err := e.Encode(picture(24, 16), 24, 16, 80, s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(whole)
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		w, h, err := d.Size(data)
		if err != nil || w*h > 1<<20 {
			return
		}
		// Any answer is right that neither crashes nor writes beyond its memory.
		_ = d.Decode(data, make([]byte, 3*w*h), w, h)
	})
}

func BenchmarkDecode(b *testing.B) {
	e, d := coders(b)
	data, err := e.Encode(picture(398, 224), 398, 224, 90, Quarter)
	if err != nil {
		b.Fatal(err)
	}
	rgb := make([]byte, 3*398*224)
	b.Run("turbojpeg", func(b *testing.B) {
		for b.Loop() {
			if err := d.Decode(data, rgb, 398, 224); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("image/jpeg", func(b *testing.B) {
		for b.Loop() {
			if _, err := jpeg.Decode(stdbytes.NewReader(data)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	e, _ := coders(b)
	rgb := picture(398, 224)
	img := image.NewRGBA(image.Rect(0, 0, 398, 224))
	for i, j := 0, 0; i < len(rgb); i, j = i+3, j+4 {
		copy(img.Pix[j:], []byte{rgb[i], rgb[i+1], rgb[i+2], 255})
	}
	b.Run("turbojpeg", func(b *testing.B) {
		for b.Loop() {
			if _, err := e.Encode(rgb, 398, 224, 90, Quarter); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("image/jpeg", func(b *testing.B) {
		var out stdbytes.Buffer
		for b.Loop() {
			out.Reset()
			if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 90}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// One broken picture must not cost the ones after it.
func TestADecoderOutlivesBrokenPictures(t *testing.T) {
	e, d := coders(t)
	good, err := e.Encode(picture(40, 30), 40, 30, 90, Quarter)
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{
		"no JPEG": []byte("no JPEG"), "header ends": good[:300], "picture ends": good[:len(good)-10],
		"two beginnings": append([]byte{0xff, 0xd8}, good...),
	} {
		rgb := make([]byte, 3*40*30)
		if _, _, err := d.Size(broken); err == nil {
			err = d.Decode(broken, rgb, 40, 30)
			if err == nil {
				t.Errorf("%s: it was read", name)
			}
		}
		if _, _, err := d.Size(good); err != nil {
			t.Errorf("%s: the size of a good one after it: %v", name, err)
		}
		if err := d.Decode(good, rgb, 40, 30); err != nil {
			t.Errorf("%s: a good one after it: %v", name, err)
		}
	}
}
