package topics

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/frostwatch/frostwatch/topics/clippb"
)

// Clip holds the frames of one window of one camera, which a model sees at once.
type Clip struct {
	ID     string
	Camera string
	Tags   []string // of the camera
	// Vocabulary is the one that the camera's record names; empty: infer chooses.
	Vocabulary string
	Epoch      time.Time     // wall-clock time of the stream epoch's first frame
	Sequence   uint64        // number of the window within its epoch; dropped windows count too
	Start      time.Duration // of the window, since the epoch's first frame
	Window     time.Duration // length of the window
	Width      int           // of every frame, pixels
	Height     int
	Frames     []ClipFrame // in order of presentation
	Views      []View      // that the camera is recognised by; none: DefaultViews
	// Quiet is whether nothing happened in the window, as far as the sizes of the camera's
	// packets and its keyframes show: the pictures are of keyframes, and the frames between
	// them were not decoded.
	Quiet bool
	Zoom  *Zoom // the view zoom; nil: nothing moves, or the camera has no such view
	Zones []ClipZone
}

// ClipZone is a zone of the clip's camera.
type ClipZone struct {
	Zone
	Zoom *Zoom // of what moves in it; nil: nothing does
}

// Zoom is one square of the source's picture, the same for all frames of a clip.
type Zoom struct {
	Box   Box
	Side  int      // of each JPEG, pixels
	JPEGs [][]byte // one for each of the clip's frames
}

// ClipFrame is one frame of a clip.
type ClipFrame struct {
	JPEG     []byte
	Stream   time.Duration // presentation time since the epoch's first frame
	Captured time.Time     // wall-clock time
}

// StartTime is the wall-clock start of the window.
func (c Clip) StartTime() time.Time { return c.Epoch.Add(c.Start) }

// EndTime is the wall-clock end of the window.
func (c Clip) EndTime() time.Time { return c.Epoch.Add(c.Start + c.Window) }

// maxClipFrames bounds the number of frames that DecodeClip accepts;
// CheckFrameSize bounds the size of each.
const maxClipFrames = 64

// EncodeClip makes the Protobuf record defined in clip.proto.
func EncodeClip(c Clip) ([]byte, error) {
	m := &clippb.Clip{
		Id: c.ID, Camera: c.Camera, CameraTags: c.Tags, Vocabulary: c.Vocabulary,
		EpochUnixNano: c.Epoch.UnixNano(), Sequence: c.Sequence,
		StartNano: int64(c.Start), WindowNano: int64(c.Window),
		Width: uint32(c.Width), Height: uint32(c.Height), Quiet: c.Quiet,
	}
	for _, f := range c.Frames {
		m.Frames = append(m.Frames, &clippb.Frame{
			Jpeg: f.JPEG, StreamNano: int64(f.Stream), CapturedUnixNano: f.Captured.UnixNano(),
		})
	}
	for _, v := range c.Views {
		m.Views = append(m.Views, string(v))
	}
	m.Zoom = zoomRecord(c.Zoom)
	for _, z := range c.Zones {
		m.Zones = append(m.Zones, &clippb.Zone{Name: z.Name, Polygon: z.Area.String(), Zoom: zoomRecord(z.Zoom)})
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode clip %s: %w", c.ID, err)
	}
	return b, nil
}

// DecodeClip parses and validates a record of the clips topic. The JPEGs are
// copied from b but not checked.
func DecodeClip(b []byte) (Clip, error) {
	if err := checkClipCounts(b); err != nil {
		return Clip{}, fmt.Errorf("decode clip: %w", err)
	}
	var m clippb.Clip
	var err error
	if err = (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, &m); err != nil {
		return Clip{}, fmt.Errorf("decode clip: %w", err)
	}
	if err = checkClip(&m); err != nil {
		return Clip{}, fmt.Errorf("decode clip %.80q: %w", m.Id, err)
	}
	c := Clip{
		ID: m.Id, Camera: m.Camera, Tags: m.CameraTags, Vocabulary: m.Vocabulary,
		Epoch: time.Unix(0, m.EpochUnixNano).UTC(), Sequence: m.Sequence,
		Start: time.Duration(m.StartNano), Window: time.Duration(m.WindowNano),
		Width: int(m.Width), Height: int(m.Height), Quiet: m.Quiet,
	}
	for _, f := range m.Frames {
		c.Frames = append(c.Frames, ClipFrame{
			JPEG: f.Jpeg, Stream: time.Duration(f.StreamNano), Captured: time.Unix(0, f.CapturedUnixNano).UTC(),
		})
	}
	c.Views, c.Zoom = viewsOf(m.Views), zoomOf(m.Zoom)
	if c.Zones, err = zonesOf(m.Zones); err != nil {
		return Clip{}, fmt.Errorf("decode clip %.80q: %w", m.Id, err)
	}
	return c, nil
}

