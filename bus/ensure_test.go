package bus_test

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

func differenceIsWarned(t *testing.T, b kafkatest.Broker) {
	var out bytes.Buffer
	ctx, c := within(t, time.Minute), client(t, b, slog.New(slog.NewTextHandler(&out, nil)))
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("differs", 2)}); err != nil {
		t.Fatal(err)
	}
	other := spec("differs", 5)
	other.Config["retention.ms"] = "3600000"
	if err := c.Ensure(ctx, []bus.TopicSpec{other}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"setting=partitions have=2 want=5", "setting=retention.ms have=86400000 want=3600000"} {
		if !bytes.Contains(out.Bytes(), []byte(want)) {
			t.Errorf("no warning %q in:\n%s", want, &out)
		}
	}
	if n, err := c.Partitions(ctx, "differs"); err != nil || n != 2 {
		t.Errorf("%d partitions, %v: the topic was altered", n, err)
	}
}
