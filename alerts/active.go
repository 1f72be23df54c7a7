package alerts

import (
	"fmt"
	"time"
)

// active is when a rule may raise alerts: within its schedule and outside its quiet
// hours. Clips at other times keep an alert open, but do not count towards one.
type active struct{ schedule, quiet *hours } // nil: always on, never quiet

func (a active) on(t time.Time) bool {
	return (a.schedule == nil || a.schedule.on(t)) && (a.quiet == nil || !a.quiet.on(t))
}

// active reads the rule's schedule and its quiet hours.
func (r Rule) active() (a active, errs []error) {
	read := func(key string, s *Schedule) *hours {
		if s == nil {
			return nil
		}
		h, wrong := s.parse()
		if wrong != nil {
			errs = append(errs, r.mistake(key, "%s: %w", key, wrong))
		}
		return &h
	}
	a.schedule, a.quiet = read("schedule", r.Schedule), read("quiet", r.Quiet)
	if len(errs) == 0 && a.never() {
		errs = append(errs, r.mistake("quiet", "quiet: it covers all of the rule's hours: want some in which it may raise an alert"))
	}
	if r.Absent == nil || len(errs) > 0 {
		return a, errs
	}
	if most := a.longest(); most > 0 && r.Absent.For > most {
		errs = append(errs, r.mistake("absent", "absent: for %v: its hours last %v at most, and it counts anew in each", r.Absent.For, most))
	}
	return a, errs
}

// never is whether quiet hours leave nothing of the week. Those in another time zone
// than the schedule's are not compared with it.
func (a active) never() bool {
	if a.quiet == nil || a.schedule != nil && a.schedule.zone.String() != a.quiet.zone.String() {
		return false
	}
	for day := range time.Weekday(7) {
		for minute := range minutesOfDay {
			if (a.schedule == nil || a.schedule.at(day, minute)) && !a.quiet.at(day, minute) {
				return false
			}
		}
	}
	return true
}

// longest is the longest stretch of the week in which the rule is on without a break;
// 0: it is never off, or its two time zones can't be compared.
func (a active) longest() time.Duration {
	if a.quiet != nil && a.schedule != nil && a.schedule.zone.String() != a.quiet.zone.String() {
		return 0
	}
	run, longest := 0, 0
	for i := range 2 * 7 * minutesOfDay { // twice, for what runs over the week's end
		day, minute := time.Weekday(i/minutesOfDay%7), i%minutesOfDay
		if run++; a.schedule != nil && !a.schedule.at(day, minute) || a.quiet != nil && a.quiet.at(day, minute) {
			run = 0
		}
		longest = max(longest, run)
	}
	if run == 2*7*minutesOfDay {
		return 0
	}
	return time.Duration(longest) * time.Minute
}

// mistake is an error about the value of one of the rule's keys.
func (r Rule) mistake(key, format string, args ...any) error {
	return &mistake{fmt.Errorf("rule %q: "+format, append([]any{r.Name}, args...)...), key}
}
