package bus

import (
	"testing"
	"time"
)

func TestASilenceOfTheCoordinatorIsNoticed(t *testing.T) {
	begin := time.Unix(1_700_000_000, 0)
	at := begin.Add
	for _, c := range []struct {
		name string
		do   func(c *contact)
		when time.Duration
		want time.Duration
	}{
		{"a new member", func(*contact) {}, time.Hour, 0},
		{"heartbeats", func(c *contact) { c.answered(at(500*time.Millisecond), 0) }, time.Second, 0},
		{"an answer after a silence", func(c *contact) { c.answered(at(7*time.Second), 0) }, 8 * time.Second, absentTime - time.Second},
		{"it is silent still", func(*contact) {}, 7 * time.Second, absentTime},
		{"a rebalance that took its time", func(c *contact) { c.answered(at(rebalanceTime+time.Second), rebalanceTime) }, rebalanceTime + time.Second, 0},
		{"a silence in a rebalance", func(c *contact) { c.answered(at(20*time.Second), rebalanceTime) }, 20 * time.Second, absentTime},
		{"heartbeats after a silence", func(c *contact) { c.answered(at(7*time.Second), 0); c.answered(at(8*time.Second), 0) }, 8 * time.Second, absentTime - time.Second},
		{"waited long enough", func(c *contact) {
			c.answered(at(7*time.Second), 0)
			c.answered(at(11*time.Second), 0)
			c.answered(at(13*time.Second), 0)
		}, 13 * time.Second, 0},
		{"all are back", func(c *contact) { c.answered(at(7*time.Second), 0); c.complete() }, 8 * time.Second, 0},
		{"forgotten after a short restart", func(c *contact) { c.answered(at(2*time.Second), 0); c.forgotten(at(2 * time.Second)) }, 2 * time.Second, absentTime},
	} {
		t.Run(c.name, func(t *testing.T) {
			var have contact
			if c.name != "a new member" {
				have.answered(begin, 0)
			}
			c.do(&have)
			if got := have.silence(at(c.when)); got != c.want {
				t.Errorf("others may be missing for %v more, want %v", got, c.want)
			}
		})
	}
}
