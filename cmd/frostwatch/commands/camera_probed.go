package commands

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/media"
)

// writeProbed prints what was seen of a stream.
func (p Program) writeProbed(s ingest.Probed, what string) error {
	w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	title := s.URL
	if s.Camera != "" {
		title = fmt.Sprintf("camera %s: %s", s.Camera, s.URL)
	}
	if what != "" {
		title += " (" + what + ")"
	}
	lines := []string{title}
	row := func(name, format string, args ...any) {
		lines = append(lines, "  "+name+"\t"+fmt.Sprintf(format, args...))
	}
	row("comes by", "%s, watched for %.3g s", s.Transport, s.Watched)
	row("codec", "%s", codecOf(s))
	row("picture", "%s", pictureOf(s))
	row("frame rate", "%s", rateOf(s))
	row("keyframes", "%s", keysOf(s))
	row("bit rate", "%.3g Mbit/s", s.BitRate)
	row("times", "%s", timesOf(s))
	row("sound", "%s", map[bool]string{true: "there is, and it is neither asked for nor kept", false: "none"}[s.Audio])
	if !s.Main {
		row("decode: demand", "%s", demandOf(s))
	}
	for i, a := range s.Advice {
		row(map[bool]string{true: "to improve", false: ""}[i == 0], "%s", a)
	}
	if _, err := fmt.Fprintln(w, strings.Join(lines, "\n")); err != nil {
		return err
	}
	return w.Flush()
}

func codecOf(s ingest.Probed) string {
	text := s.Codec
	if s.Profile != "" {
		text += ", profile " + s.Profile
	}
	if s.Between {
		text += ", with B frames"
	}
	return text
}

func pictureOf(s ingest.Probed) string {
	text := fmt.Sprintf("%dx%d, %s", s.Width, s.Height, s.Pixels)
	if s.SampleWide > 0 {
		text += fmt.Sprintf(", sent as %dx%d with samples of %d:%d", s.CodedWidth, s.CodedHeight, s.SampleWide, s.SampleHigh)
	}
	if s.Turned != "" {
		text += ", turned: " + s.Turned
	}
	if s.Interlaced {
		text += ", interlaced"
	}
	if s.HDR != "" {
		text += ", HDR (" + s.HDR + ")"
	}
	return text
}

func rateOf(s ingest.Probed) string {
	text := "too few frames came to say"
	if s.FPS > 0 {
		text = fmt.Sprintf("%.4g a second", s.FPS)
	}
	if s.Declared > 0 {
		text += fmt.Sprintf(", %.4g declared", s.Declared)
	}
	return text
}

func keysOf(s ingest.Probed) string {
	switch {
	case s.Codec == "mjpeg":
		return "every picture is one"
	case s.Interval == 0:
		return fmt.Sprintf("no second one in %.3g s", s.Watched)
	case s.Longest > 1.2*s.Interval:
		return fmt.Sprintf("one each %.3g s, %.3g s at most", s.Interval, s.Longest)
	}
	return fmt.Sprintf("one each %.3g s", s.Interval)
}

func timesOf(s ingest.Probed) string {
	text := map[media.ClockState]string{
		media.ClockRight: "by the camera's stamps, which are right", media.ClockArrival: "of arrival, since its stamps can't be believed",
		media.ClockNone: "of arrival, since it sends no stamps",
	}[s.Clock]
	if s.Mended > 0 {
		text = strings.TrimSuffix(text, ", which are right") + fmt.Sprintf(", %d passed over", s.Mended)
	}
	return text
}

func demandOf(s ingest.Probed) string {
	switch {
	case s.Recorded:
		return "is for cameras, and this is a recording"
	case len(s.Restless) == 0:
		return "possible: keyframes alone are enough while nothing happens"
	}
	return "all would be decoded: " + strings.Join(s.Restless, "; ")
}
