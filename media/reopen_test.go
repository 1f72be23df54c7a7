package media

import (
	"bytes"
	"testing"
)

// A decoder begins anew only with a keyframe that says all it must know.
func TestKeyframesThatDescribeThemselves(t *testing.T) {
	unit := func(header ...byte) []byte {
		return append(append([]byte{0, 0, 0, 1}, header...), bytes.Repeat([]byte{0x55}, 20)...)
	}
	for name, c := range map[string]struct {
		codec string
		units [][]byte
		want  bool
	}{
		"h264":                       {"h264", [][]byte{unit(0x09), unit(0x67), unit(0x68), unit(0x65)}, true},
		"h264 without its own":       {"h264", [][]byte{unit(0x65)}, false},
		"h264 with half":             {"h264", [][]byte{unit(0x67), unit(0x65)}, false},
		"hevc":                       {"hevc", [][]byte{unit(32<<1, 1), unit(33<<1, 1), unit(34<<1, 1), unit(19<<1, 1)}, true},
		"hevc without what is first": {"hevc", [][]byte{unit(33<<1, 1), unit(34<<1, 1), unit(19<<1, 1)}, false},
		"empty":                      {"h264", [][]byte{{0, 0, 1}}, false},
		"as files have it":           {"h264", [][]byte{{0, 0, 4, 0, 0x65, 1, 2, 3}}, false},
	} {
		if got := describes(c.codec, bytes.Join(c.units, nil)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
