package media

// look is what an AVFrame and its stream say of how the picture is to be shown.
type look struct {
	width, height int // as coded
	// sar is the width of a sample through its height, as a fraction; 0/x: not said.
	sarNum, sarDen int
	interlaced     bool // two fields, taken one after the other
	fieldAlone     bool // one field, half as high as the picture
	topFirst       bool // of two fields; of a field alone: it is the upper one
	turned         bool // matrix is said
	matrix         [9]int32
	own            bool // the matrix is the frame's own, and not that of the container
	key            bool // a keyframe
}

// shape is how a decoded picture becomes what people see.
type shape struct {
	width, height int // as people see it
	across, down  int // before it is turned: samples are square, fields filled up
	// Of two fields the one that was taken first is used, since the other shows what
	// moves at another place: every second line of the picture, from line first on.
	// 1: every line is used.
	skip, first int
	lines       int // that are used
	gap         int // between two used lines in the picture as shown: 2 of a field, else 1
	turn        turn
}

// turn is how a picture is rotated and mirrored: the point (x, y) is shown at
// (a*x + b*y, c*x + d*y), but for a shift. Each is -1, 0 or 1.
type turn struct{ a, b, c, d int }

// upright is the turn that changes nothing.
func upright() turn { return turn{a: 1, d: 1} }

// shapeOf works out how a picture is shown.
func shapeOf(l look) shape {
	s := shape{across: l.width, down: l.height, skip: 1, lines: l.height, gap: 1, turn: upright()}
	if !l.topFirst && (l.interlaced || l.fieldAlone) {
		s.first = 1
	}
	switch {
	case l.fieldAlone:
		s.gap, s.down = 2, 2*l.height
	case l.interlaced && l.height >= 4:
		// Colours of 4:2:0 have a line for two of each field.
		s.skip, s.gap, s.lines = 2, 2, l.height/4*2
	default:
		s.first = 0
	}
	if w := squareWidth(s.across, s.down, l.sarNum, l.sarDen); w > 0 {
		s.across = w
	}
	if l.turned {
		s.turn = turnOf(l.matrix)
	}
	s.width, s.height = s.across, s.down
	if s.turn.a == 0 {
		s.width, s.height = s.down, s.across
	}
	return s
}

// squareWidth is how wide a picture is whose samples have the given ratio of width to
// height, if its lines stay as they are; 0 if nothing sensible is said.
func squareWidth(w, h, num, den int) int {
	if num <= 0 || den <= 0 || num == den {
		return 0
	}
	square := (int64(w)*int64(num) + int64(den)/2) / int64(den)
	if square < 1 || square > maxSide || square*int64(h) > maxPixels {
		return 0
	}
	return int(square)
}

// turnOf is the turn that is nearest to what a display matrix says (libavutil's
// display.h describes it). Other angles than right ones are rounded, and a matrix that
// makes no picture is passed over.
func turnOf(m [9]int32) turn {
	abs := func(v int32) int64 { return max(int64(v), -int64(v)) }
	sign := func(v int32) int {
		switch {
		case v > 0:
			return 1
		case v < 0:
			return -1
		}
		return 0
	}
	if abs(m[0])+abs(m[4]) >= abs(m[1])+abs(m[3]) {
		if t := (turn{a: sign(m[0]), d: sign(m[4])}); t.a*t.d != 0 {
			return t
		}
	} else if t := (turn{b: sign(m[3]), c: sign(m[1])}); t.b*t.c != 0 {
		return t
	}
	return upright()
}
