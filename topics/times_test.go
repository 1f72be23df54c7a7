package topics

import (
	"errors"
	"testing"
	"time"
)

func TestStridesAreRead(t *testing.T) {
	for text, want := range map[string]Stride{
		"": {}, "4 steps": {Steps: 4}, "1 step": {Steps: 1}, " 12steps ": {Steps: 12}, "2.133s": {Time: 2133 * time.Millisecond}, "0": {},
	} {
		var s Stride
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q: %+v, %v; want %+v", text, s, err, want)
		}
		var again Stride
		if b, err := s.MarshalText(); err != nil || again.UnmarshalText(b) != nil || again != want {
			t.Errorf("%q is written as %q, read as %+v", text, b, again)
		}
	}
	for _, text := range []string{"4", "steps", "0 steps", "-1 steps", "4 stepss", "1.5 steps", "100001 steps", "4 parsec"} {
		if err := (&Stride{}).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestTimesAreChecked(t *testing.T) {
	const window = 4267 * time.Millisecond
	if d := (Stride{Steps: 4}).Of(window); d.Round(time.Millisecond) != 2419*time.Millisecond || (d-4*Step(window)).Abs() > 4 {
		t.Errorf("4 steps are %v, a step %v", d, Step(window))
	}
	for _, c := range []struct {
		window time.Duration
		stride Stride
		want   string // empty: accepted
	}{
		{window, Stride{Steps: 4}, ""},
		{window, Stride{Time: 2133 * time.Millisecond}, ""},
		{5 * time.Minute, Stride{Steps: 1}, ""},
		{time.Hour, Stride{Steps: 4}, "window of 1h0m0s: want 100ms to 5m0s"},
		{0, Stride{Steps: 4}, "window of 0s: want 100ms to 5m0s"},
		{window, Stride{}, "stride of 0s: want 50ms to 1h0m0s"},
		{window, Stride{Time: -1}, "stride of -1ns: want 50ms to 1h0m0s"},
		{100 * time.Millisecond, Stride{Steps: 3}, "stride of 3 steps (42.522321ms): want 50ms to 1h0m0s"},
		{5 * time.Minute, Stride{Steps: 100}, "stride of 100 steps (1h10m52.232142857s): want 50ms to 1h0m0s"},
		{time.Minute, Stride{Time: 100 * time.Millisecond}, "stride of 100ms in a window of 1m0s: want at least a hundredth of it"},
	} {
		err := CheckTimes(c.window, c.stride)
		var wrong *TimesError
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &wrong) || err.Error() != c.want) {
			t.Errorf("window %v, stride %v: %v, want %q", c.window, c.stride, err, c.want)
		}
	}
}

// A time that can be read in its own zone and not be written in another would end what
// shows alerts.
func TestTimesThatCanNotBeWrittenAreRefused(t *testing.T) {
	for _, text := range []string{"9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59"} {
		odd, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		onset, end, s, w := fullAlert(AlertRaised), fullAlert(AlertRaised), fullSilence(), fullWithheld()
		onset.Onset, end.At, s.At, s.Until, w.At = odd, odd, odd, odd, odd
		for name, v := range map[string]validator{"onset": onset, "at": end, "silence": s, "withheld": w,
			"profile": Profile{Name: "home", At: odd}, "an earlier profile": Profile{Name: "home", At: at, Earlier: []ProfileSpan{{"away", odd, odd}}}} {
			if v.Validate() == nil {
				t.Errorf("%s: %s is accepted", name, text)
			}
		}
	}
}
