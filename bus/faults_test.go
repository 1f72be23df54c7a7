package bus_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

func TestOrderIsKeptWhereABatchFails(t *testing.T) {
	b := kafkatest.StartFreezable(t)
	ctx, c := within(t, time.Minute), clientOf(t, []string{b.Addr()}, slog.New(slog.DiscardHandler))
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("order", 1)}); err != nil {
		t.Fatal(err)
	}
	var tries atomic.Int64
	b.ControlKey(0, func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		if tries.Add(1)%2 == 0 {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range req.(*kmsg.ProduceRequest).Topics {
			out := kmsg.ProduceResponseTopic{Topic: topic.Topic, TopicID: topic.TopicID}
			for _, p := range topic.Partitions {
				out.Partitions = append(out.Partitions, kmsg.ProduceResponseTopicPartition{Partition: p.Partition, ErrorCode: kerr.NotLeaderForPartition.Code})
			}
			resp.Topics = append(resp.Topics, out)
		}
		return resp, nil, true
	})
	const n = 1500
	msgs := make([]bus.Message, n)
	for i := range msgs {
		msgs[i] = bus.Message{Topic: "order", Key: []byte("k"), Value: strconv.AppendInt(nil, int64(i), 10)}
	}
	refs, err := c.Send(ctx, msgs...)
	if err != nil {
		t.Fatal(err)
	}
	next := 0
	if err := c.Replay(ctx, "order", 0, 0, -1, func(m bus.Message) error {
		if string(m.Value) != strconv.Itoa(next) || refs[next].Offset != m.Offset {
			return fmt.Errorf("%q is at %d, want %d there", m.Value, m.Offset, next)
		}
		next++
		return nil
	}); err != nil || next != n {
		t.Errorf("after %d of %d: %v", next, n, err)
	}
}

func TestWhatIsMisplacedAndWaitsIsMeasured(t *testing.T) {
	b := kafkatest.StartFreezable(t)
	c, out, reader := measured(t, b.Addr())
	ctx := within(t, time.Minute)
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("foreign", 2)}); err != nil {
		t.Fatal(err)
	}
	home, err := c.PartitionOf(ctx, "foreign", []byte("lobby"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		by := fmt.Append(nil, i)
		if at, _ := c.PartitionOf(ctx, "foreign", by); at == home {
			continue
		}
		for range 3 { // as a producer with another partitioner would
			if _, err := c.Send(ctx, bus.Message{Topic: "foreign", Key: []byte("lobby"), PartitionBy: by, Value: []byte("x")}); err != nil {
				t.Fatal(err)
			}
		}
		break
	}
	done := errors.New("done")
	var once sync.Once
	err = c.Consume(ctx, bus.GroupOptions{Group: "foreign", Topic: "foreign", StartFirst: true}, func(ctx context.Context, p *bus.Partition) error {
		for range 2 {
			if _, err := p.Fetch(ctx); err != nil {
				return err
			}
		}
		once.Do(func() {
			if got := stagetest.Counts(t, reader); got["frostwatch.kafka.records_misplaced"] != 2 || got["frostwatch.kafka.lag"] != 1 {
				t.Errorf("measured %v, want 2 misplaced and a lag of 1", got)
			}
		})
		return done
	})
	if !errors.Is(err, done) || !out.has("level=WARN", "murmur2", "key=lobby") {
		t.Errorf("%v; the log:\n%s", err, out)
	}
}

