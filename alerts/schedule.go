package alerts

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a small image has no time zones of its own
)

// Schedule is a part of the week: the named days, between From and To by the clock
// on the wall in Timezone. Where From is later than To it runs over midnight, and the
// day is that on which it began. When the clocks change, the times that the wall
// shows count: an hour that is left out is in no schedule, and one that comes twice is
// in it both times. So from 02:30 begins at 03:00 where the clock goes from 02:00 to
// 03:00, and from 02:15 to 02:45 there is nothing on that day.
type Schedule struct {
	Days     string `yaml:"days"`     // "mon-fri", "sat,sun"; empty: every day
	From     string `yaml:"from"`     // "HH:MM"; empty: 00:00
	To       string `yaml:"to"`       // "HH:MM" up to 24:00; empty: 24:00
	Timezone string `yaml:"timezone"` // a name of the IANA database; empty: UTC
}

const minutesOfDay = 24 * 60

// hours is a parsed schedule.
type hours struct {
	days     [7]bool // by time.Weekday
	from, to int     // minutes of the day
	zone     *time.Location
}

func everyDay() [7]bool { return [7]bool{true, true, true, true, true, true, true} }

func (s Schedule) parse() (hours, error) {
	h := hours{to: minutesOfDay}
	var err error
	if h.days, err = parseDays(s.Days); err != nil {
		return h, err
	}
	if s.From != "" {
		if h.from, err = parseMinutes(s.From); err != nil {
			return h, fmt.Errorf("from: %w", err)
		}
		if h.from == minutesOfDay {
			return h, fmt.Errorf("from: %q: want HH:MM from 00:00 to 23:59", s.From)
		}
	}
	if s.To != "" {
		if h.to, err = parseMinutes(s.To); err != nil {
			return h, fmt.Errorf("to: %w", err)
		}
	}
	if h.from == h.to {
		return h, fmt.Errorf("from and to are both %02d:%02d", h.from/60, h.from%60)
	}
	if strings.EqualFold(s.Timezone, "local") { // it may differ from worker to worker
		return h, fmt.Errorf("timezone %q: want a name such as Europe/Berlin", s.Timezone)
	}
	if h.zone, err = time.LoadLocation(s.Timezone); err != nil {
		return h, fmt.Errorf("timezone %q: want a name such as Europe/Berlin: %w", s.Timezone, err)
	}
	return h, nil
}

const dayNames = "sun mon tue wed thu fri sat"

func parseDays(text string) (days [7]bool, err error) {
	if strings.TrimSpace(text) == "" {
		return everyDay(), nil
	}
	names := strings.Fields(dayNames)
	index := func(s string) int {
		for i, n := range names {
			if strings.EqualFold(strings.TrimSpace(s), n) {
				return i
			}
		}
		return -1
	}
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, b := index(first), index(last)
		if a < 0 || b < 0 {
			return days, fmt.Errorf("days %q: want names such as mon-fri or sat,sun", text)
		}
		for d := a; ; d = (d + 1) % 7 {
			days[d] = true
			if d == b {
				break
			}
		}
	}
	return days, nil
}

var minutesText = regexp.MustCompile(`^([01]\d|2[0-4]):([0-5]\d)$`)

func parseMinutes(text string) (int, error) {
	m := minutesText.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q: want HH:MM from 00:00 to 24:00", text)
	}
	h, _ := strconv.Atoi(m[1]) // the pattern lets only digits through
	minute, _ := strconv.Atoi(m[2])
	if total := 60*h + minute; total <= minutesOfDay {
		return total, nil
	}
	return 0, fmt.Errorf("%q: want HH:MM from 00:00 to 24:00", text)
}

// on is whether t falls within the hours.
func (h hours) on(t time.Time) bool {
	const day = 24 * 60 * 60
	_, offset := t.In(h.zone).Zone()
	clock := t.Unix() + int64(offset) // of the wall: a date's parts would take longer
	second := (clock%day + day) % day
	return h.at(time.Weekday(((clock-second)/day%7+7+int64(time.Thursday))%7), int(second/60)) // 1970 began on a Thursday
}

// at is whether a minute of a day, by the clock on the wall, falls within the hours.
func (h hours) at(day time.Weekday, minute int) bool {
	today, yesterday := h.days[day], h.days[(day+6)%7]
	if h.from < h.to {
		return today && minute >= h.from && minute < h.to
	}
	return today && minute >= h.from || yesterday && minute < h.to
}
