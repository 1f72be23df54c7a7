package ingest

import (
	"math"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/media"
)

// Probed is what was seen of a camera's stream.
type Probed struct {
	Camera    string  `json:"camera,omitempty"` // empty: a URL was tried
	URL       string  `json:"url"`              // without secrets
	Main      bool    `json:"main,omitempty"`   // it is for films alone, and another is looked at
	Transport string  `json:"transport"`        // how it comes, in words
	Recorded  bool    `json:"recorded,omitempty"`
	Watched   float64 `json:"watched_s"` // seconds of video

	Codec   string `json:"codec"`
	Profile string `json:"profile,omitempty"`
	Pixels  string `json:"pixels"` // their format, by libav's name
	// Width and Height are as people see the picture, CodedWidth and CodedHeight as it is sent.
	Width       int    `json:"width"`
	Height      int    `json:"height"`
	CodedWidth  int    `json:"coded_width"`
	CodedHeight int    `json:"coded_height"`
	SampleWide  int    `json:"sample_width,omitempty"` // of samples that are not square
	SampleHigh  int    `json:"sample_height,omitempty"`
	Turned      string `json:"turned,omitempty"`
	Interlaced  bool   `json:"interlaced,omitempty"`
	HDR         string `json:"hdr,omitempty"`
	// Between is whether frames refer to later ones (B frames).
	Between bool `json:"b_frames"`
	Audio   bool `json:"audio"` // there is sound, which nobody asks for

	FPS      float64 `json:"fps"` // that came; 0: too few did
	Declared float64 `json:"fps_declared,omitempty"`
	// Interval is the usual time between two keyframes in seconds, Longest the longest; 0:
	// no second one came.
	Interval float64          `json:"keyframe_interval_s"`
	Longest  float64          `json:"keyframe_interval_longest_s"`
	BitRate  float64          `json:"mbit_s"`
	Clock    media.ClockState `json:"clock"`
	Mended   int              `json:"stamps_passed_over,omitempty"`
	Lost     int64            `json:"lost,omitempty"` // packets and references that are missing
	// Restless is why all pictures would be decoded even while nothing happens; empty:
	// keyframes alone are enough then, if decode is demand.
	Restless []string `json:"not_on_demand,omitempty"`
	// Advice is what could be better, in sentences.
	Advice []string `json:"advice,omitempty"`
	// Broke is why the stream ended while it was watched; empty: it didn't.
	Broke string `json:"broke_off,omitempty"`
	// Picture is its first one, a JPEG; nil: none was asked for.
	Picture []byte `json:"-"`
}

// traffic is the packets that came.
type traffic struct {
	tick        float64
	packets     int
	keys        int
	bytes       int64
	keyBytes    int64
	first, last time.Time // arrivals
	least, most int64     // stamps; none: least > most
	keyed       []moment  // the keyframes, the first ones of them
}

type moment struct {
	arrived time.Time
	stamp   int64
}

// keyedMost bounds the keyframes that are remembered.
const keyedMost = 1000

func (t *traffic) packet(p media.Packet, now time.Time) {
	if t.packets == 0 {
		t.first, t.least, t.most = now, math.MaxInt64, math.MinInt64
	}
	t.packets++
	t.bytes += int64(len(p.Data))
	t.last = now
	if p.PTS != media.NoTime {
		t.least, t.most = min(t.least, p.PTS), max(t.most, p.PTS)
	}
	if !p.Key {
		return
	}
	t.keys++
	t.keyBytes += int64(len(p.Data))
	if len(t.keyed) < keyedMost {
		t.keyed = append(t.keyed, moment{now, p.PTS})
	}
}

// span is how many seconds of video came, up to the latest packet.
func (t *traffic) span(stamped bool) float64 {
	if stamped && t.most > t.least {
		return float64(t.most-t.least) * t.tick
	}
	return t.last.Sub(t.first).Seconds()
}

// intervals are the usual and the longest time between two keyframes in seconds.
func (t *traffic) intervals(stamped bool) (usual, longest float64) {
	var all []float64
	for i, k := range t.keyed {
		if i == 0 {
			continue
		}
		before := t.keyed[i-1]
		d := k.arrived.Sub(before.arrived).Seconds()
		if stamped && k.stamp != media.NoTime && before.stamp != media.NoTime && k.stamp > before.stamp {
			d = float64(k.stamp-before.stamp) * t.tick
		}
		all = append(all, d)
	}
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)-1]
}

// looker watches the frames of a stream.
type looker struct {
	*prober
	stream stream
	began  time.Time
	out    Probed
	facts  media.Facts
	frames int
	whole  bool
	lost   int64
}

// enough is whether a frame needs no more to be looked at. A live stream is ended by time.
func (l *looker) enough(f *media.Frame) bool {
	return l.frames > 0 && (f.PTS >= l.For || time.Since(l.began) >= l.For)
}

func (l *looker) frame(f *media.Frame) {
	between := l.facts.Between
	l.facts = l.stream.Facts()
	if l.facts.Key {
		l.whole = l.facts.Alone
	}
	if l.frames == 0 {
		l.lost = l.facts.Lost // of what came before the first picture
	}
	l.facts.Lost -= l.lost
	l.facts.Between = l.facts.Between || between
	l.frames++
	l.out.Width, l.out.Height = f.Width, f.Height
}

// result is all that was seen.
func (l *looker) result() Probed {
	out, f, t := l.out, l.facts, &l.seen
	stamped := f.Clock == media.ClockRight && f.Mended == 0
	out.Codec, out.Profile, out.Pixels, out.CodedWidth, out.CodedHeight = f.Codec, f.Profile, f.Pixels, f.Width, f.Height
	out.SampleWide, out.SampleHigh, out.Turned, out.Interlaced, out.HDR = f.SampleWidth, f.SampleHeight, f.Turn, f.Interlaced, f.HDR
	out.Between, out.Audio, out.Clock, out.Mended, out.Lost = f.Between, f.Audio, f.Clock, f.Mended, f.Lost
	out.Recorded = l.stream.Info().Recorded
	out.Watched = round(t.span(stamped), 10)
	out.Declared = round(f.FPS, 100)
	out.Interval, out.Longest = t.intervals(stamped)
	if span := t.span(stamped); span > 0 && t.packets > 1 {
		out.FPS = round(float64(t.packets-1)/span, 10)
		// The packets of a span have one more than it has steps.
		out.BitRate = round(8*float64(t.bytes)*float64(t.packets-1)/float64(t.packets)/span/1e6, 100)
	}
	w := media.Watched{Facts: f, FPS: out.FPS, Interval: time.Duration(out.Longest * float64(time.Second)), Whole: l.whole}
	w.Key = int(t.keyBytes / int64(max(t.keys, 1)))
	w.Other = int((t.bytes - t.keyBytes) / int64(max(t.packets-t.keys, 1)))
	if out.Restless = w.Restless(); out.Recorded {
		out.Restless = nil
	}
	out.Interval, out.Longest = round(out.Interval, 100), round(out.Longest, 100)
	return out
}

func round(v, parts float64) float64 { return math.Round(v*parts) / parts }
