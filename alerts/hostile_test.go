package alerts

import (
	"fmt"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

// A clip's id as long as records may have raises and clears its alert.
func TestTheLongestClipIDRaises(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	epoch := recent()
	raise, ends := clipAt(epoch, 0, fall(.9)), clipAt(epoch, 1, fall(0))
	raise.ClipID = strings.Repeat("c", 512)
	c.recognise(t, raise, ends)
	_, stop, _ := c.run(t, Options{Rules: ruleSet(t, fallRule())})
	if got := c.awaitAlerts(t, 2); got[0].OnsetClip != raise.ClipID || got[1].ID != got[0].ID {
		t.Errorf("alerts %+v", got)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// What a foreign producer writes and no alert can carry costs that record alone.
func TestWhatNoAlertCanCarryIsADeadLetter(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	epoch := recent()
	bad := clipAt(epoch, 0, fall(.9))
	bad.Labels[0].NearestBase = "NEAREST"
	value, err := topics.EncodeRecognition(bad)
	if err != nil {
		t.Fatal(err)
	}
	c.send(t, topics.Actions, "lobby", []byte(strings.Replace(string(value), "NEAREST", `a\u202eb`, 1)))
	good := clipAt(epoch, 1, fall(.9))
	c.recognise(t, good)
	_, stop, _ := c.run(t, Options{Rules: ruleSet(t, fallRule())})
	if got := c.awaitAlerts(t, 1); got[0].OnsetClip != good.ClipID {
		t.Errorf("raised %+v", got[0])
	}
	if n := len(c.all(t, topics.DeadLetter)); n != 1 {
		t.Errorf("%d dead letters", n)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// A partition of which nothing can be read makes progress, and no alert. That is
// reported until something can be read again.
func TestAPartitionOfUnreadableRecordsIsReported(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	r := stagetest.NewReports()
	c.run(t, Options{Rules: ruleSet(t, fallRule()), Reporter: r})
	for i := range manyUnreadable {
		c.send(t, topics.Actions, "lobby", fmt.Appendf(nil, "not a record %d", i))
	}
	r.AwaitWarning(t, "recognitions of partition 0", fmt.Sprintf("the last %d can't be read", manyUnreadable))
	c.recognise(t, clipAt(recent(), 0, fall(.1)))
	r.AwaitWarning(t, "recognitions of partition 0", "")
}
