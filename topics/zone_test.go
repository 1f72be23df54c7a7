package topics

import (
	"fmt"
	"strings"
	"testing"
)

func polygon(t *testing.T, text string) (p Polygon) {
	t.Helper()
	if err := p.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return p
}

// A zone that no camera may have is refused with what is wrong, however many there are.
func TestZonesThatAreRefused(t *testing.T) {
	var many []string
	for i := range 10_000 {
		many = append(many, fmt.Sprintf(`"z%d": "0,0 1,1"`, i))
	}
	for zones, want := range map[string]string{
		`"door": "0,0"`:                                    "zone door: 1 corners: want 2 to 64",
		`"door": "0,0 nan,1"`:                              `corner "nan,1"`,
		`"door": "0,0 640,360"`:                            "zone door: corner 640,360: want fractions of the picture, 0 to 1",
		`"door": "0.5,0 0.5,1"`:                            "zone door: ",
		`"door": "` + strings.Repeat("0,1 ", 10_000) + `"`: "polygon of 40000 bytes",
		`"do\u001b[31mor": "0,0 1,1"`:                      `zone "do\x1b[31mor": want a name of 1 to 64 letters`,
		`"": "0,0 1,1"`:                                    `zone "": want a name`,
		strings.Join(many[:maxZones+1], ", "):              "zones: 9 elements, want at most 8",
		strings.Join(many[:5000], ", "):                    "elements, want at most 8",
		strings.Join(many, ", "):                           "the record has",
	} {
		_, err := DecodeCamera([]byte(`{"name": "yard", "url": "rtsp://h/1", "zones": {` + zones + `}}`))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v; want %q", zones, err, want)
		}
	}
	if _, err := DecodeCamera([]byte(`{"name": "yard", "url": "rtsp://h/1", "zones": {"door": "0,0 1,1 1,0 0,1", "hall": "0.1,0.1 0.2,0.2"}}`)); err != nil {
		t.Errorf("zones that cross themselves and each other: %v", err)
	}
}

// Whoever may write recognitions and clips can forge what they say of zones.
func TestForgedZonesAreRefused(t *testing.T) {
	for name, bend := range map[string]func(*Recognition){
		"zone":            func(r *Recognition) { r.Labels[2].Zone = &ZoneRef{Name: "a b", Polygon: "1f"} },
		"polygon":         func(r *Recognition) { r.Views[1].Zone = &ZoneRef{Name: "door", Polygon: "\x1b"} },
		"want at most 24": func(r *Recognition) { r.Views = append(r.Views, make([]SeenView, 23)...) },
	} {
		r := fullRecognition()
		if bend(&r); r.Validate() == nil || !strings.Contains(r.Validate().Error(), name) {
			t.Errorf("%s: %v", name, r.Validate())
		}
	}
	zoned := list("labels", `{"label":"a","novel":false,"zone":{"name":"door","polygon":"1f"}}`)
	if n := allocated(func() { _, err := DecodeRecognition(zoned); refused(t, err) }); n > hostile/4 {
		t.Errorf("%d bytes are allocated for labels of zones", n)
	}
	clip := aClip()
	clip.Zones = []ClipZone{{Zone: Zone{Name: "door", Area: polygon(t, "0,0 1,1")}}, {Zone: Zone{Name: "door", Area: polygon(t, "0,0 1,1")}}}
	for want, zones := range map[string][]ClipZone{
		"zone door: it is there twice":       clip.Zones,
		"zones: 20 elements, want at most 8": make([]ClipZone, 20),
		`zone "do or": want a name`:          {{Zone: Zone{Name: "do or", Area: clip.Zones[0].Area}}},
		"zoom: 0 pictures":                   {{Zone: clip.Zones[0].Zone, Zoom: &Zoom{Box: Box{0, 0, 1, 1}, Side: 64}}},
		"zone door: corner 2,1":              {{Zone: Zone{Name: "door", Area: Polygon{{0, 0}, {2, 1}}}}},
	} {
		clip.Zones = zones
		b, err := EncodeClip(clip)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = DecodeClip(b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
}

// What masks cover is never seen, so that a zone under them is a mistake.
func TestZonesUnderMasksAreNamed(t *testing.T) {
	c := Camera{Zones: map[string]Polygon{
		"under": polygon(t, "0.1,0.1 0.3,0.1 0.2,0.3"), "half": polygon(t, "0.3,0.1 0.5,0.4"), "beside": polygon(t, "0.6,0.6 1,1"), "two": polygon(t, "0,0 0.8,0.2"),
	}, Masks: []Polygon{polygon(t, "0,0 0.4,0.4"), polygon(t, "0.4,0 0.9,0.25")}}
	if got := c.CoveredZones(); len(got) != 2 || got[0] != "two" || got[1] != "under" {
		t.Errorf("%q", got)
	}
}

func refused(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Error("it is accepted")
	}
}

// What counts for a zone is decided alike live and in the past.
func TestWhichViewsCountForAZone(t *testing.T) {
	strip := Zone{Name: "fence", Area: polygon(t, "0,0 0.1,1")} // at the left edge
	half := Zone{Name: "left", Area: polygon(t, "0,0 0.5,0 0.5,1 0,1")}
	star := Zone{Name: "star", Area: polygon(t, "0,0 1,0.6 0,0.6 1,0 0.5,1")}
	atEdge := Box{0, .3, .3, .5} // its middle is beside the strip
	own, before := strip.Ref(), ZoneRef{"fence", "of another polygon"}
	for _, c := range []struct {
		name string
		zone Zone
		view View
		box  Box
		of   *ZoneRef
		want bool
	}{
		{"its own zoom, at the edge of the picture", strip, ViewZoom, atEdge, &own, true},
		{"one of the zone as it was drawn before", strip, ViewZoom, atEdge, &before, false},
		{"a zoom with its middle in it", strip, ViewZoom, Box{0, .3, .19, .3}, nil, true},
		{"one with its middle beside it", strip, ViewZoom, atEdge, nil, false},
		{"a tile of which nine tenths lie in it", half, ViewTiles, Box{0, 0, .5625, 1}, nil, true},
		{"a tile of which half does", half, ViewTiles, Box{.21875, 0, .5625, 1}, nil, false},
		{"the whole picture", half, ViewSquash, Box{0, 0, 1, 1}, nil, false},
		{"where an outline goes around twice", star, ViewZoom, Box{.45, .4, .1, .1}, nil, true},
	} {
		if got := c.zone.Counts(c.zone.Ref(), c.view, c.box, c.of); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
