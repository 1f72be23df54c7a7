package bus_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

// A broker that answers as one with access control does stands in for a real one
// (TestLogins) here, so that this runs everywhere.
func TestADeniedGroupEndsConsumingAtOnce(t *testing.T) {
	b := kafkatest.StartFreezable(t)
	ctx, c := within(t, 30*time.Second), clientOf(t, []string{b.Addr()}, slog.New(slog.DiscardHandler))
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("denied", 1)}); err != nil {
		t.Fatal(err)
	}
	consume := func() error {
		return c.Consume(ctx, bus.GroupOptions{Group: "denied", Topic: "denied"}, func(ctx context.Context, _ *bus.Partition) error {
			<-ctx.Done()
			return nil
		})
	}
	// Denied while it joins, and when it is a member.
	for _, key := range []kmsg.Key{kmsg.JoinGroup, kmsg.Heartbeat} {
		b.ControlKey(int16(key), func(req kmsg.Request) (kmsg.Response, error, bool) {
			switch resp := req.ResponseKind().(type) {
			case *kmsg.JoinGroupResponse:
				resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
				return resp, nil, true
			case *kmsg.HeartbeatResponse:
				resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
				return resp, nil, true
			}
			return nil, nil, false
		})
		if err := consume(); bus.DenialOf(err) != bus.DeniesGroup || ctx.Err() != nil {
			t.Errorf("denied at %s: %v", kmsg.NameForKey(int16(key)), err)
		}
	}
}

// Who may not create topics need not, if they exist.
func TestExistingTopicsAreNotCreated(t *testing.T) {
	b := kafkatest.StartFreezable(t)
	ctx, c := within(t, 30*time.Second), clientOf(t, []string{b.Addr()}, slog.New(slog.DiscardHandler))
	var asked atomic.Int64
	b.ControlKey(int16(kmsg.CreateTopics), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		asked.Add(1)
		return nil, nil, false
	})
	for range 2 {
		if err := c.Ensure(ctx, []bus.TopicSpec{spec("exists", 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("topics were asked to be created %d times, want once", n)
	}
}
