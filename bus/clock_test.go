package bus

import (
	"testing"
	"time"
)

// fakeClock is a machine's: the wall's can be set, and what has passed can't.
type fakeClock struct{ reading }

func (f *fakeClock) look() reading { return f.reading }

func (f *fakeClock) pass(d time.Duration) {
	f.wall, f.passed = f.wall.Add(d), f.passed+d
}

// A sender's clock that is wrong changes no age: "now" is worked out from when the
// broker says that it appended our records.
func TestTheBrokersClockIsEstimated(t *testing.T) {
	ours := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const ahead = time.Hour
	f := &fakeClock{reading{wall: ours}}
	c := clock{read: f.look}
	is := func(what string, want time.Duration) {
		t.Helper()
		if got := c.now().Sub(f.wall); got != want {
			t.Errorf("%s: the broker's clock is estimated %v ahead, want %v", what, got, want)
		}
	}
	is("nothing is known", 0)
	c.note(time.Second, time.Time{})
	is("a topic that keeps producers' times", 0)
	c.note(100*time.Millisecond, f.wall.Add(ahead-50*time.Millisecond))
	is("a record was appended", ahead)
	f.pass(30 * time.Second)
	c.note(10*time.Second, f.wall.Add(ahead-5*time.Second+time.Second))
	is("a longer call soon after", ahead)
	f.pass(2 * time.Minute)
	c.note(10*time.Second, f.wall.Add(ahead-5*time.Second+2*time.Second))
	is("a longer call, and the estimate is old", ahead+2*time.Second)
	c.note(time.Second, f.wall.Add(ahead-time.Second/2))
	is("a short call is more exact", ahead)
}

// Somebody sets this machine's clock, by hours and either way: no record is older or younger
// for that, whether the broker is on another machine or on this one.
func TestAClockThatIsSet(t *testing.T) {
	for _, jump := range []time.Duration{30 * time.Hour, -30 * time.Hour, 3 * time.Hour, -3 * time.Hour} {
		f := &fakeClock{reading{wall: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
		c := clock{read: f.look}
		c.note(0, f.wall)
		was := f.wall
		f.pass(10 * time.Second)
		f.wall = f.wall.Add(jump)
		if got := c.now().Sub(was); got != 10*time.Second {
			t.Errorf("set by %v: the broker's clock is taken for set by %v", jump, got-10*time.Second)
		}
		if got := c.age(was); got.Abs() > 10*time.Second {
			t.Errorf("set by %v: a record of 10 s before is %v old", jump, got)
		}
		// The broker's is the same clock: its new records have new times.
		if got := c.age(f.wall); got != 0 {
			t.Errorf("set by %v with the broker's: a new record is %v old", jump, got)
		}
		c.note(time.Millisecond, f.wall)
		if got := c.now().Sub(f.wall); got.Abs() > time.Millisecond {
			t.Errorf("set by %v with the broker's: after a record the estimate is %v off", jump, got)
		}
	}
}
