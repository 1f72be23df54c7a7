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
	differ := make([]float64, c.columns*c.rows)
	if len(differ) == 0 {
		return nil
	}
	gain := c.gain()
	for y := range c.rows * BlockPoints {
		row := differ[y/BlockPoints*c.columns:][:c.columns]
		before, after := c.before[y*c.points:][:c.columns*BlockPoints], c.after[y*c.points:][:c.columns*BlockPoints]
		for x, v := range after {
			row[x/BlockPoints] += math.Abs(float64(v) - gain*float64(before[x]))
		}
	}
	for b := range differ {
		differ[b] /= BlockPoints * BlockPoints
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

// gain is how much brighter most of the second picture is.
func (c comparison) gain() float64 {
	was, is := c.sums(c.before), c.sums(c.after)
	gains := make([]float64, 0, len(was))
	for b, v := range was {
		if float64(v) > dimmest*BlockPoints*BlockPoints {
			gains = append(gains, float64(is[b])/float64(v))
		}
	}
	if len(gains) == 0 {
		return 1
	}
	return min(max(quantile(gains, 2), 0.5), 2)
}

// sums are those of the points of each block.
func (c comparison) sums(points []byte) []int32 {
	out := make([]int32, c.columns*c.rows)
	for y := range c.rows * BlockPoints {
		row := out[y/BlockPoints*c.columns:][:c.columns]
		for x, v := range points[y*c.points:][:c.columns*BlockPoints] {
			row[x/BlockPoints] += int32(v)
		}
	}
	return out
}

// quantile is the value that one in n of all are below.
func quantile(values []float64, n int) float64 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return sorted[len(sorted)/n]
}
