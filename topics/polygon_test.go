package topics

import (
	"encoding/json"
	"strings"
	"testing"
)

// A camera's masks are texts in its record, which come back as they were written.
func TestMasksOfACamera(t *testing.T) {
	c := Camera{Name: "yard", URL: "rtsp://h/1"}
	if err := json.Unmarshal([]byte(`{"masks": ["0,0 0.25,1", " 0.5,0   1,0 1,0.333 "]}`), &c); err != nil {
		t.Fatal(err)
	}
	b, err := EncodeCamera(c)
	if err != nil {
		t.Fatal(err)
	}
	if want := `"masks":["0,0 0.25,1","0.5,0 1,0 1,0.333"]`; !strings.Contains(string(b), want) {
		t.Errorf("%s: want %s", b, want)
	}
	again, err := DecodeCamera(b)
	if err != nil || len(again.Masks) != 2 || again.Masks[1].String() != c.Masks[1].String() {
		t.Errorf("%+v, %v", again, err)
	}
	if got := (Polygon{{0, 0}, {.25, 1}}).Corners(); len(got) != 4 || got[1] != (Point{.25, 0}) || got[3] != (Point{0, 1}) {
		t.Errorf("two corners are those of the rectangle %v", got)
	}
}

// A mask that would cover nothing, or something else than was meant, keeps its camera
// from being opened: its picture would be shown unmasked.
func TestMasksThatAreRefused(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat(`"0,0 1,1",`, maxMasks+1), ",")
	for masks, want := range map[string]string{
		`""`:                                   `polygon "": want corners`,
		`"0,0"`:                                "1 corners: want 2 to 64",
		`"0,0 0.5"`:                            `corner "0.5"`,
		`"0,0 0.5,0.5,0.5"`:                    `corner "0.5,0.5,0.5"`,
		`"0,0 nan,1"`:                          `corner "nan,1"`,
		`"0,0 1e999,1"`:                        `corner "1e999,1"`,
		`"0,0 1.2,1"`:                          "corner 1.2,1: want fractions of the picture, 0 to 1",
		`"10,10 50,50"`:                        "corner 10,10: want fractions",
		`"0,0 -0.1,1"`:                         "corner -0.1,1",
		`"0.5,0 0.5,1"`:                        "encloses nothing",
		`"` + strings.Repeat("0,1 ", 65) + `"`: "want corners",
		`"` + strings.Repeat("0,", 5000) + `"`: "polygon of 10000 bytes",
		many:                                   "33 masks, want at most 32",
		`[0, 1]`:                               "",
	} {
		_, err := DecodeCamera([]byte(`{"name": "yard", "url": "rtsp://h/1", "masks": [` + masks + `]}`))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v; want %q", masks, err, want)
		}
	}
}
