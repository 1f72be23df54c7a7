package bus_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

func TestAGroupOfAnotherKindIsRefused(t *testing.T) {
	b := kafkatest.StartFreezable(t)
	ctx, c := within(t, time.Minute), clientOf(t, []string{b.Addr()}, slog.New(slog.DiscardHandler))
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("kind", 1)}); err != nil {
		t.Fatal(err)
	}
	other := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{b.Addr()}, GroupID: "kind", Topic: "kind", StartOffset: kafka.FirstOffset, MaxWait: 200 * time.Millisecond})
	defer func() { _ = other.Close() }()
	if _, err := c.Send(ctx, bus.Message{Topic: "kind", Value: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if _, err := other.FetchMessage(ctx); err != nil {
		t.Fatal(err)
	}
	err := c.Consume(ctx, bus.GroupOptions{Group: "kind", Topic: "kind"}, func(context.Context, *bus.Partition) error { return nil })
	if !errors.Is(err, kafka.InconsistentGroupProtocol) || !strings.Contains(err.Error(), "use another group") {
		t.Errorf("got %v", err)
	}
}
