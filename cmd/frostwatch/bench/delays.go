package bench

import (
	"math"
	"slices"
	"time"
)

// delays are percentiles in milliseconds, by nearest rank: with fewer than a
// hundred values P99 is the largest.
type delays struct {
	N   int     `json:"n"`
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

// delaysFrom computes the delays of those records whose beginning is known.
func delaysFrom(records []seenRecord, begin func(seenRecord) (time.Time, bool)) delays {
	var ms []float64
	for _, r := range records {
		if t, ok := begin(r); ok {
			ms = append(ms, float64(r.published.Sub(t).Microseconds())/1000)
		}
	}
	if len(ms) == 0 {
		return delays{}
	}
	slices.Sort(ms)
	return delays{N: len(ms), P50: percentile(ms, 50), P99: percentile(ms, 99), Max: ms[len(ms)-1]}
}

// percentile of sorted values by nearest rank.
func percentile(sorted []float64, p float64) float64 {
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}
