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
