package alerts

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

func TestBadRecordsDoNotStopTheStage(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	evil := func(size int) []byte {
		const shape = `{"specversion":"1.0","id":"x","source":"s","type":"%s","data":{}}`
		return fmt.Appendf(nil, shape, strings.Repeat("A", size-len(shape)+2))
	}
	const letter = 2 << 10 // a generous bound on what a dead letter adds
	for _, size := range []int{200, 2500 << 10, topics.MaxRecordBytes - letter, topics.MaxRecordBytes - 200} {
		c.send(t, topics.Actions, "lobby", evil(size))
	}
	epoch := recent()
	ahead := clipAt(time.Now().Add(24*time.Hour), 0, fall(.9))
	c.recognise(t, ahead, clipAt(epoch, 0, fall(.9)))
	log := &bytes.Buffer{} // read when the stage has ended
	_, stop, _ := c.run(t, Options{Rules: ruleSet(t, fallRule()), Logger: slog.New(slog.NewTextHandler(log, nil))})
	if a := c.awaitAlerts(t, 1)[0]; a.OnsetClip != clipAt(epoch, 0).ClipID {
		t.Errorf("raised %+v", a)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	var sizes []int
	for _, m := range c.all(t, topics.DeadLetter) {
		sizes = append(sizes, len(m.Value))
		if why := (bus.HeaderCarrier{Headers: &m.Headers}).Get(topics.HeaderReason); why == "" || len(why) > 500 || !utf8.ValidString(why) {
			t.Errorf("reason of %d bytes: %q", len(why), why)
		}
	}
	if len(sizes) != 4 || !slices.Equal(sizes[:3], []int{200, 2500 << 10, topics.MaxRecordBytes - letter}) {
		t.Errorf("dead letters of %d bytes", sizes)
	}
	if n := strings.Count(log.String(), "dead letter is refused"); n != 1 {
		t.Errorf("%d refused dead letters are logged", n)
	}
}

func TestRestarts(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	epoch := recent()
	other := fallRule()
	other.Name = "other"
	_, stop, _ := c.run(t, Options{Rules: ruleSet(t, fallRule(), other)})
	c.recognise(t, clipAt(epoch, 0, fall(.9)), clipAt(epoch, 1, fall(.1)), clipAt(epoch, 2, fall(.9)))
	first := c.awaitAlerts(t, 6) // two raised, cleared and raised again
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	// Gone while nobody was here: cleared at once, without a clip.
	_, stop, _ = c.run(t, Options{Rules: ruleSet(t, fallRule())})
	if a := c.awaitAlerts(t, 7)[6]; a.Rule != "other" || a.State != topics.AlertCleared || a.Reason != "the rule was removed" {
		t.Errorf("got %+v", a)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	// A group that begins at the first clip publishes only what is new.
	s, _, _ := c.run(t, Options{Group: "anew", Rules: ruleSet(t, fallRule())})
	c.recognise(t, clipAt(epoch, 3, fall(.1)))
	last := c.awaitAlerts(t, 8)[7]
	active := slices.IndexFunc(first[4:], func(a topics.Alert) bool { return a.Rule == "fall" })
	if last.State != topics.AlertCleared || last.ID != first[4+active].ID {
		t.Errorf("got %+v", last)
	}
	// Rules replaced while it runs.
	c.recognise(t, clipAt(epoch, 4, fall(.9)))
	c.awaitAlerts(t, 9)
	s.SetRules(ruleSet(t, other))
	if a := c.awaitAlerts(t, 10)[9]; a.State != topics.AlertCleared || a.Rule != "fall" {
		t.Errorf("got %+v", a)
	}
}

func TestOldAlerts(t *testing.T) {
	for _, c := range []struct {
		name   string
		days   int
		listed bool
		want   topics.AlertState // of what follows
	}{
		{"six days old", 6, false, topics.AlertCleared},
		{"eight days old, and listed as open", 8, true, topics.AlertCleared},
		{"eight days old, and not listed", 8, false, topics.AlertRaised},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := startCluster(t)
			cl.ensure(t, 1)
			then := recent().AddDate(0, 0, -c.days)
			_, raised := play(newEngine(t, fallRule()), then, 0, .9)
			cl.publish(t, then, 0, raised[0])
			if c.listed {
				cl.list(t, "lobby/fall", raised[0])
			}
			cl.run(t, Options{Rules: ruleSet(t, fallRule())})
			second := fall(.1) // ends what was restored
			if c.want == topics.AlertRaised {
				second = fall(.9) // begins what was not
			}
			cl.recognise(t, clipAt(recent(), 0, second))
			if a := cl.awaitAlerts(t, 2)[1]; a.State != c.want || (a.ID == raised[0].ID) != (c.want == topics.AlertCleared) {
				t.Errorf("got %+v", a)
			}
		})
	}
}

func TestAnOutageIsNoSilence(t *testing.T) {
	const silence = 6 * time.Second
	c := startCluster(t)
	c.ensure(t, 1)
	c.run(t, Options{Rules: ruleSet(t, fallRule()), NoClips: silence})
	c.recognise(t, clipAt(recent(), 0, fall(.9)))
	c.awaitAlerts(t, 1)
	c.broker.Close()
	time.Sleep(silence + time.Second) // the outage must outlast the silence allowed
	back := time.Now()
	c.start(t)
	a := c.awaitAlerts(t, 2)[1]
	if took := time.Since(back); took < silence*2/3 {
		t.Errorf("cleared %v after Kafka was back: the outage counted as silence", took)
	}
	if a.State != topics.AlertCleared || a.Reason != "no clip for 6s" {
		t.Errorf("got %+v", a)
	}
}

func TestPartitionsMustMatch(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 2)
	_, stop, done := c.run(t, Options{})
	select {
	case <-done:
	case <-time.After(patient):
		t.Error("it goes on")
	}
	if err := stop(); err == nil || !strings.Contains(err.Error(), "t.actions and t.alerts have 1 and 2 partitions") {
		t.Errorf("got %v", err)
	}
}
