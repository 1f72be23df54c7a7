package alerts

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// The clock on the wall decides when clocks are changed, whatever a zone does.
func TestSchedulesWhenClocksChange(t *testing.T) {
	for _, c := range []struct {
		name                 string
		from, to, days, zone string
		on, off              []string // instants
	}{
		{"begins in the hour that is left out", "02:30", "06:00", "", "Europe/Berlin",
			[]string{"2026-03-29T01:00:00Z", "2026-03-29T03:59:59Z"}, []string{"2026-03-29T00:59:59Z", "2026-03-29T04:00:00Z"}},
		{"ends in the hour that is left out", "22:00", "02:30", "sat", "Europe/Berlin",
			[]string{"2026-03-28T21:00:00Z", "2026-03-29T00:59:59Z"}, []string{"2026-03-28T20:59:59Z", "2026-03-29T01:00:00Z"}},
		{"all of it is left out", "02:15", "02:45", "", "Europe/Berlin",
			[]string{"2026-03-28T01:15:00Z", "2026-03-30T00:15:00Z"}, []string{"2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z"}},
		{"within the hour that comes twice", "02:15", "02:45", "", "Europe/Berlin",
			[]string{"2026-10-25T00:15:00Z", "2026-10-25T01:15:00Z"}, []string{"2026-10-25T00:14:59Z", "2026-10-25T00:45:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:45:00Z"}},
		{"ends in the hour that comes twice", "22:00", "02:30", "sat", "Europe/Berlin",
			[]string{"2026-10-25T00:29:59Z", "2026-10-25T01:00:00Z"}, []string{"2026-10-25T00:30:00Z", "2026-10-25T00:59:59Z", "2026-10-25T01:30:00Z"}},
		{"a midnight that is left out", "23:00", "00:30", "thu", "Africa/Cairo", // Friday begins at 01:00
			[]string{"2024-04-25T21:00:00Z", "2024-04-25T21:59:59Z"}, []string{"2024-04-25T20:59:59Z", "2024-04-25T22:00:00Z"}},
		{"a day that begins at one", "00:00", "02:00", "fri", "Africa/Cairo",
			[]string{"2024-04-25T22:00:00Z", "2024-04-25T22:59:59Z"}, []string{"2024-04-25T21:59:59Z", "2024-04-25T23:00:00Z"}},
		{"the hour before midnight comes twice", "23:00", "24:00", "thu", "Africa/Cairo",
			[]string{"2024-10-31T20:00:00Z", "2024-10-31T21:59:59Z"}, []string{"2024-10-31T19:59:59Z", "2024-10-31T22:00:00Z"}},
		{"half an hour is left out", "02:15", "03:00", "", "Australia/Lord_Howe", // 02:00 is 02:30
			[]string{"2026-10-03T15:30:00Z", "2026-10-03T15:59:59Z"}, []string{"2026-10-03T15:29:59Z", "2026-10-03T16:00:00Z"}},
		{"half an hour comes twice", "01:45", "02:15", "", "Australia/Lord_Howe", // 02:00 is 01:30
			[]string{"2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"}, []string{"2026-04-04T14:44:59Z", "2026-04-04T15:00:00Z", "2026-04-04T15:45:00Z"}},
		{"a day that never was", "00:00", "24:00", "fri", "Pacific/Apia", // after Thursday, 29 December 2011, came Saturday
			[]string{"2011-12-23T12:00:00Z"}, []string{"2011-12-30T09:59:59Z", "2011-12-30T10:00:00Z", "2011-12-31T09:59:59Z"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := Schedule{Days: c.days, From: c.from, To: c.to, Timezone: c.zone}.parse()
			if err != nil {
				t.Fatal(err)
			}
			for want, instants := range map[bool][]string{true: c.on, false: c.off} {
				for _, text := range instants {
					at, err := time.Parse(time.RFC3339, text)
					if err != nil {
						t.Fatal(err)
					}
					if h.on(at) != want {
						t.Errorf("on is %v at %s, which is %s", !want, text, at.In(h.zone).Format("Mon 15:04:05 MST"))
					}
				}
			}
		})
	}
}

// Minute by minute through a year with changes of clocks, in zones that do it each
// in its own way: a schedule is the set of minutes on an unbroken local time line,
// from its beginning on each of its days to its end, on that day or the next.
func TestSchedulesThroughAYear(t *testing.T) {
	for _, c := range []struct {
		zone string
		year int
	}{
		{"Europe/Berlin", 2026}, {"America/New_York", 2026}, {"Australia/Lord_Howe", 2026}, {"Africa/Cairo", 2024}, {"America/Sao_Paulo", 2018},
		{"America/Havana", 2025}, {"Antarctica/Troll", 2026}, {"Africa/Casablanca", 2026}, {"Pacific/Apia", 2011}, {"Asia/Kathmandu", 2026},
	} {
		t.Run(c.zone, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(c.year), uint64(len(c.zone))))
			for range 3 {
				from := r.IntN(minutesOfDay)
				h := hours{from: from, to: (from+1+r.IntN(minutesOfDay-1))%minutesOfDay + 1}
				for d := range h.days {
					h.days[d] = r.IntN(3) > 0
				}
				if h.from == h.to {
					continue
				}
				var err error
				if h.zone, err = time.LoadLocation(c.zone); err != nil {
					t.Fatal(err)
				}
				compareThroughYear(t, h, c.year)
			}
		})
	}
}

