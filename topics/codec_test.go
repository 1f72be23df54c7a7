package topics

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func aClip() Clip {
	return Clip{
		ID: ClipID("lobby", at, 0), Camera: "lobby", Tags: []string{"indoor"}, Vocabulary: "hospital", Epoch: at, Sequence: 7,
		Start: time.Second, Window: 4 * time.Second, Width: 398, Height: 224,
		Frames: []ClipFrame{{JPEG: []byte("x"), Stream: time.Second, Captured: at.Add(time.Second)}},
		Views:  []View{ViewCentre, ViewZoom}, Zoom: &Zoom{Box: Box{.5, .25, .25, .375}, Side: 224, JPEGs: [][]byte{[]byte("y")}},
	}
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	for _, c := range []struct {
		name string
		want any
		trip func() (any, error)
	}{
		{"clip", aClip(), func() (any, error) {
			b, err := EncodeClip(aClip())
			if err != nil {
				return nil, err
			}
			return DecodeClip(b)
		}},
		{"recognition", fullRecognition(), func() (any, error) {
			b, err := EncodeRecognition(fullRecognition())
			if err != nil {
				return nil, err
			}
			return DecodeRecognition(b)
		}},
		{"alert", fullAlert(AlertRaised), func() (any, error) {
			b, err := EncodeAlert(fullAlert(AlertRaised))
			if err != nil {
				return nil, err
			}
			return DecodeAlert(b)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.trip()
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestBadClipsAreRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		bend func(*Clip)
		want string
	}{
		{"no id", func(c *Clip) { c.ID = "" }, "id: want 1 to 512 bytes"},
		{"huge id", func(c *Clip) { c.ID = strings.Repeat("x", 1<<20) }, "id: want 1 to 512 bytes"},
		{"id with an escape", func(c *Clip) { c.ID = "\x1b[2J" }, "printable text"},
		{"huge tag", func(c *Clip) { c.Tags = []string{strings.Repeat("x", 1<<20)} }, "tags: want at most 32"},
		{"many tags", func(c *Clip) { c.Tags = slices.Repeat([]string{"x"}, maxTags+1) }, "camera_tags: 33 elements, want at most 32"},
		{"camera", func(c *Clip) { c.Camera = "../etc" }, `camera "../etc" is not a camera name`},
		{"many frames", func(c *Clip) { c.Frames = slices.Repeat(c.Frames, 65) }, "frames: 65 elements, want at most 64"},
		{"no frames", func(c *Clip) { c.Frames = nil }, "0 frames: want 1 to 64"},
		{"empty frame", func(c *Clip) { c.Frames[0].JPEG = nil }, "frame 0 is empty"},
		{"size", func(c *Clip) { c.Width = 1 << 20 }, "frame size 1048576x224: want 1 to 8192 a side"},
		{"narrow", func(c *Clip) { c.Width, c.Height = 8192, 1 }, "frame size 8192x1: want one side at most 16 times the other"},
		{"large", func(c *Clip) { c.Width, c.Height = 4096, 1025 }, "frame size 4096x1025: want at most 4194304 pixels"},
		{"window", func(c *Clip) { c.Window = 0 }, "window of 0s"},
		{"unknown view", func(c *Clip) { c.Views = []View{"fisheye"} }, `view "fisheye": want centre, tiles, squash or zoom`},
		{"a view twice", func(c *Clip) { c.Views = []View{ViewTiles, ViewTiles} }, "named twice"},
		{"zoom first", func(c *Clip) { c.Views = []View{ViewZoom, ViewCentre} }, "want another view before it"},
		{"many views", func(c *Clip) { c.Views = slices.Repeat([]View{ViewTiles}, 9) }, "views: 9 elements, want at most 8"},
		{"zoom outside", func(c *Clip) { c.Zoom.Box.Left = .8 }, "want a part of the picture"},
		{"zoom of nothing", func(c *Clip) { c.Zoom.Box.Width = 0 }, "want a part of the picture"},
		{"zoom of no number", func(c *Clip) { c.Zoom.Box.Top = math.NaN() }, "want fractions of the picture"},
		{"large zoom", func(c *Clip) { c.Zoom.Side = 4096 }, "zoom: frame size 4096x4096"},
		{"other pictures than frames", func(c *Clip) { c.Zoom.JPEGs = append(c.Zoom.JPEGs, []byte("z")) }, "2 pictures, want one for each of the 1 frames"},
		{"empty zoom", func(c *Clip) { c.Zoom.JPEGs[0] = nil }, "picture 0 is empty"},
		{"many pictures", func(c *Clip) { c.Zoom.JPEGs = slices.Repeat(c.Zoom.JPEGs, 65) }, "zoom: 65 elements, want at most 64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			clip := aClip()
			c.bend(&clip)
			b, err := EncodeClip(clip)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := DecodeClip(b); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestCameraErrorsKeepPasswords(t *testing.T) {
	for _, c := range []Camera{
		{Name: "lobby", URL: "rtsp://viewer:hunter2@h/s", Transport: "tcpip"},
		{Name: "lobby", URL: "rtsp://viewer:hunter2@h/s", Vocabulary: "no/name"},
		{Name: "lobby/1", URL: "rtsp://viewer:hunter2@h/s"},
		{Name: "lobby", URL: "rtsp://viewer:hunter2@h/%zz", Stride: Stride{Time: -1}},
	} {
		err := c.Validate()
		if err == nil {
			t.Errorf("%s was accepted", c.Name)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the password is in %q", err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	clip, err := EncodeClip(aClip())
	if err != nil {
		f.Fatal(err)
	}
	rec, err := EncodeRecognition(fullRecognition())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(clip)
	f.Add(rec)
	f.Add([]byte(`{"specversion":"1.0"}`))
	f.Add(bytes.Repeat([]byte{0x4a, 0}, maxClipFrames+1))
	f.Add([]byte(`{"specversion":"1.0","type":"` + TypeRecognition + `","data":{"labels":[{"tags":["a\"]"]},{},null],"LABELS":[0]}}`))
	f.Add([]byte(`{"name":"a","url":"rtsp://h","tags":["\\",""],"a":{"b":[[]]}}`))
	f.Add([]byte(`{"worker":"w","stages":{"infer":{"partitions":[0,1]}},"warnings":{"a":"b"}}`))
	f.Add([]byte(`{"source":"file","id":"x","cameras":{"a":"b"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := DecodeClip(b); err == nil && (c.ID == "" || len(c.Frames) == 0) {
			t.Error("accepted a clip without id or frames")
		}
		if r, err := DecodeRecognition(b); err == nil && r.ClipID == "" {
			t.Error("accepted a recognition without a clip")
		}
		if a, err := DecodeAlert(b); err == nil && a.ID == "" {
			t.Error("accepted an alert without id")
		}
		if c, err := DecodeCamera(b); err == nil && c.Name == "" {
			t.Error("accepted a camera without name")
		}
		if w, err := DecodeWorker(b); err == nil && w.Name == "" {
			t.Error("accepted a worker without name")
		}
		if s, err := DecodeCameraSet(b); err == nil && s.ID == "" {
			t.Error("accepted a set without id")
		}
		if s, err := DecodeStatus(b); err == nil && s.Camera == "" {
			t.Error("accepted a status without camera")
		}
	})
}

// Two installations on one cluster have different consumer groups.
func TestGroupsOfAnotherPrefixAreOthers(t *testing.T) {
	for prefix, want := range map[string]string{DefaultPrefix: "frostwatch-infer", "prod.": "prod.frostwatch-infer"} {
		if got := (Names{Prefix: prefix}).Group("frostwatch-infer"); got != want {
			t.Errorf("prefix %q: group %q, want %q", prefix, got, want)
		}
	}
}
