package alerts

import (
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// A worker was suspended beyond its session, and woken: after the next worker had
// raised another alert it published the clear of its own. The alert that is open
// must still be cleared when scores fall, by workers that start later too.
func TestAStaleClearIsNotTakenForThatOfTheOpenAlert(t *testing.T) {
	epoch := recent()
	_, first := play(newEngine(t, fallRule()), epoch, 0, .9, .1) // raised and cleared
	_, second := play(newEngine(t, fallRule()), epoch, 2, .9)
	for _, c := range []struct {
		name string
		log  func(c *cluster)
	}{
		{"by its id", func(c *cluster) { c.publish(t, time.Time{}, 0, first[0], first[1], second[0], first[1]) }},
		{"by its generation", func(c *cluster) {
			for range 2 { // so that the group is at its third generation
				_, stop, _ := c.run(t, Options{})
				c.awaitHeld(t)
				if err := stop(); err != nil {
					t.Fatal(err)
				}
			}
			stale := second[0] // the open one itself, by a worker that saw no clip while it was suspended
			stale.State, stale.Reason = topics.AlertCleared, "no clip for 1m0s"
			c.publish(t, time.Time{}, 2, second[0])
			c.publish(t, time.Time{}, 1, stale)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := startCluster(t)
			cl.ensure(t, 1)
			c.log(cl)
			before := len(cl.alerts(t))
			cl.run(t, Options{Rules: ruleSet(t, fallRule())})
			cl.recognise(t, clipAt(epoch, 3, fall(.1)))
			if a := cl.awaitAlerts(t, before+1)[before]; a.State != topics.AlertCleared || a.ID != second[0].ID || a.Reason != "the contrast fell" {
				t.Errorf("got %+v", a)
			}
			cl.awaitOpen(t)
		})
	}
}

// Alerts that a worker left without a clear, and a table that it left behind its
// alerts, are mended by the next one.
func TestWhatAWorkerLeftUndoneIsDone(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	epoch := recent()
	_, first := play(newEngine(t, fallRule()), epoch, 0, .9)
	_, second := play(newEngine(t, fallRule()), epoch, 2, .9)
	gone := first[0]
	gone.Rule, gone.ID = "gone", "gone/"+gone.OnsetClip
	c.publish(t, time.Time{}, 0, first[0], second[0])
	c.list(t, "lobby/fall", first[0])
	c.list(t, "lobby/gone", gone) // its clear is older than what is read
	c.send(t, topics.OpenAlerts, "lobby/junk", []byte("junk"))
	c.run(t, Options{Rules: ruleSet(t, fallRule())})
	got := c.awaitAlerts(t, 4)[2:]
	for i, want := range []struct{ id, reason string }{
		{first[0].ID, "another alert of the rule followed"}, {gone.ID, "the rule was removed"},
	} {
		if a := got[i]; a.State != topics.AlertCleared || a.ID != want.id || a.Reason != want.reason {
			t.Errorf("got %+v, want the clear of %s", a, want.id)
		}
	}
	if open := c.awaitOpen(t, "lobby/fall"); open["lobby/fall"].ID != second[0].ID {
		t.Errorf("listed as open: %+v", open)
	}
}

func TestTheTableFollowsTheAlerts(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	epoch := recent()
	_, stop, _ := c.run(t, Options{Rules: ruleSet(t, fallRule())})
	c.recognise(t, clipAt(epoch, 0, fall(.9)))
	if open := c.awaitOpen(t, "lobby/fall"); open["lobby/fall"].ID != c.alerts(t)[0].ID {
		t.Errorf("listed as open: %+v", open)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	c.run(t, Options{Rules: ruleSet(t, fallRule())})
	c.recognise(t, clipAt(epoch, 1, fall(.1)))
	c.awaitAlerts(t, 2)
	c.awaitOpen(t)
}

// 3 of 3 clips raise also where the worker was replaced between them and they are
// half an hour apart, or one was lost.
func TestWindowsOfSlowCamerasSurviveARestart(t *testing.T) {
	const stride = 30 * time.Minute
	began := time.Now().UTC().Truncate(time.Second).Add(-4 * time.Hour)
	slow := func(i int, label topics.LabelScore) topics.Recognition {
		rec := clipAt(began, 0, label)
		rec.ClipID, rec.Sequence = topics.ClipID("lobby", began, time.Duration(i)*stride), uint64(i)
		rec.Start = began.Add(time.Duration(i) * stride)
		rec.End = rec.Start.Add(4 * time.Second)
		return rec
	}
	send := func(c *cluster, rec topics.Recognition) {
		t.Helper()
		value, err := topics.EncodeRecognition(rec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Send(t.Context(), bus.Message{Topic: names.Of(topics.Actions), Key: []byte(rec.Camera), Value: value, Time: rec.End}); err != nil {
			t.Fatal(err)
		}
	}
	rule := fallRule()
	rule.Clips = ClipsRule{3, 3}
	marker := Rule{Name: "marker", Cameras: []string{"other"}, Actions: []string{"fall"}}
	c := startCluster(t)
	c.ensure(t, 1)
	camera, err := topics.EncodeCamera(topics.Camera{Name: "lobby", URL: "rtsp://h/", Stride: topics.Stride{Time: stride}})
	if err != nil {
		t.Fatal(err)
	}
	c.send(t, topics.Cameras, "lobby", camera)
	_, stop, _ := c.run(t, Options{Rules: ruleSet(t, rule, marker)})
	for _, i := range []int{0, 1, 3, 4} { // 2 was lost
		label := fall(.9)
		if i < 3 {
			label = fall(.1)
		}
		send(c, slow(i, label))
	}
	// Another camera sends more than the first look goes back.
	for i := range 60 {
		rec := clipAt(began.Add(2*time.Hour+4*time.Second), i, fall(.1))
		if rec.Camera, rec.ClipID = "other", "other"+rec.ClipID; i == 59 {
			rec.Labels = []topics.LabelScore{fall(.9)}
		}
		send(c, rec)
	}
	c.awaitAlerts(t, 1) // of the marker: all before it has been evaluated
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	c.run(t, Options{Rules: ruleSet(t, rule, marker)})
	send(c, slow(5, fall(.9)))
	if a := c.awaitAlerts(t, 2)[1]; a.Rule != "fall" || !a.Onset.Equal(slow(3, fall(0)).Start) {
		t.Errorf("got %+v", a)
	}
}
