package topics

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of the repeated fields in clip.proto.
const (
	framesField = 9
	tagsField   = 10
	viewsField  = 12
	zoomField   = 13 // not repeated, but a record may hold several, which add up
	jpegsField  = 6  // of a Zoom
	zonesField  = 15
	zonedField  = 3 // the Zoom of a Zone, likewise
)

// maxViews bounds the views of a clip: there are four.
const maxViews = 8

// clipCounts are the elements of a clip's lists.
type clipCounts struct{ frames, tags, views, zoomed, zones, zoned int }

// checkClipCounts refuses a clip with more frames or tags than a reader accepts. It
// runs before the record is decoded and allocates nothing: an empty frame has two
// bytes in the record and a hundred in memory. Frames have no repeated fields.
func checkClipCounts(b []byte) error {
	if err := checkSize(b, MaxRecordBytes); err != nil {
		return err
	}
	var n clipCounts
	err := eachField(b, func(field protowire.Number, value []byte) error {
		switch field {
		case framesField:
			n.frames++
		case tagsField:
			n.tags++
		case viewsField:
			n.views++
		case zoomField:
			return countJPEGs(value, &n.zoomed)
		case zonesField:
			n.zones++
			return eachField(value, func(field protowire.Number, zoom []byte) error {
				if field == zonedField {
					return countJPEGs(zoom, &n.zoned)
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return n.check()
}

// countJPEGs adds the pictures of a Zoom.
func countJPEGs(zoom []byte, to *int) error {
	return eachField(zoom, func(field protowire.Number, _ []byte) error {
		if field == jpegsField {
			*to++
		}
		return nil
	})
}

func (n clipCounts) check() error {
	switch {
	case n.frames > maxClipFrames:
		return fmt.Errorf("frames: %d elements, want at most %d", n.frames, maxClipFrames)
	case n.tags > maxTags:
		return fmt.Errorf("camera_tags: %d elements, want at most %d", n.tags, maxTags)
	case n.views > maxViews:
		return fmt.Errorf("views: %d elements, want at most %d", n.views, maxViews)
	case n.zoomed > maxClipFrames:
		return fmt.Errorf("zoom: %d elements, want at most %d", n.zoomed, maxClipFrames)
	case n.zones > maxZones:
		return fmt.Errorf("zones: %d elements, want at most %d", n.zones, maxZones)
	case n.zoned > maxZones*maxClipFrames:
		return fmt.Errorf("zoom of zones: %d elements, want at most %d", n.zoned, maxZones*maxClipFrames)
	}
	return nil
}

// eachField calls fn for the fields of a message that hold bytes. Others are unknown or
// not repeated.
func eachField(b []byte, fn func(protowire.Number, []byte) error) error {
	for len(b) > 0 {
		field, kind, head := protowire.ConsumeTag(b)
		if head < 0 {
			return fmt.Errorf("the record is no valid Protobuf: %w", protowire.ParseError(head))
		}
		n := protowire.ConsumeFieldValue(field, kind, b[head:])
		if n < 0 {
			return fmt.Errorf("the record is no valid Protobuf: %w", protowire.ParseError(n))
		}
		if kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(b[head : head+n])
			if err := fn(field, value); err != nil {
				return err
			}
		}
		b = b[head+n:]
	}
	return nil
}
