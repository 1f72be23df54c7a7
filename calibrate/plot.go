package calibrate

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Sizes in the drawing of a backtest, in pixels.
const (
	plotMargin = 24
	plotNames  = 260
	plotTop    = 84
	plotRow    = 30
	plotDay    = 90 // at most
	plotLeast  = 14
	plotDays   = 1000 // days together, roughly
	maxRows    = 1000
)

// found are the colours of the parts of a bar, and what they mean.
func parts() []struct{ colour, means string } {
	return []struct{ colour, means string }{{"#0b3c7d", "raised, and would be"}, {"#d97706", "only in the backtest"}, {"#9aa3b2", "only raised live"}}
}

// WritePlot draws the alerts by rule, camera and day as SVG: a bar for each day, as
// long as the most on any day, in three parts.
func (b *Backtested) WritePlot(w io.Writer) error {
	rows, days := b.rows(), b.days()
	cell := min(max(plotDays/max(len(days), 1), plotLeast), plotDay)
	width := max(plotNames+cell*len(days)+2*plotMargin, 640)
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">
<rect width="100%%" height="100%%" fill="#ffffff"/>
<text x="%d" y="28" font-size="15" font-weight="bold">Alerts by rule, camera and day (UTC), %s to %s</text>
`, width, plotTop+plotRow*len(rows)+plotMargin, plotMargin, b.Since.UTC().Format("2006-01-02 15:04"), b.Until.UTC().Format("2006-01-02 15:04"))
	for i, p := range parts() {
		x := plotMargin + 180*i
		fmt.Fprintf(&s, `<rect x="%d" y="40" width="12" height="12" fill="%s"/><text x="%d" y="50">%s</text>`+"\n", x, p.colour, x+18, p.means)
	}
	for i, day := range days {
		if cell >= 60 || i%7 == 0 {
			fmt.Fprintf(&s, `<text x="%d" y="%d" fill="#555555">%s</text>`+"\n", plotMargin+plotNames+i*cell, plotTop-8, day[5:])
		}
	}
	most := 1
	for _, t := range b.Tallies {
		most = max(most, t.Both+t.Backtest+t.Live)
	}
	for i, row := range rows {
		y := plotTop + plotRow*i
		fmt.Fprintf(&s, `<text x="%d" y="%d">%s</text>`+"\n", plotMargin, y+plotRow/2+4, escape(short(row.Rule+"  "+row.Camera)))
		fmt.Fprintf(&s, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#e5e7eb"/>`+"\n", plotMargin, y+plotRow, width-plotMargin, y+plotRow)
		for _, t := range b.Tallies {
			if t.Rule == row.Rule && t.Camera == row.Camera {
				t.draw(&s, plotMargin+plotNames+cell*slices.Index(days, t.Day), y, cell, most)
			}
		}
	}
	_, err := io.WriteString(w, s.String()+"</svg>\n")
	return err
}

// draw draws one day of one rule and camera.
func (t Tally) draw(s *strings.Builder, x, y, cell, most int) {
	counts := []int{t.Both, t.Backtest, t.Live}
	fmt.Fprintf(s, `<g><title>%s on %s, %s: %d raised and would be, %d only in the backtest, %d only live</title>`, escape(t.Rule), escape(t.Camera), t.Day, counts[0], counts[1], counts[2])
	for i, p := range parts() {
		if long := counts[i] * (cell - 4) / most; counts[i] > 0 {
			long = max(long, 2)
			fmt.Fprintf(s, `<rect x="%d" y="%d" width="%d" height="12" fill="%s"/>`, x, y+8, long, p.colour)
			x += long
		}
	}
	if cell >= 40 {
		fmt.Fprintf(s, `<text x="%d" y="%d" font-size="10" fill="#555555">%d</text>`, x+3, y+18, counts[0]+counts[1]+counts[2])
	}
	s.WriteString("</g>\n")
}

// rows are the rules and cameras with alerts, at most maxRows.
func (b *Backtested) rows() (rows []Tally) {
	for _, t := range b.Tallies {
		row := Tally{Rule: t.Rule, Camera: t.Camera}
		if !slices.Contains(rows, row) && len(rows) < maxRows {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b Tally) int { return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Camera, b.Camera)) })
	return rows
}

// days are those of the range.
func (b *Backtested) days() (days []string) {
	for at := b.Since.UTC().Truncate(24 * time.Hour); !at.After(b.Until) && len(days) < 1000; at = at.AddDate(0, 0, 1) {
		days = append(days, at.Format(time.DateOnly))
	}
	return days
}

func short(name string) string {
	const letters = 40
	if r := []rune(name); len(r) > letters {
		return string(r[:letters-1]) + "…"
	}
	return name
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(topics.Clean(text))) // to memory
	return b.String()
}