func TestTimesAreTheBrokers(t *testing.T) {
	b := kafkatest.NewKafka(t)
	ctx, c := within(t, time.Minute), clientOf(t, []string{b.Addr()}, slog.New(slog.DiscardHandler))
	s := spec("clock", 1)
	s.Config["message.timestamp.type"] = "LogAppendTime"
	if err := c.Ensure(ctx, []bus.TopicSpec{s}); err != nil {
		t.Fatal(err)
	}
	// The sender's clock is far behind, and the record has waited a minute.
	_, err := c.Send(ctx, bus.Message{Topic: "clock", Value: []byte("x"), Time: time.Now().Add(-24 * time.Hour), Since: time.Now().Add(-time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.FetchOne(ctx, "clock", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if age := c.Age(m); age < 59*time.Second || age > 2*time.Minute {
		t.Errorf("the record is %v old, want a minute", age)
	}
}

// workerEnv names the broker to which a process of its own, made from this test
// program, connects as the worker that TestAWokenWorkerPublishesNothing suspends.
const workerEnv = "FROSTWATCH_TEST_WORKER"

// work is that worker, until it is killed.
func work(broker string) {
	c, err := bus.New(bus.Options{Brokers: []string{broker}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	_ = c.Consume(context.Background(), bus.GroupOptions{Group: "woken", Topic: "woken"}, sendAllTheTime("child"))
}

func sendAllTheTime(name string) func(context.Context, *bus.Partition) error {
	return func(ctx context.Context, p *bus.Partition) error {
		for ctx.Err() == nil {
			_, _ = p.Send(ctx, bus.Message{Topic: "woken-out", Value: []byte(name)})
			time.Sleep(3 * time.Millisecond) // its own pace
		}
		return nil
	}
}

func TestAWokenWorkerPublishesNothing(t *testing.T) {
	b := kafkatest.StartFreezable(t)
	ctx, c := within(t, time.Minute), clientOf(t, []string{b.Addr()}, slog.New(slog.DiscardHandler))
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("woken", 1), spec("woken-out", 1)}); err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(ctx, os.Args[0])
	child.Env = append(os.Environ(), workerEnv+"="+b.Addr())
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}()
	var sent [2]int
	count := func() (child, parent int) {
		sent = [2]int{}
		err := c.Replay(ctx, "woken-out", 0, 0, -1, func(m bus.Message) error {
			if string(m.Value) == "child" {
				sent[0]++
			} else {
				sent[1]++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return sent[0], sent[1]
	}
	until(ctx, t, "the child to send", func() bool { n, _ := count(); return n > 5 })
	own, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	kafkatest.Suspend(t, child.Process)
	go func() {
		ended <- c.Consume(own, bus.GroupOptions{Group: "woken", Topic: "woken"}, sendAllTheTime("parent"))
	}()
	until(ctx, t, "the parent to take over", func() bool { _, n := count(); return n > 5 })
	before, was := count() // what the child had on the wire has long arrived
	if err := child.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, "the parent to go on", func() bool { _, n := count(); return n > was+300 })
	var g bus.Generations
	late := 0
	_ = c.Replay(ctx, "woken-out", 0, 0, -1, func(m bus.Message) error {
		if string(m.Value) == "child" && m.Offset >= int64(before+was) && !g.Stale(m) {
			late++
		}
		g.Stale(m)
		return nil
	})
	if after, _ := count(); late > 0 || after > before+1 { // one may have been on the wire
		t.Errorf("the woken worker published %d records, of which %d pass for new", after-before, late)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestOutcomesAreSentOrBecomeDeadLetters(t *testing.T) {
	b := kafkatest.StartFreezable(t)
	ctx, c := within(t, time.Minute), clientOf(t, []string{b.Addr()}, slog.New(slog.DiscardHandler))
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("outcomes", 1), spec("dead", 1)}); err != nil {
		t.Fatal(err)
	}
	dead, err := bus.NewDeadLetters(bus.DeadLetterOptions{Send: c.Send, Topic: "dead", Stage: "test", Logger: slog.New(slog.DiscardHandler), Meter: sdkmetric.NewMeterProvider().Meter("test"), Reporter: telemetry.Quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	follow := func(from string, size int) bus.Outcome {
		return bus.Outcome{From: bus.Message{Topic: "in", Key: []byte(from), Value: []byte(from)}, Msg: bus.Message{Topic: "outcomes", Key: []byte("k"), Value: make([]byte, size)}}
	}
	refs, err := dead.Send(ctx, follow("a", 1), follow("b", 5<<20), follow("c", 1))
	if err != nil || refs[0].Topic == "" || refs[1].Topic != "" || refs[2].Offset != refs[0].Offset+1 {
		t.Fatalf("positions %v, %v", refs, err)
	}
	m, err := c.FetchOne(ctx, "dead", 0, 0)
	if err != nil || string(m.Value) != "b" || (bus.HeaderCarrier{Headers: &m.Headers}).Get(topics.HeaderStage) != "test" {
		t.Errorf("the dead letter is %+v, %v", m, err)
	}
	if _, err := dead.By(func(context.Context, ...bus.Message) ([]topics.RecordRef, error) { return nil, bus.ErrMoved }).Send(ctx, follow("d", 1)); !errors.Is(err, bus.ErrMoved) {
		t.Errorf("of a partition that moved: %v", err)
	}
}