func compareThroughYear(t *testing.T, h hours, year int) {
	t.Helper()
	wrong := 0
	var offset int64
	var until time.Time // the offset holds until then
	for at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() == year; at = at.Add(time.Minute) {
		if until.IsZero() || !at.Before(until) {
			_, seconds := at.In(h.zone).Zone()
			offset = int64(seconds)
			if _, until = at.In(h.zone).ZoneBounds(); until.IsZero() {
				until = at.AddDate(1, 0, 0)
			}
		}
		if want := onTimeLine(h, (at.Unix()+offset)/60); h.on(at) != want {
			if wrong++; wrong < 5 {
				t.Errorf("%v from %d to %d: on is %v at %s", h.days, h.from, h.to, !want, at.In(h.zone))
			}
		}
	}
}

// onTimeLine is whether a minute of local time, counted from 1 January 1970, is
// within the hours.
func onTimeLine(h hours, minute int64) bool {
	length := int64(h.to - h.from)
	if length < 0 {
		length += minutesOfDay
	}
	today := minute / minutesOfDay
	for day := today - 1; day <= today; day++ {
		const thursday = 4 // the first day
		begins := day*minutesOfDay + int64(h.from)
		if h.days[(day+thursday)%7] && minute >= begins && minute < begins+length {
			return true
		}
	}
	return false
}

// In its quiet hours a rule raises nothing; an alert that is open stays, and is
// cleared as usual.
func TestQuietHours(t *testing.T) {
	const open, low = .9, .1
	quiet := &Schedule{From: "12:01", To: "12:02"} // clips 28 to 57 end in it
	for _, c := range []struct {
		name   string
		rule   Rule
		from   int
		scores []float64
		want   []string
	}{
		{"before", Rule{Quiet: quiet}, 27, []float64{open, open}, []string{"raised 27-27"}},
		{"raises nothing", Rule{Quiet: quiet}, 28, []float64{open, open}, nil},
		{"afterwards", Rule{Quiet: quiet}, 57, []float64{open, open}, []string{"raised 58-58"}},
		{"its clips don't count", Rule{Quiet: quiet, Clips: ClipsRule{2, 3}}, 56, []float64{open, open, open, open}, []string{"raised 58-59"}},
		{"stays open, is cleared, and not raised again", Rule{Quiet: quiet}, 27, []float64{open, open, low, open}, []string{"raised 27-27", "cleared 29"}},
		{"within a schedule", Rule{Quiet: quiet, Schedule: &Schedule{From: "12:00", To: "12:03"}}, 57, []float64{open, open}, []string{"raised 58-58"}},
		{"outside a schedule", Rule{Quiet: quiet, Schedule: &Schedule{From: "12:01", To: "12:02"}}, 0, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rule.Name, c.rule.Actions = "fall", []string{"fall"}
			if c.scores == nil {
				if _, err := NewRuleSet(c.rule); err == nil {
					t.Error("a rule that can never raise is accepted")
				}
				return
			}
			if got, _ := play(newEngine(t, c.rule), t0, c.from, c.scores...); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A worker that starts in quiet hours, or after them, raises what the one before it
// would have raised.
func TestQuietHoursAcrossARestart(t *testing.T) {
	rule := Rule{Name: "fall", Actions: []string{"fall"}, Clips: ClipsRule{2, 3}, Quiet: &Schedule{From: "12:01", To: "12:02"}}
	scores := slices.Repeat([]float64{.9}, 70)
	for i := 20; i < 45; i++ {
		scores[i] = .1
	}
	_, want := play(newEngine(t, rule), t0, 0, scores...)
	if len(want) != 3 || want[2].Onset != clipAt(t0, 58).Start {
		t.Fatalf("the example gives %+v", want)
	}
	for committed := range scores {
		again := newEngine(t, rule)
		var got []string
		for _, a := range want {
			if a.At.Before(clipAt(t0, committed).End) {
				again.Restore(a)
				got = append(got, a.EventID())
			}
		}
		for i := range committed {
			again.Warm(clipAt(t0, i, fall(scores[i])))
		}
		_, more := play(again, t0, committed, scores[committed:]...)
		for _, a := range more {
			got = append(got, a.EventID())
		}
		if w := eventIDs(want); !slices.Equal(got, w) {
			t.Errorf("restarted at %d: %q, want %q", committed, got, w)
		}
	}
}

func eventIDs(alerts []topics.Alert) (ids []string) {
	for _, a := range alerts {
		ids = append(ids, a.EventID())
	}
	return ids
}

func TestBadQuietHoursAreRefused(t *testing.T) {
	for want, r := range map[string]Rule{
		`quiet: from: "8:00": want HH:MM`:                     {Quiet: &Schedule{From: "8:00"}},
		"quiet: it covers all of the rule's hours: want some": {Quiet: &Schedule{}},
		"quiet: it covers all":                                {Quiet: &Schedule{From: "21:00", To: "07:00", Days: "fri-sun"}, Schedule: &Schedule{From: "22:00", To: "06:00", Days: "sat"}},
	} {
		r.Name, r.Novel = "r", true
		if _, err := NewRuleSet(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	fine := Rule{Name: "r", Novel: true, Quiet: &Schedule{Timezone: "Asia/Tokyo"}, Schedule: &Schedule{From: "22:00"}}
	if _, err := NewRuleSet(fine); err != nil {
		t.Errorf("zones are compared: %v", err)
	}
	if _, err := compileText("rules:\n  - name: a\n    novel: true\n    quiet: {day: mon}\n"); err == nil || !strings.Contains(err.Error(), "f.yaml:4: rules[0].quiet.day: unknown key") {
		t.Errorf("got %v", err)
	}
	if _, err := compileText("rules:\n  - name: a\n    novel: true\n    schedule: {days: mon}\n    quiet: {from: 25:00}\n"); err == nil || !strings.Contains(err.Error(), "f.yaml:5: rules[0]: rule \"a\": quiet: from") {
		t.Errorf("got %v", err)
	}
}
