package calibrate

import (
	"fmt"
	"slices"
)

const (
	// LeastCases is how many cases figures need: from 20 on, a 95% interval of a share
	// reaches at most 0.2 to each side.
	LeastCases = 20
	// LeastFalse is how many false alarms a rate has to allow for in the time that was
	// watched: where three are counted, the rate may be up to three times as high (95%).
	LeastFalse = 3
)

// Rates are the false alarms per camera-day at which misses are reported.
func Rates() []float64 { return []float64{1, 0.1} }

// Judgement is how well a label or a rule tells its cases from everything else.
type Judgement struct {
	Name  string `json:"name"`
	Cases int    `json:"cases"`
	// Repeated are cases that overlapped others and were joined with them.
	Repeated   int     `json:"joined_cases"`
	NeedCases  int     `json:"needed_cases"` // for figures
	Cameras    int     `json:"cameras"`
	CameraDays float64 `json:"camera_days"` // that were watched and recorded
	Clips      int     `json:"clips"`
	// Points and Curve are empty where there are too few cases.
	Points []Point      `json:"points"`
	Curve  []CurvePoint `json:"curve"` // thresholds descend
}

// Point is what a threshold gives that keeps a rate of false alarms.
type Point struct {
	Rate     float64 `json:"false_alarms_per_camera_day_at_most"`
	NeedDays float64 `json:"needed_camera_days"` // for the rate to be measured
	// Measured is nil where too little was watched for the rate.
	Measured *Measured `json:"measured,omitempty"`
}

// Measured is what was counted at the lowest threshold that keeps a rate. It is P_miss
// at a rate of false alarms as ActEV has it: missed cases over all cases, where false
// alarms over the time that was watched are no more than the rate (NIST, ActEV 2021
// Sequestered Data Leaderboard Evaluation Plan; usnistgov/ActEV_Scorer, lib/metrics.py).
// Its rate is per minute of video, and its scorer interpolates between the neighbouring
// thresholds; this is the one that a rule can have.
type Measured struct {
	Threshold   float64 `json:"threshold"` // contrast to raise at
	Found       int     `json:"found"`     // cases with an alert
	Missed      int     `json:"missed"`    // cases without one
	FalseAlarms int     `json:"false_alarms"`
	// PMiss is the share of missed cases, PerDay the false alarms per camera-day, and
	// Precision the share of alerts that match a case; nil: nothing is raised. Their
	// intervals take the threshold as given, and cases as independent.
	PMiss     Estimate  `json:"p_miss"`
	PerDay    Estimate  `json:"false_alarms_per_camera_day"`
	Precision *Estimate `json:"precision,omitempty"`
}

// CurvePoint is what was counted at one of the thresholds that were tried.
type CurvePoint struct {
	Threshold   float64 `json:"threshold"`
	Found       int     `json:"found"`
	FalseAlarms int     `json:"false_alarms"`
	Recall      float64 `json:"recall"`
	Precision   float64 `json:"precision"`
}

// enough is whether there are cases enough for figures.
func (j *Judgement) enough() bool { return j.Cases >= j.NeedCases }

// allowed is how many false alarms a rate allows for in the time that was watched.
func (j *Judgement) allowed(rate float64) int { return int(rate*j.CameraDays + 1e-9) }

// take fills in what a sweep found.
func (j *Judgement) take(s *sweep) {
	tried := slices.Clone(s.curve)
	for _, r := range Rates() {
		p := Point{Rate: r, NeedDays: LeastFalse / r}
		if n := j.allowed(r); n >= LeastFalse {
			t := s.within(n)
			p.Measured = j.measured(t)
			tried = append(tried, t)
		}
		j.Points = append(j.Points, p)
	}
	slices.SortFunc(tried, func(a, b tally) int { return compare(b.level, a.level) })
	for _, t := range slices.CompactFunc(tried, func(a, b tally) bool { return a.alerts == b.alerts && a.found == b.found }) {
		if t.alerts > 0 {
			j.Curve = append(j.Curve, CurvePoint{logistic(t.level), t.found, t.false(), float64(t.found) / float64(j.Cases), float64(t.found) / float64(t.alerts)})
		}
	}
}

func (j *Judgement) measured(t tally) *Measured {
	m := &Measured{
		Threshold: logistic(t.level), Found: t.found, Missed: j.Cases - t.found, FalseAlarms: t.false(),
		PMiss: share(j.Cases-t.found, j.Cases), PerDay: rate(t.false(), j.CameraDays),
	}
	if t.alerts > 0 {
		precision := share(t.found, t.alerts)
		m.Precision = &precision
	}
	return m
}

// Refusals say what can't be told, and what it would need.
func (j *Judgement) Refusals() (out []string) {
	if !j.enough() {
		return []string{fmt.Sprintf("%s: %d of the %d cases that figures need", j.Name, j.Cases, j.NeedCases)}
	}
	for _, p := range j.Points {
		if p.Measured == nil {
			out = append(out, fmt.Sprintf("%s: %g false alarms per camera-day can't be measured on %.3g camera-days: %.3g are needed", j.Name, p.Rate, j.CameraDays, p.NeedDays))
		}
	}
	return out
}
