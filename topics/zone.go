package topics

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
)

// Zone is a named part of a camera's picture. Rules may count only what is seen in it.
type Zone struct {
	Name string
	Area Polygon
}

// ZoneRef says of what zone something is: its name, and the hash of the polygon that it
// had then, since a zone may be drawn anew under the same name.
type ZoneRef struct {
	Name    string `json:"name"`
	Polygon string `json:"polygon"`
}

// maxZones bounds the zones of a camera: each that a rule names may take a run of the model
// for each clip.
const maxZones = 8

// leastHeld is the share of a view's square that has to lie in a zone for the view to count
// for it: the rest of what it shows is outside. docs/accuracy.md, "Zones".
const leastHeld = 0.75

// CheckZoneName returns an error if no zone may have the name.
func CheckZoneName(name string) error {
	if !cameraName.MatchString(name) {
		return fmt.Errorf("zone %.80q: want a name of 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit", name)
	}
	return nil
}

// CheckZoneNames returns an error if no rule may name these zones.
func CheckZoneNames(names []string) error {
	if len(names) > maxZones {
		return fmt.Errorf("%d zones, want at most %d", len(names), maxZones)
	}
	for _, name := range names {
		if err := CheckZoneName(name); err != nil {
			return err
		}
	}
	return nil
}

// CheckZones returns an error about the first zone that no camera may have.
func CheckZones(zones map[string]Polygon) error {
	if len(zones) > maxZones {
		return fmt.Errorf("%d zones, want at most %d", len(zones), maxZones)
	}
	for _, name := range slices.Sorted(maps.Keys(zones)) {
		if err := CheckZoneName(name); err != nil {
			return err
		}
		if err := zones[name].Check(); err != nil {
			return fmt.Errorf("zone %s: %w", name, err)
		}
	}
	return nil
}

// ZonesOf are the zones of a camera's record, sorted by name.
func ZonesOf(zones map[string]Polygon) (out []Zone) {
	for _, name := range slices.Sorted(maps.Keys(zones)) {
		out = append(out, Zone{name, zones[name]})
	}
	return out
}

// Hash identifies the polygon by its corners.
func (p Polygon) Hash() string {
	sum := sha256.Sum256([]byte(p.String()))
	return hex.EncodeToString(sum[:8])
}

// Ref names the zone as it is.
func (z Zone) Ref() ZoneRef { return ZoneRef{z.Name, z.Area.Hash()} }

func (r *ZoneRef) check() error {
	if r == nil {
		return nil
	}
	if err := CheckZoneName(r.Name); err != nil {
		return err
	}
	if r.Polygon != "" && !isID(r.Polygon) {
		return fmt.Errorf("zone %s: polygon: want at most %d bytes of printable text", r.Name, maxID)
	}
	return nil
}

// Names is whether something is of the zone of that name; nil is of no zone.
func (r *ZoneRef) Names(zone string) bool { return r != nil && r.Name == zone }

// Counts is whether what a view of a clip shows counts for a zone, live and in the past: a
// zoom that was drawn on what moved in this very zone, any other zoom whose middle lies in
// it, and any other view of whose square three quarters do. of is the zone that the view was
// drawn for, nil for a view of the whole picture; ref is z.Ref().
func (z Zone) Counts(ref ZoneRef, view View, box Box, of *ZoneRef) bool {
	switch {
	case of != nil && *of == ref:
		return true
	case view == ViewZoom:
		return z.Area.Contains(Point{box.Left + box.Width/2, box.Top + box.Height/2})
	}
	return z.Area.share(box) >= leastHeld
}

// CoveredZones are the zones of which the camera's masks leave nothing, sorted.
func (c Camera) CoveredZones() (names []string) {
	for _, z := range ZonesOf(c.Zones) {
		around, within, covered := z.Area.around(), 0, 0
		around.each(func(at Point) {
			if !z.Area.Contains(at) {
				return
			}
			within++
			if slices.ContainsFunc(c.Masks, func(m Polygon) bool { return m.Contains(at) }) {
				covered++
			}
		})
		if within > 0 && covered == within {
			names = append(names, z.Name)
		}
	}
	return names
}

// around is the upright rectangle around the corners.
func (p Polygon) around() Box {
	left, top, right, bottom := p.bounds()
	return Box{left, top, right - left, bottom - top}
}

// each calls fn for 32 times 32 places in a box.
func (b Box) each(fn func(Point)) {
	const n = 32
	for y := range n {
		for x := range n {
			fn(Point{b.Left + b.Width*(float64(x)+0.5)/n, b.Top + b.Height*(float64(y)+0.5)/n})
		}
	}
}

// Contains is whether a place lies within the outline, by its winding number, so that where
// an outline crosses itself what it goes around lies within.
func (p Polygon) Contains(at Point) bool {
	corners, winding := p.Corners(), 0
	for i, a := range corners {
		b := corners[(i+1)%len(corners)]
		left := (b.X-a.X)*(at.Y-a.Y) - (at.X-a.X)*(b.Y-a.Y)
		switch {
		case a.Y <= at.Y && b.Y > at.Y && left > 0:
			winding++
		case a.Y > at.Y && b.Y <= at.Y && left < 0:
			winding--
		}
	}
	return winding != 0
}

// share is how much of a box lies within the outline.
func (p Polygon) share(b Box) float64 {
	within, all := 0, 0
	b.each(func(at Point) {
		if all++; p.Contains(at) {
			within++
		}
	})
	return float64(within) / float64(all)
}
