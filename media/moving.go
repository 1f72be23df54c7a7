package media

import (
	"math"
	"slices"
)

// BlockPoints is how many of a Still's points a block has along each side.
const BlockPoints = 5

const (
	// Two pictures differ in a block where the mean difference of its points' luma is more
	// than movedLevels, and more than movedNoise times that of the block that a quarter of
	// all don't exceed, which is noise. Light that changes everywhere is taken off before.
	movedLevels = 4
	movedNoise  = 4
	// dimmest is the mean luma above which a block says how much brighter the picture is:
	// what libavfilter's blackdetect takes for black.
	dimmest = 25.5
)

// Moving compares two pictures block by block, by their points' luma in rows of columns;
// both are of one size. It returns the blocks in rows of columns/BlockPoints: by how many
// times each exceeds what counts as a difference, 0 where it doesn't. What moves alone is
// an insect or a snowflake, and is 0 too.
func Moving(before, after []byte, columns int) []float64 {
	c := comparison{before: before, after: after, points: columns, columns: columns / BlockPoints, rows: len(after) / columns / BlockPoints}
	return c.moving()
}

type comparison struct {
	before, after []byte
	points        int // in a row
	columns, rows int // of blocks
}

func (c comparison) moving() []float64 {
	gain := c.gain()
	differ := make([]float64, c.columns*c.rows)
	for b := range differ {
		sum := 0.0
		c.each(b, func(at int) {
			sum += math.Abs(float64(c.after[at]) - gain*float64(c.before[at]))
		})
		differ[b] = sum / (BlockPoints * BlockPoints)
	}
	if len(differ) == 0 {
		return nil
	}
	least := max(movedLevels, movedNoise*quantile(differ, 4))
	moving := make([]float64, len(differ))
	for b, d := range differ {
		if d > least && c.besides(b, func(other int) bool { return differ[other] > least }) {
			moving[b] = d / least
		}
	}
	return moving
}

// besides is whether something holds of one of the eight blocks around a block.
func (c comparison) besides(block int, holds func(int) bool) bool {
	x, y := block%c.columns, block/c.columns
	for v := max(y-1, 0); v <= min(y+1, c.rows-1); v++ {
		for u := max(x-1, 0); u <= min(x+1, c.columns-1); u++ {
			if other := v*c.columns + u; other != block && holds(other) {
				return true
			}
		}
	}
	return false
}

// each calls fn with the index of each point of a block.
func (c comparison) each(block int, fn func(at int)) {
	left, top := block%c.columns*BlockPoints, block/c.columns*BlockPoints
	for y := top; y < top+BlockPoints; y++ {
		for x := left; x < left+BlockPoints; x++ {
			fn(y*c.points + x)
		}
	}
}

// gain is how much brighter most of the second picture is.
func (c comparison) gain() float64 {
	var gains []float64
	for b := range c.columns * c.rows {
		was, is := 0.0, 0.0
		c.each(b, func(at int) {
			was += float64(c.before[at])
			is += float64(c.after[at])
		})
		if was > dimmest*BlockPoints*BlockPoints {
			gains = append(gains, is/was)
		}
	}
	if len(gains) == 0 {
		return 1
	}
	return min(max(quantile(gains, 2), 0.5), 2)
}

// quantile is the value that one in n of all are below.
func quantile(values []float64, n int) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/n]
}
