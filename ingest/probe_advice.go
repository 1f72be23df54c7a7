package ingest

import (
	"fmt"

	"github.com/frostwatch/frostwatch/media"
)

// What is wished of a camera's stream.
const (
	keysWished   = 2.0 // seconds from one keyframe to the next
	linesEnough  = 720 // more lines are worth a substream
	leastLines   = 224 // framer.short_side
	mbitMuch     = 10  // of a substream there is no need for so much
	framesEnough = 15
)

// advice is what could be better about a stream, in sentences.
func (p Probed) advice() (out []string) {
	say := func(is bool, format string, args ...any) {
		if is {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	live := !p.Recorded
	looked := live && !p.Main
	film := media.Filmable(p.Codec)
	coded := p.Codec == "h264" || p.Codec == "hevc"
	say(live && coded && p.Interval == 0 && p.Watched > keysWished, "no second keyframe came in %.3g s: set the interval between keyframes (I-frame interval, GOP) to 2 s in the camera", p.Watched)
	say(live && coded && p.Longest > keysWished+.5, "a keyframe comes each %.3g s: set 2 s in the camera (I-frame interval, GOP): with more, the picture begins later after each connection, losses show for longer, and films begin earlier than they need", p.Longest)
	say(looked && min(p.Width, p.Height) > linesEnough, "%dx%d is more than recognising needs, which reduces pictures to a short side of some hundred pixels: name a substream (such as 640x360) as the camera's watch, and this one as its url, for films alone", p.Width, p.Height)
	say(looked && p.BitRate >= mbitMuch, "%.3g Mbit/s: recognising needs no such rate; set a lower one, or name a substream as the camera's watch", p.BitRate)
	say(!film, "its codec is %s, of which no films of alerts can be made, and which can't be decoded on demand: set H.264 in the camera", p.Codec)
	say(p.Codec == "mjpeg" && looked, "MJPEG takes more of the network than H.264, and can't be decoded on demand: set H.264 in the camera if it has it")
	say(looked && min(p.Width, p.Height) < leastLines, "its short side of %d pixels is less than the %d in which pictures are carried to the model", min(p.Width, p.Height), leastLines)
	say(p.Interlaced, "it is interlaced: only one of the two fields is used; set progressive video in the camera if it has it")
	say(looked && p.FPS > 0 && p.FPS < 4, "a frame rate of %.3g: what is fast may fall between two of them; clips take a picture each 0.6 s", p.FPS)
	say(looked && p.FPS > 2*framesEnough, "a frame rate of %.3g: clips take a picture each 0.6 s, so that %d are plenty", p.FPS, framesEnough)
	say(live && p.Declared > 0 && p.FPS > 0 && differsBy(p.FPS, p.Declared, .1), "it says %.4g frames a second, and %.4g come: see its settings, or whether the network loses some", p.Declared, p.FPS)
	say(p.Clock == media.ClockArrival, "its stamps can't be believed, so that times of arrival are used: see the camera's clock and firmware")
	say(p.Clock == media.ClockRight && p.Mended > 0, "%d of its stamps were passed over, since they leap or stand still: see the camera's firmware", p.Mended)
	say(p.Lost > 0, "%d packets or references were missing: use transport tcp, or see the network", p.Lost)
	say(p.Broke != "", "the stream broke off while it was watched: %s", p.Broke)
	return out
}

func differsBy(a, b, share float64) bool { return max(a, b)-min(a, b) > share*max(a, b) }
