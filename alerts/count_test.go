package alerts

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// apart are cameras in so many different partitions.
func (c *cluster) apart(t *testing.T, n int) (cameras []string) {
	t.Helper()
	seen := map[int]bool{}
	for i := 0; len(cameras) < n; i++ {
		name := fmt.Sprintf("platform-%03d", i)
		p, err := c.PartitionOf(t.Context(), names.Of(topics.Actions), []byte(name))
		if err != nil {
			t.Fatal(err)
		}
		if !seen[p] {
			seen[p] = true
			cameras = append(cameras, name)
		}
	}
	return cameras
}

// show sends clips from to before to of a camera, which all have this contrast.
func (c *cluster) show(t *testing.T, camera string, epoch time.Time, from, to int, label string, contrast float64) {
	t.Helper()
	for i := from; i < to; i++ {
		rec := clipAt(epoch, i, topics.LabelScore{Label: label, Score: contrast})
		rec.Camera, rec.ClipID = camera, topics.ClipID(camera, epoch, rec.Start.Sub(epoch))
		c.recognise(t, rec)
	}
}

// awaitShared waits for each of two workers to hold some of the partitions, and together
// all of them.
func (c *cluster) awaitShared(t *testing.T, a, b *Stage) {
	t.Helper()
	for deadline := time.Now().Add(patient); ; time.Sleep(50 * time.Millisecond) {
		first, second := a.held.describe("").Partitions, b.held.describe("").Partitions
		if len(first) > 0 && len(second) > 0 && len(first)+len(second) == c.partitions {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the workers hold %v and %v", first, second)
		}
	}
}

