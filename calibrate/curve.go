package calibrate

import (
	"fmt"
	"io"
	"strings"
)

// Sizes in the drawing of curves, in pixels.
const (
	curveSide = 440 // of the square
	curveLeft = 70
	curveTop  = 60
	curveKey  = 24 // of a line of the key
)

// curveColours are those of the first subjects; more subjects take them again.
func curveColours() []string {
	return []string{"#0b3c7d", "#d97706", "#15803d", "#b91c1c", "#7c3aed", "#0891b2", "#a16207", "#be185d"}
}

// WriteCurves draws precision over recall as SVG, a curve for each subject with enough
// cases: from the highest threshold on, with a mark and its 95% intervals where the
// rates of false alarms are kept.
func (j *Judged) WriteCurves(w io.Writer) error {
	var s strings.Builder
	width, height := curveLeft+curveSide+420, max(curveTop+curveSide+60, curveTop+2*curveKey*(len(j.Subjects)+1))
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">
<rect width="100%%" height="100%%" fill="#ffffff"/>
<text x="24" y="28" font-size="15" font-weight="bold">Precision and recall by threshold, %s to %s (UTC)</text>
`, width, height, j.Since.UTC().Format("2006-01-02 15:04"), j.Until.UTC().Format("2006-01-02 15:04"))
	drawAxes(&s)
	for i, of := range j.Subjects {
		of.draw(&s, curveColours()[i%len(curveColours())], curveTop+10+2*curveKey*i)
	}
	_, err := io.WriteString(w, s.String()+"</svg>\n")
	return err
}

// curveAt is where a recall and a precision are drawn.
func curveAt(recall, precision float64) (x, y float64) {
	return curveLeft + curveSide*recall, curveTop + curveSide*(1-precision)
}

func drawAxes(s *strings.Builder) {
	for i := 0; i <= 10; i += 2 {
		at := float64(i) / 10
		x, y := curveAt(at, at)
		fmt.Fprintf(s, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#e5e7eb"/><line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#e5e7eb"/>`+"\n",
			x, curveTop, x, curveTop+curveSide, curveLeft, y, curveLeft+curveSide, y)
		fmt.Fprintf(s, `<text x="%.1f" y="%d" text-anchor="middle" fill="#555555">%.1f</text><text x="%d" y="%.1f" text-anchor="end" fill="#555555">%.1f</text>`+"\n",
			x, curveTop+curveSide+18, at, curveLeft-8, y+4, at)
	}
	fmt.Fprintf(s, `<text x="%d" y="%d" text-anchor="middle">recall: cases with an alert</text>`+"\n", curveLeft+curveSide/2, curveTop+curveSide+40)
	fmt.Fprintf(s, `<text transform="translate(22,%d) rotate(-90)" text-anchor="middle">precision: alerts with a case</text>`+"\n", curveTop+curveSide/2)
}

// draw draws a subject's curve, and its lines of the key at a height.
func (j *Judgement) draw(s *strings.Builder, colour string, key int) {
	var path strings.Builder
	for i, p := range j.Curve {
		x, y := curveAt(p.Recall, p.Precision)
		fmt.Fprintf(&path, "%s%.1f,%.1f ", map[bool]string{true: "M", false: "L"}[i == 0], x, y)
		fmt.Fprintf(s, `<circle cx="%.1f" cy="%.1f" r="2" fill="%s"><title>%s at %.3g: %d of %d found, %d false alarms</title></circle>`+"\n",
			x, y, colour, escape(j.Name), p.Threshold, p.Found, j.Cases, p.FalseAlarms)
	}
	if path.Len() > 0 {
		fmt.Fprintf(s, `<path d="%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", strings.TrimSpace(path.String()), colour)
	}
	for _, p := range j.Points {
		if m := p.Measured; m != nil && m.Precision != nil {
			m.draw(s, colour)
		}
	}
	says := fmt.Sprintf("%d cases, %.3g camera-days", j.Cases, j.CameraDays)
	if !j.enough() {
		says = fmt.Sprintf("%d cases: too few, %d are needed", j.Cases, j.NeedCases)
	}
	x := curveLeft + curveSide + 24
	fmt.Fprintf(s, `<rect x="%d" y="%d" width="12" height="12" fill="%s"/><text x="%d" y="%d" font-weight="bold">%s</text><text x="%d" y="%d" fill="#555555">%s</text>`+"\n",
		x, key, colour, x+18, key+10, escape(short(j.Name)), x+18, key+26, says)
}

// draw draws what was measured as a mark with its intervals.
func (m *Measured) draw(s *strings.Builder, colour string) {
	x, y := curveAt(1-m.PMiss.Value, m.Precision.Value)
	left, low := curveAt(1-m.PMiss.High, m.Precision.Low)
	right, high := curveAt(1-m.PMiss.Low, m.Precision.High)
	fmt.Fprintf(s, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-opacity="0.5"/><line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-opacity="0.5"/>`+"\n",
		left, y, right, y, colour, x, low, x, high, colour)
	fmt.Fprintf(s, `<rect x="%.1f" y="%.1f" width="8" height="8" fill="#ffffff" stroke="%s" stroke-width="2"><title>%.2f false alarms per camera-day at %.3g</title></rect>`+"\n",
		x-4, y-4, colour, m.PerDay.Value, m.Threshold)
}
