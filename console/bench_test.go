package console

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// BenchmarkReview measures a day with twenty thousand alerts: `go test -run - -bench Review
// -benchtime 1x -v ./console`.
func BenchmarkReview(t *testing.B) {
	r := newReviewed(t)
	const many = 20_000
	var all []topics.Alert
	for n := range many {
		all = append(all, raisedAlert(fmt.Sprint("r", n%7), fmt.Sprint("cam", n%100), time.Minute+time.Duration(n)*4*time.Second))
	}
	begun := time.Now()
	for some := range slices.Chunk(all, 1000) {
		r.send(some...)
		for i := range some {
			some[i] = clearedAlert(some[i])
		}
		r.send(some...)
	}
	r.await("all", func() bool { return r.list("limit=1").Left > many*9/10 })
	t.Logf("sent and read in %v", time.Since(begun))
	timed := func(what, query string) listed {
		begun := time.Now()
		l := r.list(query)
		t.Logf("%s: %d alerts in %v", what, len(l.Alerts), time.Since(begun))
		return l
	}
	first := timed("a page", "limit=100&marked=unmarked")
	if len(first.Alerts) != 100 || timed("the next", "limit=100&cursor="+first.Next).Alerts[0].At.After(first.Alerts[99].At) {
		t.Error("pages are in no order")
	}
	if l := timed("a search in vain", "text=nothing"); len(l.Alerts) != 0 || l.Next != "" {
		t.Errorf("%+v", l)
	}
	begun = time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, err := r.days.of(ctx, dayOf(time.Now().Add(-20*time.Hour)))
	if err != nil || len(l.views) == 0 {
		t.Errorf("%v", err)
	}
	t.Logf("the day before from Kafka: %d alerts in %v", len(l.views), time.Since(begun))
	ids := make([]string, 500)
	for i := range ids {
		ids[i] = all[i].ID
	}
	begun = time.Now()
	var d Decided
	if status, text := r.call("POST", "/alerts/marks", map[string]any{"mark": "false", "alerts": ids}, &d); status != 200 || d.Alerts != 500 {
		t.Errorf("%d %s", status, text)
	}
	t.Logf("500 decided in %v", time.Since(begun))
}
