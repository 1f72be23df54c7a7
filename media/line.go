package media

import "time"

// line is how a clock reads stamps: what time one of them is. Of stamps that don't lie
// on it, it remembers those in a row that agree.
type line struct {
	tick float64 // seconds per unit
	base int64   // a stamp
	at   time.Duration

	doubts  int           // frames in a row that agree with each other, and not with the line
	first   int64         // the stamp of the first of them
	latest  int64         // and of the latest
	doubted time.Duration // the arrival of the first
	seen    time.Duration // of the latest
}

// endOfTime bounds times, so that no sum of them overflows.
const endOfTime = 30 * 365 * 24 * time.Hour

// time is what time a stamp is.
func (l *line) time(stamp int64) time.Duration { return l.at + l.between(l.base, stamp) }

// since is the time from the first of the agreeing stamps to this one.
func (l *line) since(stamp int64) time.Duration { return l.between(l.first, stamp) }

// between is the time from one stamp to another.
func (l *line) between(from, to int64) time.Duration {
	d := float64(to) - float64(from)
	if n := to - from; (n < 0) == (to < from) {
		d = float64(n)
	}
	ns := d * l.tick * 1e9
	switch {
	case ns > float64(endOfTime):
		return endOfTime
	case ns < -float64(endOfTime):
		return -endOfTime
	case ns < 0:
		return time.Duration(ns - 0.5)
	}
	return time.Duration(ns + 0.5)
}

// doubt takes a stamp that does not lie on the line, and says whether it is the last
// of enough that agree: each is later than the one before, by no more than time can
// have passed.
func (l *line) doubt(stamp int64, came time.Duration) bool {
	if d := l.between(l.latest, stamp); l.doubts == 0 || d <= 0 || d > leapMost+2*(came-l.seen) {
		l.doubts, l.first, l.doubted = 0, stamp, came
	}
	l.doubts++
	l.latest, l.seen = stamp, came
	return l.doubts >= agreeing
}
