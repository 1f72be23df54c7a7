package calibrate

import "time"

// sharedTime is how long an alert and a case have to share; half of a shorter case is
// enough.
const sharedTime = time.Second

// matched is how many of the cases are found: the most pairs of an alert and a case
// that share enough time, each alert and each case in one pair at most. Both come in
// the order of their starts, and neither of two ends before an earlier one does.
//
// ActEV aligns what a system reports with what there was in the same way (NIST, ActEV
// 2021 Sequestered Data Leaderboard Evaluation Plan; usnistgov/ActEV_Scorer,
// lib/alignment.py; a second of overlap is that of its protocol ActEV19_AD), but all
// thresholds at once, by the Hungarian algorithm. Where both sides are in order, no two
// pairs have to cross, and taking the earliest is as good.
func matched(alerts, cases []interval) (n int) {
	next := 0
	for _, a := range alerts {
		for next < len(cases) && !shares(interval{a.from, cases[next].to}, cases[next]) {
			next++ // it is over before this alert, and every later one, has shared enough
		}
		if next < len(cases) && shares(a, cases[next]) {
			n++
			next++
		}
	}
	return n
}

// shares is whether an alert and a case have enough time in common.
func shares(alert, of interval) bool {
	from, to := alert.from, alert.to
	if of.from.After(from) {
		from = of.from
	}
	if of.to.Before(to) {
		to = of.to
	}
	enough, long := sharedTime, of.to.Sub(of.from)
	if long < sharedTime {
		enough = long / 2
	}
	return to.Sub(from) >= enough
}
