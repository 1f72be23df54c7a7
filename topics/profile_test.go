package topics

import (
	"fmt"
	"testing"
	"time"
)

// Who reads the record knows which profile was in force at each time of the last month.
func TestARecordNamesTheProfilesBefore(t *testing.T) {
	minute := func(n int) time.Time { return at.Add(time.Duration(n) * time.Minute) }
	said := func(p Profile) (text string) {
		for _, s := range p.Spans() {
			until := "now"
			if !s.Until.IsZero() {
				until = fmt.Sprint(s.Until.Sub(at).Minutes())
			}
			text += fmt.Sprintf("%s %v-%s ", s.Name, s.At.Sub(at).Minutes(), until)
		}
		return text
	}
	var p Profile
	for _, c := range []struct {
		name           string
		minute, forget int
		want           string
	}{
		{"", 0, -9, ""},
		{"home", 1, -9, "home 1-now "},
		{"away", 2, -9, "away 2-now home 1-2 "},
		{"away", 2, -9, "away 2-now home 1-2 "}, // at once again
		{"", 3, -9, "away 2-3 home 1-2 "},
		{"", 4, -9, "away 2-3 home 1-2 "},
		{"night", 5, -9, "night 5-now away 2-3 home 1-2 "},
		{"home", 6, 2, "home 6-now night 5-6 away 2-3 "},
		{"away", 4, 2, "away 4-now away 2-3 "}, // by a clock that is behind
		{"", 9, 8, "away 4-9 "},
	} {
		if p = p.Followed(c.name, "", minute(c.minute), minute(c.forget)); said(p) != c.want {
			t.Errorf("%s at %d: %s, want %s", c.name, c.minute, said(p), c.want)
		}
		if err := p.Validate(); p.Name != "" && err != nil {
			t.Error(err)
		}
	}
	for n := range 2 * MaxEarlier {
		p = p.Followed("home", "", minute(10+n), minute(0))
	}
	if raw, err := EncodeProfile(p); err != nil || len(p.Earlier) != MaxEarlier {
		t.Errorf("%d earlier ones, %v", len(p.Earlier), err)
	} else if back, err := DecodeProfile(raw); err != nil || said(back) != said(p) {
		t.Error(err)
	}
	for name, p := range map[string]Profile{
		"ends before it begins": {Name: "home", At: at, Until: at.Add(-1)},
		"one too many":          {Name: "home", At: at, Earlier: make([]ProfileSpan, MaxEarlier+1)},
		"a nameless one before": {Name: "home", At: at, Earlier: []ProfileSpan{{"", at, at}}},
		"one that ends before":  {Name: "home", At: at, Earlier: []ProfileSpan{{"away", at, at.Add(-1)}}},
	} {
		if p.Validate() == nil {
			t.Errorf("one that %s is accepted", name)
		}
	}
}
