package export

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Unix seconds are accepted from 1973 to 5138: smaller numbers are probably
// minutes or seconds without a unit, larger ones milliseconds.
const earliest, latest = 1e8, 1e11

// ParseTime reads RFC 3339, or Unix seconds with or without a fraction.
func ParseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UTC(), nil
	}
	seconds, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q: want RFC 3339 such as 2026-03-01T12:00:00+01:00, or Unix seconds", shorten(s))
	}
	if !(seconds >= earliest && seconds <= latest) {
		return time.Time{}, fmt.Errorf("%q: as Unix seconds that is not a time of our days (milliseconds, or a duration without its unit?)", shorten(s))
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(math.Round(part*1e6))*1e3).UTC(), nil
}

// ParseMoment reads a time, or how long ago it was: 90s, 10m, 24h, 7d.
func ParseMoment(s string, now time.Time) (time.Time, error) {
	ago, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok && err != nil {
		var n float64
		if n, err = strconv.ParseFloat(days, 64); err == nil {
			ago = time.Duration(n * 24 * float64(time.Hour))
		}
	}
	switch {
	case err == nil && ago >= 0 && ago < 100*365*24*time.Hour:
		if s != "0" {
			return now.Add(-ago), nil
		}
		return now, nil
	case err == nil:
		return time.Time{}, fmt.Errorf("%q: want a duration into the past such as 10m", shorten(s))
	}
	t, err := ParseTime(s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w, or a duration into the past such as 10m", err)
	}
	return t, nil
}
