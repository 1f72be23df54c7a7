package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Age is how long something is kept: a number with a unit, up to days.
type Age time.Duration

const day = 24 * time.Hour

// UnmarshalText reads 90d, 12h or 0.
func (a *Age) UnmarshalText(b []byte) error {
	text := string(b)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || !(n >= 0 && n <= 36500) {
			return fmt.Errorf("%q: want a number of days such as 90d", text)
		}
		*a = Age(n * float64(day))
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fmt.Errorf("%q: want a number with a unit, such as 90d or 12h, or 0", text)
	}
	*a = Age(d)
	return nil
}

// MarshalText writes whole days as such.
func (a Age) MarshalText() ([]byte, error) {
	if d := time.Duration(a); d > 0 && d%day == 0 {
		return fmt.Appendf(nil, "%dd", d/day), nil
	}
	return []byte(time.Duration(a).String()), nil
}

// Bytes is an amount of storage.
type Bytes int64

// UnmarshalText reads 20GB (of 1000 MB), 20GiB (of 1024 MiB) or a number of bytes.
func (s *Bytes) UnmarshalText(b []byte) error {
	text := string(b)
	number, unit := text, float64(1)
	for i, prefix := range "KMGTP" {
		if n, ok := strings.CutSuffix(text, string(prefix)+"B"); ok {
			number, unit = n, math.Pow(1000, float64(i+1))
		}
		if n, ok := strings.CutSuffix(text, string(prefix)+"iB"); ok {
			number, unit = n, math.Pow(1024, float64(i+1))
		}
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(n >= 0 && n*unit < 1<<62) {
		return fmt.Errorf("%q: want a size such as 20GB, or 0", text)
	}
	*s = Bytes(n * unit)
	return nil
}

// MarshalText writes bytes.
func (s Bytes) MarshalText() ([]byte, error) { return strconv.AppendInt(nil, int64(s), 10), nil }

// String is the size as people write it, and exact: the largest unit of which there are whole ones.
func (s Bytes) String() string {
	for _, u := range []struct {
		name string
		of   Bytes
	}{
		{"TB", 1e12}, {"GB", 1e9}, {"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MB", 1e6}, {"MiB", 1 << 20}, {"KB", 1e3}, {"KiB", 1 << 10},
	} {
		if s >= u.of && s%u.of == 0 {
			return strconv.FormatInt(int64(s/u.of), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// Short is the size for people: whole MB, and from 1 GB on to a tenth of a GB.
func (s Bytes) Short() string {
	if s < 1e9 {
		return fmt.Sprintf("%.0f MB", float64(s)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(s)/1e9)
}

// String is the age as people write it.
func (a Age) String() string {
	if d := time.Duration(a); d%day != 0 || d == 0 {
		return written(d)
	}
	return strconv.FormatInt(int64(time.Duration(a)/day), 10) + "d"
}

// written is a time as people write it: 1h in place of 1h0m0s.
func written(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	if text == "0s" {
		return "0"
	}
	return text
}