// Cameras of two workers are counted together, however late one is with its clips, and a
// worker that takes over clears what the other has raised, at the time at which the last
// sighting was over.
func TestCamerasAreCountedAcrossWorkers(t *testing.T) {
	c := startCluster(t)
	c.partitions = 4
	c.ensure(t, 4)
	rules := ruleSet(t, crowd(3, 10*time.Second), Rule{Name: "mark", Actions: []string{"mark"}})
	a, stopA, _ := c.run(t, Options{Rules: rules})
	b, stopB, _ := c.run(t, Options{Rules: rules})
	c.awaitShared(t, a, b)
	epoch, cameras := recent(), c.apart(t, 4)
	for _, camera := range cameras[:3] { // clips 0 to 2 end at 4, 6 and 8 s
		c.show(t, camera, epoch, 0, 3, "running", .9)
	}
	raised := c.awaitAlerts(t, 1)[0]
	if !slices.Equal(raised.Cameras, cameras[:3]) || raised.Camera != cameras[2] || !raised.At.Equal(epoch.Add(4*time.Second)) ||
		raised.ID != "crowd/"+topics.ClipID(cameras[0], epoch, 0) {
		t.Errorf("raised %+v", raised)
	}
	if open := c.awaitOpen(t, "/crowd")["/crowd"]; open.ID != raised.ID {
		t.Errorf("open: %+v", open)
	}
	home, err := c.PartitionOf(t.Context(), names.Of(topics.Sightings), []byte("crowd"))
	if err != nil {
		t.Fatal(err)
	}
	stop := stopB
	if slices.Contains(a.held.describe("").Partitions, home) {
		stop = stopA
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for _, camera := range slices.Backward(cameras[:3]) { // clip 8 ends at 20 s
		c.show(t, camera, epoch, 3, 9, "running", .1)
	}
	cleared := c.awaitAlerts(t, 2)[1]
	if cleared.ID != raised.ID || !cleared.At.Equal(epoch.Add(18*time.Second)) || cleared.Reason != "fewer than 3 cameras within 10s" {
		t.Errorf("cleared %+v", cleared)
	}
	c.awaitOpen(t)
	for _, camera := range cameras { // nothing else follows from all of that
		c.show(t, camera, epoch, 9, 10, "mark", .9)
	}
	c.awaitAlerts(t, 6)
}

// A rule that is removed while no worker runs has its alert cleared at once, and one that
// was raised is not raised again.
func TestACountIsRestored(t *testing.T) {
	c := startCluster(t)
	c.partitions = 2
	c.ensure(t, 2)
	rules := ruleSet(t, crowd(2, 10*time.Second), Rule{Name: "mark", Actions: []string{"mark"}})
	_, stop, _ := c.run(t, Options{Rules: rules})
	epoch, cameras := recent(), c.apart(t, 2)
	for _, camera := range cameras {
		c.show(t, camera, epoch, 0, 1, "running", .9)
	}
	raised := c.awaitAlerts(t, 1)[0]
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	// From the first clip on, again.
	_, stop, _ = c.run(t, Options{Group: "anew", Rules: rules})
	for _, camera := range cameras {
		c.show(t, camera, epoch, 1, 2, "mark", .9)
	}
	c.awaitAlerts(t, 3)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	c.run(t, Options{Rules: ruleSet(t, Rule{Name: "mark", Actions: []string{"mark"}})})
	all := c.awaitAlerts(t, 4)
	i := slices.IndexFunc(all, func(a topics.Alert) bool { return a.State == topics.AlertCleared })
	if i < 0 || all[i].ID != raised.ID || all[i].Reason != "the rule was removed" {
		t.Errorf("got %+v", all)
	}
}

// The alert points at a copy of the clip with which there were enough cameras, and a
// record that says something else of itself than its place, or of the future, is skipped.
func TestEvidenceOfACount(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	epoch := recent()
	rules := ruleSet(t, crowd(2, 10*time.Second))
	wrong := sees(rules, "lobby", 0)
	wrong.Seen.Start, wrong.Seen.End = epoch, time.Now().Add(time.Hour)
	ahead, err := topics.EncodeSighting(wrong)
	if err != nil {
		t.Fatal(err)
	}
	wrong.Seen.End = epoch.Add(4 * time.Second)
	other, err := topics.EncodeSighting(wrong)
	if err != nil {
		t.Fatal(err)
	}
	c.send(t, topics.Sightings, "crowd", ahead)
	c.send(t, topics.Sightings, "another", other)
	c.send(t, topics.Sightings, "crowd", []byte("rubbish"))
	kept := clipRecord(t, epoch, 1, "attic")
	c.send(t, topics.Clips, "attic", clipRecord(t, epoch, 0, "attic"))
	c.send(t, topics.Clips, "attic", kept)
	c.run(t, Options{Rules: rules})
	for i, camera := range []string{"attic", "attic", "hall"} {
		rec := clipAt(epoch, i, topics.LabelScore{Label: "running", Score: .1})
		if i > 0 {
			rec.Labels[0].Contrast = .9
		}
		rec.Camera, rec.Clip = camera, topics.RecordRef{Topic: names.Of(topics.Clips), Offset: int64(i)}
		c.recognise(t, rec)
	}
	a := c.awaitAlerts(t, 1)[0]
	if !slices.Equal(a.Cameras, []string{"attic", "hall"}) || a.Camera != "hall" || a.Evidence != nil { // the hall's clip is not there
		t.Errorf("raised %+v", a)
	}
	for i := 3; i < 12; i++ {
		for _, camera := range []string{"attic", "hall"} {
			rec := clipAt(epoch, i, topics.LabelScore{Label: "running", Score: .1})
			rec.Camera = camera
			c.recognise(t, rec)
		}
	}
	c.awaitAlerts(t, 2)
	again := clipAt(epoch, 12, topics.LabelScore{Label: "running", Score: .9})
	again.Camera = "hall"
	c.recognise(t, again)
	again = clipAt(epoch, 13, topics.LabelScore{Label: "running", Score: .9})
	again.Camera, again.ClipID, again.Clip = "attic", clipAt(epoch, 1).ClipID, topics.RecordRef{Topic: names.Of(topics.Clips), Offset: 1}
	c.recognise(t, again)
	a = c.awaitAlerts(t, 3)[2]
	if a.Evidence == nil || a.Evidence.Topic != names.Of(topics.Evidence) {
		t.Fatalf("evidence %+v", a.Evidence)
	}
	if got := c.all(t, topics.Evidence); len(got) != 1 || !bytes.Equal(got[0].Value, kept) || string(got[0].Key) != a.ID {
		t.Errorf("%d records of evidence", len(got))
	}
}
