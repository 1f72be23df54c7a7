package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/calibrate"
)

const (
	blue, orange, grey = "#0b3c7d", "#d97706", "#9aa3b2"
	width              = 760
)

// drawing is an SVG picture.
type drawing struct{ strings.Builder }

func newDrawing(height int, title string) *drawing {
	d := &drawing{}
	d.add(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`, width, height)
	d.add(`<rect width="100%%" height="100%%" fill="#ffffff"/>`)
	d.add(`<text x="24" y="26" font-size="15" font-weight="bold">%s</text>`, title)
	return d
}

func (d *drawing) add(format string, args ...any) {
	_, _ = fmt.Fprintf(d, format+"\n", args...) // to memory
}

func (d *drawing) end(w io.Writer) error {
	d.add("</svg>")
	_, err := io.WriteString(w, d.String())
	return err
}

// drawn are the ways that plots show.
type drawn struct {
	title, colour string
	of            func(way) bool
}

func drawnBudgets() []drawn {
	return []drawn{
		{"a budget for each camera", blue, func(w way) bool { return w.Equal == "" && w.Least == 0 }},
		{fmt.Sprintf("the same, and no threshold below a contrast of %v", calibrate.LeastContrast), orange, func(w way) bool { return w.Equal == "" && w.Least == calibrate.LeastContrast }},
	}
}

const (
	keptRow  = 150 // height, in pixels
	keptLeft = 48
	keptMost = 33 // false alarms; more are drawn there too
	keptCell = float64(width-2*keptLeft) / (keptMost + 1)
)

// plotKept draws how many cameras and rules had how many false alarms, over all
// splits.
func (r *report) plotKept(w io.Writer) error {
	rows := append(drawnBudgets(), drawn{
		"one threshold for all cameras that catches as many events as the first", grey,
		func(w way) bool { return w.Equal == recall && w.Least == 0 },
	})
	d := newDrawing(56+keptRow*len(rows), fmt.Sprintf("False alarms of a rule on a camera in %d judged days, where %v are allowed", r.Hours, r.Expected))
	for i, row := range rows {
		counts := make([]int, keptMost+1)
		for _, way := range r.Ways {
			if way.Budget == r.Ways[0].Budget && row.of(way) {
				for _, o := range way.Pairs {
					counts[min(o.False, keptMost)]++
				}
			}
		}
		r.drawCounts(d, 46+keptRow*i, row, counts)
	}
	return d.end(w)
}

func (r *report) drawCounts(d *drawing, top int, row drawn, counts []int) {
	base := top + keptRow - 30
	from, to := keptLeft+keptCell*math.Ceil(r.Expected/2), keptLeft+keptCell*(math.Floor(2*r.Expected)+1)
	d.add(`<rect x="%.0f" y="%d" width="%.0f" height="%d" fill="#e8f0fb"/>`, from, top+16, to-from, base-top-16)
	d.add(`<text x="%d" y="%d">%s</text>`, keptLeft, top+10, row.title)
	for n, count := range counts {
		x, h := keptLeft+keptCell*float64(n), float64(count*(base-top-34))/float64(max(slices.Max(counts), 1))
		if count > 0 {
			d.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, x+1, float64(base)-h, keptCell-2, h, row.colour)
			d.add(`<text x="%.1f" y="%.1f" text-anchor="middle" font-size="9" fill="#555555">%d</text>`, x+keptCell/2, float64(base)-h-3, count)
		}
		switch {
		case n == keptMost:
			d.add(`<text x="%.1f" y="%d" text-anchor="middle" fill="#555555">%d+</text>`, x+keptCell/2, base+14, n)
		case n%4 == 0 && n < keptMost-1:
			d.add(`<text x="%.1f" y="%d" text-anchor="middle" fill="#555555">%d</text>`, x+keptCell/2, base+14, n)
		}
	}
	d.add(`<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s"/>`, keptLeft, base, width-keptLeft, base, grey)
}

// The axes of the plot of recall: false alarms a day, logarithmic, and the share of
// events. Sizes are in pixels.
const (
	recallHeight, recallLeft, recallTop, recallBottom = 380, 56, 92, 330
	leastPerDay, mostPerDay                           = 0.5, 10.0
	highestRecall                                     = 0.8
)

// plotRecall draws how many events are caught at how many false alarms.
func (r *report) plotRecall(w io.Writer) error {
	series := append(drawnBudgets(), drawn{
		"one threshold for all cameras", grey,
		func(w way) bool { return w.Equal == falseAlarms && w.Measure == "contrast" && w.Least == 0 },
	})
	x := func(v float64) float64 {
		return recallLeft + (width-2*recallLeft)*math.Log(min(max(v, leastPerDay), mostPerDay)/leastPerDay)/math.Log(mostPerDay/leastPerDay)
	}
	y := func(v float64) float64 {
		return recallBottom - (recallBottom-recallTop)*min(v, highestRecall)/highestRecall
	}
	d := newDrawing(recallHeight, "Staged events caught, by false alarms of a rule on a camera in a day")
	for v := 0.0; v <= highestRecall+0.01; v += 0.2 {
		d.add(`<line x1="%d" y1="%.0f" x2="%d" y2="%.0f" stroke="#e5e7eb"/>`, recallLeft, y(v), width-recallLeft, y(v))
		d.add(`<text x="%d" y="%.0f" text-anchor="end" fill="#555555">%.0f%%</text>`, recallLeft-6, y(v)+4, 100*v)
	}
	for _, v := range []float64{0.5, 1, 2, 4, 8} {
		d.add(`<text x="%.0f" y="%d" text-anchor="middle" fill="#555555">%v</text>`, x(v), recallBottom+18, v)
	}
	for i, s := range series {
		d.add(`<rect x="%d" y="%d" width="12" height="12" fill="%s"/><text x="%d" y="%d">%s</text>`, recallLeft, 38+17*i, s.colour, recallLeft+18, 48+17*i, s.title)
		var line []string
		for _, p := range r.points(s.of) {
			line = append(line, fmt.Sprintf("%.1f,%.1f", x(p.perDay), y(p.recall)))
			d.add(`<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>`, x(p.perDay), y(p.recall), s.colour)
		}
		d.add(`<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`, strings.Join(line, " "), s.colour)
	}
	return d.end(w)
}

// point is what a budget came to over all splits.
type point struct{ perDay, recall float64 }

// points are those of some ways, one for each budget, ascending.
func (r *report) points(of func(way) bool) (out []point) {
	sums, days := map[int]sum{}, map[int]int{}
	var budgets []int
	for _, w := range r.Ways {
		if !of(w) {
			continue
		}
		if !slices.Contains(budgets, w.Budget) {
			budgets = append(budgets, w.Budget)
		}
		before, o := sums[w.Budget], w.Pairs.sum("")
		sums[w.Budget] = sum{False: before.False + o.False, Caught: before.Caught + o.Caught, Staged: before.Staged + o.Staged}
		days[w.Budget] += r.Hours * len(w.Pairs)
	}
	slices.Sort(budgets)
	for _, b := range budgets {
		out = append(out, point{float64(sums[b].False) / float64(days[b]), float64(sums[b].Caught) / float64(sums[b].Staged)})
	}
	return out
}
