package alerts

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/topics"
)

// clipRecord is the record of clip i of a stream, said to be of a camera.
func clipRecord(t *testing.T, epoch time.Time, i int, camera string) []byte {
	t.Helper()
	rec := clipAt(epoch, i)
	b, err := topics.EncodeClip(topics.Clip{ID: rec.ClipID, Camera: camera, Epoch: epoch, Start: rec.Start.Sub(epoch), Window: 4 * time.Second,
		Width: 8, Height: 8, Frames: []topics.ClipFrame{{JPEG: []byte("jpeg"), Captured: epoch}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOnlyTheAlertsOwnClipIsEvidence(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	epoch := recent()
	kept := clipRecord(t, epoch, 0, "lobby")
	c.send(t, topics.Clips, "lobby", kept)                              // offset 0
	c.send(t, topics.Clips, "attic", clipRecord(t, epoch, 2, "attic"))  // offset 1
	c.send(t, topics.Clips, "lobby", clipRecord(t, epoch, 99, "lobby")) // offset 2
	c.send(t, topics.Clips, "lobby", []byte("rubbish"))
	c.run(t, Options{Rules: ruleSet(t, fallRule())})
	clips := names.Of(topics.Clips)
	for i, ref := range []topics.RecordRef{
		{Topic: clips, Offset: 0},
		{Topic: clips, Offset: 1}, // of another camera
		{Topic: clips, Offset: 2}, // another clip
		{Topic: clips, Offset: 3}, // no clip
		{Topic: clips, Offset: 9}, // not there
		{Topic: names.Of(topics.Actions), Offset: 0},
		{},
	} {
		on, off := clipAt(epoch, 2*i, fall(.9)), clipAt(epoch, 2*i+1, fall(.1))
		on.Clip, off.Clip = ref, ref
		c.recognise(t, on, off)
		got := c.awaitAlerts(t, 2*i+2)[2*i:]
		for _, a := range got {
			if (a.Evidence != nil) != (i == 0) {
				t.Errorf("%+v: %s with evidence %+v", ref, a.State, a.Evidence)
			}
		}
	}
	evidence := c.all(t, topics.Evidence)
	if len(evidence) != 1 || !bytes.Equal(evidence[0].Value, kept) || string(evidence[0].Key) != c.alerts(t)[0].ID {
		t.Errorf("%d records of evidence", len(evidence))
	}
}

// An alert is kept for 90 days and so is the clip that it points at, also where
// the worker that clears it is not the one that raised it.
func TestEvidenceOutlivesTheClip(t *testing.T) {
	c := startCluster(t)
	c.ensure(t, 1)
	epoch := recent()
	// Evidence of another alert, so that positions on the two topics differ.
	c.send(t, topics.Evidence, "other", []byte("other"))
	kept := clipRecord(t, epoch, 0, "lobby")
	c.send(t, topics.Clips, "lobby", kept)
	_, stop, _ := c.run(t, Options{Rules: ruleSet(t, fallRule())})
	on := clipAt(epoch, 0, fall(.9))
	on.Clip = topics.RecordRef{Topic: names.Of(topics.Clips)}
	c.recognise(t, on)
	c.awaitAlerts(t, 1)
	c.awaitOpen(t, "lobby/fall")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	admin := &kafka.Client{Addr: kafka.TCP(c.broker.Addr()), Transport: transport}
	if _, err := admin.DeleteTopics(t.Context(), &kafka.DeleteTopicsRequest{Topics: []string{names.Of(topics.Clips)}}); err != nil {
		t.Fatal(err)
	}
	c.run(t, Options{Rules: ruleSet(t, fallRule())})
	c.recognise(t, clipAt(epoch, 1, fall(.1)))
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	for _, a := range c.awaitAlerts(t, 2) {
		if a.Evidence == nil {
			t.Errorf("%s without evidence", a.State)
			continue
		}
		m, err := c.FetchOne(ctx, a.Evidence.Topic, a.Evidence.Partition, a.Evidence.Offset)
		if err != nil {
			t.Fatalf("%s: %v", a.State, err)
		}
		if !bytes.Equal(m.Value, kept) || string(m.Key) != a.ID {
			t.Errorf("%s points at a record of %q", a.State, m.Key)
		}
	}
}
