package alerts

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Budget is how many false alarms a rule may raise in a time, on each camera or on
// all of its cameras together. The zero value is no budget.
type Budget struct {
	Count int
	Per   time.Duration // an hour, a day, a week or 30 days
	InAll bool
}

const day = 24 * time.Hour

var budgetText = regexp.MustCompile(`^\s*(\d{1,6})\s+(?:per|an?)\s+(hour|day|week|month)(\s+in\s+all)?\s*$`)

func budgetTimes() map[string]time.Duration {
	return map[string]time.Duration{"hour": time.Hour, "day": day, "week": 7 * day, "month": 30 * day}
}

// UnmarshalText reads "1 per week" or "4 per day in all".
func (b *Budget) UnmarshalText(text []byte) error {
	m := budgetText.FindSubmatch(text)
	if m == nil {
		return fmt.Errorf("false_alarms %q: want a number per hour, day, week or month, as 1 per week, or 4 per day in all for all cameras together", text)
	}
	count, _ := strconv.Atoi(string(m[1])) // the pattern lets only digits through
	if count == 0 {
		return fmt.Errorf("false_alarms %q: want at least 1: no threshold rules out every false alarm", text)
	}
	*b = Budget{Count: count, Per: budgetTimes()[string(m[2])], InAll: len(m[3]) > 0}
	return nil
}

// String is the budget as it is written in a rule; empty for none.
func (b Budget) String() string {
	for name, per := range budgetTimes() {
		if per == b.Per {
			text := fmt.Sprintf("%d per %s", b.Count, name)
			if b.InAll {
				text += " in all"
			}
			return text
		}
	}
	return ""
}

// MarshalText writes String.
func (b Budget) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// PerDay is the budget as a rate for one of so many cameras.
func (b Budget) PerDay(cameras int) float64 {
	if b.Per <= 0 {
		return 0
	}
	rate := float64(b.Count) * float64(day) / float64(b.Per)
	if b.InAll {
		rate /= float64(max(cameras, 1))
	}
	return rate
}