func viewsOf(names []string) (out []View) {
	for _, name := range names {
		out = append(out, View(name))
	}
	return out
}

func zoomRecord(z *Zoom) *clippb.Zoom {
	if z == nil {
		return nil
	}
	return &clippb.Zoom{
		Left: z.Box.Left, Top: z.Box.Top, Width: z.Box.Width, Height: z.Box.Height,
		Side: uint32(z.Side), Jpegs: z.JPEGs,
	}
}

// zonesOf reads the zones of a clip, each of which must be one that a camera may have.
func zonesOf(all []*clippb.Zone) (out []ClipZone, err error) {
	for _, z := range all {
		of := ClipZone{Zone: Zone{Name: z.Name}, Zoom: zoomOf(z.Zoom)}
		if err := of.Area.UnmarshalText([]byte(z.Polygon)); err != nil {
			return nil, fmt.Errorf("zone %.80q: %w", z.Name, err)
		}
		if err := CheckZones(map[string]Polygon{of.Name: of.Area}); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(o ClipZone) bool { return o.Name == of.Name }) {
			return nil, fmt.Errorf("zone %s: it is there twice", of.Name)
		}
		out = append(out, of)
	}
	return out, nil
}

func zoomOf(z *clippb.Zoom) *Zoom {
	if z == nil {
		return nil
	}
	return &Zoom{Box: Box{Left: z.Left, Top: z.Top, Width: z.Width, Height: z.Height}, Side: int(z.Side), JPEGs: z.Jpegs}
}

// checkClip checks everything that readers rely on. EncodeClip does not, because
// the framer's own clips are valid.
func checkClip(m *clippb.Clip) error {
	switch {
	case !isID(m.Id):
		return fmt.Errorf("id: want 1 to %d bytes of printable text", maxID)
	case !areTags(m.CameraTags):
		return errBadTags
	case m.Vocabulary != "" && CheckVocabularyName(m.Vocabulary) != nil:
		return CheckVocabularyName(m.Vocabulary)
	case !cameraName.MatchString(m.Camera):
		return fmt.Errorf("camera %.80q is not a camera name", m.Camera)
	case len(m.Frames) == 0 || len(m.Frames) > maxClipFrames:
		return fmt.Errorf("%d frames: want 1 to %d", len(m.Frames), maxClipFrames)
	case m.WindowNano <= 0 || m.StartNano < 0:
		return fmt.Errorf("window of %v at %v", time.Duration(m.WindowNano), time.Duration(m.StartNano))
	}
	if err := CheckFrameSize(int(m.Width), int(m.Height)); err != nil {
		return err
	}
	for i, f := range m.Frames {
		if f == nil || len(f.Jpeg) == 0 {
			return fmt.Errorf("frame %d is empty", i)
		}
	}
	if err := CheckViews(viewsOf(m.Views)); err != nil {
		return err
	}
	for _, z := range m.Zones {
		if err := checkZoom(z.Zoom, len(m.Frames)); err != nil {
			return err
		}
	}
	return checkZoom(m.Zoom, len(m.Frames))
}

func checkZoom(z *clippb.Zoom, frames int) error {
	if z == nil {
		return nil
	}
	if err := zoomOf(z).Box.Check(); err != nil {
		return fmt.Errorf("zoom: %w", err)
	}
	if err := CheckFrameSize(int(z.Side), int(z.Side)); err != nil {
		return fmt.Errorf("zoom: %w", err)
	}
	if len(z.Jpegs) != frames {
		return fmt.Errorf("zoom: %d pictures, want one for each of the %d frames", len(z.Jpegs), frames)
	}
	for i, j := range z.Jpegs {
		if len(j) == 0 {
			return fmt.Errorf("zoom: picture %d is empty", i)
		}
	}
	return nil
}
