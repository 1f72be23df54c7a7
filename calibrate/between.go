package calibrate

import "iter"

// eachRank is how much more clips reach each next level that is tried.
const eachRank = 1.25

// between are levels halfway between values of clips, which descend: from the highest
// down, each reached by about eachRank times as many clips as the one before, and by at
// most so many clips. Where many clips have one value, the next level is below it, or,
// if that is too low, the lowest that is above it.
func between(values []float32, most int) iter.Seq[float64] {
	return func(yield func(float64) bool) {
		most = min(most, len(values)-1)
		for last, rank := 0, 1; rank <= most; rank = max(rank+1, int(float64(rank)*eachRank)) {
			above := rank
			for rank <= most && values[rank-1] == values[rank] {
				rank++
			}
			if rank > most {
				for rank = above; rank > last && values[rank-1] == values[rank]; {
					rank--
				}
				if rank > last {
					yield(halfway(values, rank))
				}
				return
			}
			if !yield(halfway(values, rank)) {
				return
			}
			last = rank
		}
	}
}

func halfway(values []float32, rank int) float64 {
	return (float64(values[rank-1]) + float64(values[rank])) / 2
}
