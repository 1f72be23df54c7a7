package topics

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of the repeated fields in clip.proto.
const (
	framesField = 9
	tagsField   = 10
)

// checkClipCounts refuses a clip with more frames or tags than a reader accepts. It
// runs before the record is decoded and allocates nothing: an empty frame has two
// bytes in the record and a hundred in memory. Frames have no repeated fields.
func checkClipCounts(b []byte) error {
	if err := checkSize(b, MaxRecordBytes); err != nil {
		return err
	}
	frames, tags := 0, 0
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeField(b)
		if n < 0 {
			return fmt.Errorf("the record is no valid Protobuf: %w", protowire.ParseError(n))
		}
		b = b[n:]
		switch {
		case kind != protowire.BytesType: // an unknown field
		case field == framesField:
			frames++
		case field == tagsField:
			tags++
		}
	}
	switch {
	case frames > maxClipFrames:
		return fmt.Errorf("frames: %d elements, want at most %d", frames, maxClipFrames)
	case tags > maxTags:
		return fmt.Errorf("camera_tags: %d elements, want at most %d", tags, maxTags)
	}
	return nil
}
