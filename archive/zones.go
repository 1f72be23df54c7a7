package archive

import (
	"fmt"
	"math"

	"github.com/frostwatch/frostwatch/topics"
)

// The column of zones says for which zones views of a row were drawn: for each such view its
// index, and then the zone's name and the hash of its polygon, each after its length, all of
// these as a byte. It is null where there are none, and older segments lack it.
const zonesColumn = "view_zones"

func zoneFits(r *topics.ZoneRef) bool {
	return r == nil || len(r.Name) <= math.MaxUint8 && len(r.Polygon) <= math.MaxUint8
}

func appendZones(to []byte, views []topics.SeenView) []byte {
	for i := range views {
		if z := views[i].Zone; z != nil {
			to = append(append(to, byte(i), byte(len(z.Name))), z.Name...)
			to = append(append(to, byte(len(z.Polygon))), z.Polygon...)
		}
	}
	return to
}

// zoneRefs are zones by their bytes in the column: most rows have the same ones.
type zoneRefs map[string]*topics.ZoneRef

// maxZoneRefs bounds what is remembered.
const maxZoneRefs = 4096

// each calls fn for the views of a row that were drawn for a zone.
func (z zoneRefs) each(raw []byte, views int, fn func(view int, ref *topics.ZoneRef)) error {
	for len(raw) > 0 {
		name, polygon, size := zoneOf(raw)
		if size == 0 || int(raw[0]) >= views {
			return fmt.Errorf("column %s: %d bytes for %d views", zonesColumn, len(raw), views)
		}
		ref := z[string(raw[1:size])]
		if ref == nil {
			ref = &topics.ZoneRef{Name: string(name), Polygon: string(polygon)}
			if len(z) >= maxZoneRefs {
				clear(z)
			}
			z[string(raw[1:size])] = ref
		}
		fn(int(raw[0]), ref)
		raw = raw[size:]
	}
	return nil
}

// zoneOf is the first zone of a row's, and how many bytes it has; 0: it is cut off.
func zoneOf(raw []byte) (name, polygon []byte, size int) {
	if len(raw) < 2 || len(raw) < 3+int(raw[1]) {
		return nil, nil, 0
	}
	at := 2 + int(raw[1])
	if size = at + 1 + int(raw[at]); len(raw) < size {
		return nil, nil, 0
	}
	return raw[2:at], raw[at+1 : size], size
}

// place gives views their zones.
func (z zoneRefs) place(views []topics.SeenView, raw []byte) error {
	return z.each(raw, len(views), func(i int, ref *topics.ZoneRef) { views[i].Zone = ref })
}
