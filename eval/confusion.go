package eval

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// Sizes in the drawing of a confusion matrix, in pixels.
const (
	matrixSide = 720 // of the cells together, roughly
	margin     = 24
	minCell    = 2
	maxCell    = 36
	labelCell  = 6  // names are written if a cell is at least this high
	valueCell  = 22 // and shares are written in cells at least this high
	maxLabel   = 32 // letters of a name
)

// panel is the confusion matrix of one class list, over all splits that use it.
type panel struct {
	title   string
	classes []string
	counts  []Confused
	rows    []int // number of videos of each label
}

// WriteConfusion draws the confusion matrices as SVG: one for each group, or
// one for each class list if a group's splits have several.
func (r *Report) WriteConfusion(w io.Writer) error {
	var b strings.Builder
	width, height := 0, margin
	for _, p := range r.panels() {
		pw, ph := p.draw(&b, height)
		width, height = max(width, pw), height+ph
	}
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif">
<rect width="100%%" height="100%%" fill="#ffffff"/>
`, width, height, width, height)
	_, err := io.WriteString(w, head+b.String()+"</svg>\n")
	return err
}

func (r *Report) panels() []*panel {
	var out []*panel
	for _, g := range r.Groups {
		first := len(out)
		for _, s := range g.Splits {
			names := make([]string, len(s.PerClass))
			for i, c := range s.PerClass {
				names[i] = c.Class
			}
			at := slices.IndexFunc(out[first:], func(p *panel) bool { return slices.Equal(p.classes, names) })
			if at < 0 {
				at = len(out) - first
				out = append(out, &panel{title: g.Name, classes: names, rows: make([]int, len(names))})
			}
			out[first+at].add(s)
		}
	}
	return out
}

func (p *panel) add(s SplitResult) {
	p.title = strings.TrimSpace(p.title + " " + s.Name)
	for _, c := range s.Confusion {
		p.rows[c.Label] += c.Videos
		at := slices.IndexFunc(p.counts, func(have Confused) bool { return have.Label == c.Label && have.Answer == c.Answer })
		if at < 0 {
			p.counts = append(p.counts, c)
		} else {
			p.counts[at].Videos += c.Videos
		}
	}
	slices.SortFunc(p.counts, func(a, b Confused) int {
		return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Answer, b.Answer))
	})
}

// draw writes the panel with its top at y and returns how much space it takes.
func (p *panel) draw(b *strings.Builder, y int) (width, height int) {
	n := len(p.classes)
	cell := min(max(matrixSide/n, minCell), maxCell)
	font, letters := min(cell-1, 12), 0
	if cell >= labelCell {
		for _, c := range p.classes {
			letters = max(letters, len([]rune(short(c))))
		}
	}
	names := letters*font*6/10 + 8
	left, top := margin+names, y+44+names
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="15" font-weight="bold">%s</text>`+"\n", margin, y+12, escape(p.title))
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="12" fill="#555555">rows: labels; columns: what they were taken for; shade: share of the row's videos</text>`+"\n", margin, y+30)
	for i, c := range p.classes {
		if cell < labelCell {
			break
		}
		middle := i*cell + cell/2
		fmt.Fprintf(b, `<text x="%d" y="%d" font-size="%d" text-anchor="end" dominant-baseline="central">%s</text>`+"\n", left-4, top+middle, font, escape(short(c)))
		fmt.Fprintf(b, `<text transform="translate(%d %d) rotate(-90)" font-size="%d" dominant-baseline="central">%s</text>`+"\n", left+middle, top-4, font, escape(short(c)))
	}
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="#f4f5f7" stroke="#c4c8d0"/>`+"\n", left, top, n*cell, n*cell)
	for _, c := range p.counts {
		p.cell(b, c, left+c.Answer*cell, top+c.Label*cell, cell)
	}
	return max(left+n*cell+margin, 640), top - y + n*cell + margin + 16
}

func (p *panel) cell(b *strings.Builder, c Confused, x, y, size int) {
	share := float64(c.Videos) / float64(p.rows[c.Label])
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"><title>%s taken for %s: %d of %d</title></rect>`+"\n",
		x, y, size, size, shade(share), escape(p.classes[c.Label]), escape(p.classes[c.Answer]), c.Videos, p.rows[c.Label])
	if size < valueCell {
		return
	}
	ink := "#1b2a41"
	if share > 0.5 {
		ink = "#ffffff"
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="%d" fill="%s" text-anchor="middle" dominant-baseline="central">%.0f</text>`+"\n",
		x+size/2, y+size/2, size/3+1, ink, 100*share)
}

// shade goes from nearly white to dark blue.
func shade(share float64) string {
	mix := func(from, to int) int { return from + int(share*float64(to-from)) }
	return fmt.Sprintf("#%02x%02x%02x", mix(0xe3, 0x0b), mix(0xec, 0x3c), mix(0xf8, 0x7d))
}

func short(name string) string {
	if r := []rune(name); len(r) > maxLabel {
		return string(r[:maxLabel-1]) + "…"
	}
	return name
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(printable(text))) // to memory
	return b.String()
}

// printable removes what a terminal or a document would take for a command.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}
