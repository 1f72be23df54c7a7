package calibrate

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Series is the values of a label on a camera, clip by clip, as a test of rules
// writes them: "0.1x5 0.9x3 _ / 0.1x4". A number is a value, followed by x and how
// many clips have it; _ is a clip without the label, or no clip where none of the
// camera's series has one; / begins a new stream epoch with the next clip.
type Series []SeriesValue

// SeriesValue is one clip of a Series.
type SeriesValue struct {
	Value float64
	None  bool // _
	Fresh bool // after /
}

// maxSeries bounds the clips of a test.
const maxSeries = 100_000

var seriesItem = regexp.MustCompile(`^(_|-?\d*\.?\d+)(?:x(\d{1,6}))?$`)

// UnmarshalText reads a series.
func (s *Series) UnmarshalText(text []byte) error {
	*s = nil
	fresh := false
	for _, item := range strings.Fields(string(text)) {
		if item == "/" {
			fresh = true
			continue
		}
		m := seriesItem.FindStringSubmatch(item)
		if m == nil {
			return fmt.Errorf("values: %.40q: want numbers such as 0.9 or 0.9x3 for three clips, _ for a clip without the label, / before a new stream epoch", item)
		}
		times := 1
		if m[2] != "" {
			times, _ = strconv.Atoi(m[2]) // the pattern lets only digits through
		}
		if times < 1 || len(*s)+times > maxSeries {
			return fmt.Errorf("values: %q: want 1 to %d clips in all", item, maxSeries)
		}
		v := SeriesValue{None: m[1] == "_"}
		if !v.None {
			v.Value, _ = strconv.ParseFloat(m[1], 64)
		}
		if v.Value < -1 || v.Value > 1 {
			return fmt.Errorf("values: %q: want -1 to 1", item)
		}
		for range times {
			v.Fresh, fresh = fresh, false
			*s = append(*s, v)
		}
	}
	return nil
}
