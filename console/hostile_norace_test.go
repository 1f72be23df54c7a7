//go:build !race

package console

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// However many alerts there are, memory is bounded, and it is known what is missing.
func TestTheQueueIsBounded(t *testing.T) {
	now := time.Now()
	q := newQueue(now, newWall())
	begun := time.Now()
	for n := range maxQueued + 5000 {
		q.add(raisedAlert(fmt.Sprint("r", n), "ward", 20*time.Hour-time.Duration(n)*2*time.Second), now)
	}
	t.Logf("%d alerts taken over in %v", maxQueued+5000, time.Since(begun))
	if len(q.all) != maxQueued || len(q.order) != maxQueued {
		t.Errorf("%d alerts are kept", len(q.all))
	}
	if oldest := q.order[0].At; q.since.After(oldest) || now.Sub(q.since) > 18*time.Hour {
		t.Errorf("nothing is said to be missing since %v, the oldest is of %v", q.since, oldest)
	}
	large := raisedAlert("large", "ward", time.Minute)
	for n := range topics.MaxAlertCameras {
		large.Cameras = append(large.Cameras, fmt.Sprintf("%s%d", strings.Repeat("c", 55), n))
	}
	for n := range 2000 {
		large.ID = fmt.Sprint("large/", n)
		q.add(large, now)
	}
	if q.bytes > maxQueuedBytes || q.bytes < 0 {
		t.Errorf("%d bytes are kept", q.bytes)
	}
	q.prune(now.Add(30 * time.Hour))
	if len(q.all) != 0 || q.bytes != 0 || len(q.order) != 0 {
		t.Errorf("%d alerts of %d bytes stay", len(q.all), q.bytes)
	}
	s := newSaid[mark]()
	for n := range maxSaid + 10 {
		s.put(fmt.Sprint(n), saying[mark]{at: now.Add(time.Duration(n)), from: topics.RecordRef{Offset: int64(n)}})
	}
	if len(s.of) > maxSaid || s.has("3") || !s.has(fmt.Sprint(maxSaid)) {
		t.Errorf("%d marks are kept", len(s.of))
	}
}
