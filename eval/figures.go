package eval

import (
	"cmp"
	"math"
	"slices"
)

// calibrationBins is the number of bins, all of equal width, as in Guo et al.
// 2017 (arXiv:1706.04599).
const calibrationBins = 15

// result computes a split's figures in the order of the list, so that they are
// the same to the bit in whatever order the videos were measured.
func (s *sheet) result() SplitResult {
	r := SplitResult{Name: s.split.Name, Confusion: []Confused{}}
	var first, fifth int
	counts := map[[2]int]int{}
	for row, a := range s.answers {
		if a == nil {
			r.Broken++
			continue
		}
		label := s.split.Videos[row].Label
		r.Videos++
		first += count(a.right(label, 1))
		fifth += count(a.right(label, 5))
		counts[[2]int{label, a.best[0]}]++
	}
	r.Top1, r.Top5 = share(first, r.Videos), share(fifth, r.Videos)
	r.Bins = s.bins()
	r.ECE = calibrationError(r.Bins, r.Videos)
	for pair, n := range counts {
		r.Confusion = append(r.Confusion, Confused{pair[0], pair[1], n})
	}
	slices.SortFunc(r.Confusion, func(a, b Confused) int {
		return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Answer, b.Answer))
	})
	r.PerClass = perClass(s.split.Classes, r.Confusion)
	return r
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// share is nil if of is 0.
func share(n, of int) *float64 {
	if of == 0 {
		return nil
	}
	v := float64(n) / float64(of)
	return &v
}

// bins sorts the answers by their score.
func (s *sheet) bins() []Bin {
	out := make([]Bin, calibrationBins)
	for i := range out {
		out[i].To = float64(i+1) / calibrationBins
	}
	for row, a := range s.answers {
		if a == nil {
			continue
		}
		b := &out[min(max(int(math.Ceil(a.score*calibrationBins))-1, 0), calibrationBins-1)]
		b.Videos++
		b.Score += a.score
		b.Accuracy += float64(count(a.right(s.split.Videos[row].Label, 1)))
	}
	for i := range out {
		if n := float64(out[i].Videos); n > 0 {
			out[i].Score /= n
			out[i].Accuracy /= n
		}
	}
	return out
}

// calibrationError is the mean difference between score and accuracy over the
// bins, each weighted by its number of videos.
func calibrationError(bins []Bin, videos int) *float64 {
	if videos == 0 {
		return nil
	}
	sum := 0.0
	for _, b := range bins {
		sum += float64(b.Videos) / float64(videos) * math.Abs(b.Score-b.Accuracy)
	}
	return &sum
}

func perClass(classes []Class, confusion []Confused) []ClassResult {
	out, right, worst := make([]ClassResult, len(classes)), make([]int, len(classes)), make([]int, len(classes))
	for i, c := range classes {
		out[i].Class = c.name()
	}
	for _, c := range confusion {
		r := &out[c.Label]
		r.Videos += c.Videos
		if c.Label == c.Answer {
			right[c.Label] = c.Videos
		} else if c.Videos > worst[c.Label] {
			worst[c.Label], r.TakenFor = c.Videos, classes[c.Answer].name()
		}
	}
	for i := range out {
		out[i].Accuracy = share(right[i], out[i].Videos)
	}
	return out
}
