package calibrate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
)

// process makes what a camera shows: things happen at random, and last for several
// windows, which overlap by half and so are much alike.
type process struct {
	name string
	tail func(*rand.Rand) float64 // how far a happening exceeds what is usual, in log odds
}

func processes() []process {
	return []process{
		{"exponential", func(r *rand.Rand) float64 { return 0.8 * r.ExpFloat64() }},
		{"normal", func(r *rand.Rand) float64 { return 1.5 * math.Abs(r.NormFloat64()) }},
		{"heavier than exponential", func(r *rand.Rand) float64 { return 0.8 / 0.15 * (math.Pow(r.Float64(), -0.15) - 1) }},
	}
}

// The clips of a simulated camera.
const (
	simStride = 10 * time.Second
	simWindow = 20 * time.Second
)

// record simulates a camera's past. perHour is how many things happen an hour.
func (p process) record(random *rand.Rand, length time.Duration, perHour float64) *series {
	s := newSeries(1)
	noise, left, height := 0.0, 0, 0.0
	for at := time.Duration(0); at < length; at += simStride {
		noise = 0.6*noise + 0.8*random.NormFloat64()
		if left == 0 && random.Float64() < perHour*simStride.Hours() {
			left, height = 2+int(3*random.ExpFloat64()), p.tail(random)
		}
		v := -6 + 0.4*noise
		if left > 0 {
			left--
			v = -4.5 + height + 0.2*noise
		}
		start := t0.Add(at)
		s.add(t0, start, start.Add(simWindow), func(int) float32 { return float32(v) })
	}
	return s
}

// simRule allows for four false alarms a day.
func simRule() alerts.Rule {
	return alerts.Rule{
		Name: "r", Actions: []string{"a"}, Clips: alerts.ClipsRule{N: 2, M: 3}, Cooldown: time.Minute,
		FalseAlarms: alerts.Budget{Count: 4, Per: 24 * time.Hour},
	}
}

// placeOf tries the simulated rule on a past.
func placeOf(t *testing.T, past *series) *placed {
	t.Helper()
	tr, err := newTrial("cam", simRule())
	if err != nil {
		t.Fatal(err)
	}
	p := &placed{camera: "cam", rule: alerts.Budgeted{Rule: simRule()}, trial: tr, clips: past.len()}
	p.heights = newHeights(tr, past, max(int(clearFactor*1.2*4*past.watched().Hours()/24), tailShare*maxTail))
	return p
}

// The levels are those at which the rule really raises so often.
func TestCountedLevelsAreExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	past := processes()[0].record(random, 10*24*time.Hour, 11)
	p := placeOf(t, past)
	l, ok := p.own(4)
	if !ok || l.byTail {
		t.Fatalf("%+v, %v", l, ok)
	}
	if n := len(p.trial.run(past, l.raise, l.clear)); n < 38 || n > 41 {
		t.Errorf("%d alerts at the level for 40", n)
	}
	if n := len(p.trial.run(past, l.clear, l.clear)); n < 360 || n > 440 {
		t.Errorf("%d alerts at the clear level, want about 400", n)
	}
	// Clips that come nowhere near change nothing.
	if a, b := p.trial.run(past, l.raise, l.clear), p.trial.run(p.near, l.raise, l.clear); len(a) != len(b) {
		t.Errorf("%d alerts on the whole past, %d on the clips that matter", len(a), len(b))
	}
}

// A long event is one happening, however many windows show it.
func TestALongEventCountsOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	usual := processes()[0].record(random, 10*24*time.Hour, 11)
	long := *usual
	long.columns = [][]float32{slices.Clone(usual.columns[0])}
	for i := 40000; i < 40360; i++ { // an hour
		long.columns[0][i] = 12
	}
	a, _ := placeOf(t, usual).own(4)
	b, ok := placeOf(t, &long).own(4)
	if !ok || math.Abs(a.raise-b.raise) > 0.2 {
		t.Errorf("raise at %v, with an event of an hour at %v", a.raise, b.raise)
	}
}

// A past that says nothing gives a threshold that does not stand in the way of what
// happens later, and no number that is none.
func TestPastsThatSayNothing(t *testing.T) {
	flat := func(n int, v float32) *series {
		s := newSeries(1)
		for i := range n {
			start := t0.Add(time.Duration(i) * simStride)
			s.add(t0, start, start.Add(simWindow), func(int) float32 { return v })
		}
		return s
	}
	two := flat(30000, -3)
	for i := range two.columns[0] {
		if i%2 == 0 {
			two.columns[0][i] = -4
		}
	}
	for name, past := range map[string]*series{
		"none": flat(0, 0), "one clip": flat(1, 1), "all equal": flat(30000, -3), "all zero": flat(30000, float32(logit(0))),
		"all one": flat(30000, float32(logit(1))), "two values": two, "no number": flat(30000, float32(logit(math.NaN()))),
	} {
		p := placeOf(t, past)
		l, ok := p.own(4)
		if !ok {
			l = p.learning(nil)
		}
		raise, low := logistic(l.raise), logistic(l.clear)
		if raise <= 0 || raise > 1 || low <= 0 || low > raise || math.IsNaN(raise+low) {
			t.Errorf("%s: raise %v, low %v", name, raise, low)
		}
		if n := len(p.trial.run(past, l.raise, l.clear)); name != "all one" && n > 0 {
			t.Errorf("%s: %d alerts on what is usual", name, n)
		}
		if name != "all one" && raise > 0.99 {
			t.Errorf("%s: raises at %v: nothing could", name, raise)
		}
	}
}

// What people marked as true is left out.
func TestTruthIsLeftOut(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	past := processes()[0].record(random, 10*24*time.Hour, 11)
	var marked []interval
	for i := 1000; i < past.len(); i += 1000 { // 86 events, more than twice the budget
		for j := range 20 {
			past.columns[0][i+j] = 8
		}
		at := time.Unix(0, past.ends[i])
		marked = append(marked, interval{at.Add(-30 * time.Second), at.Add(4 * time.Minute)})
	}
	with, _ := placeOf(t, past).own(4)
	without, ok := placeOf(t, past.without(marked)).own(4)
	if !ok || with.raise < 6 || without.raise > 1 {
		t.Errorf("raise at %v, without the marked at %v", with.raise, without.raise)
	}
}
