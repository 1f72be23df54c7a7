package bus_test

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

func recordsComeBackWhole(t *testing.T, b kafkatest.Broker) {
	ctx, c := within(t, time.Minute), client(t, b, nil)
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("whole", 3)}); err != nil {
		t.Fatal(err)
	}
	big := bytes.Repeat([]byte{1, 2, 3, 4}, 50_000)
	sent := []bus.Message{
		{Topic: "whole", Key: []byte("a"), Value: big, Headers: []bus.Header{{Key: "h", Value: []byte{0, 255}}, {Key: "h", Value: nil}}},
		{Topic: "whole", Key: []byte("a"), Value: nil},
		{Topic: "whole", Key: []byte("b"), Value: []byte("x")},
	}
	if _, err := c.Send(ctx, sent...); err != nil {
		t.Fatal(err)
	}
	got := map[string][]bus.Message{}
	err := c.ReadAll(ctx, "whole", time.Time{}, false, func(m bus.Message) error {
		got[string(m.Key)] = append(got[string(m.Key)], m)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got["a"]) != 2 || len(got["b"]) != 1 {
		t.Fatalf("read %d of a and %d of b", len(got["a"]), len(got["b"]))
	}
	first := got["a"][0]
	if !bytes.Equal(first.Value, big) || len(first.Headers) != 2 || !bytes.Equal(first.Headers[0].Value, []byte{0, 255}) {
		t.Error("the first record came back changed")
	}
	if len(got["a"][1].Value) != 0 {
		t.Error("a tombstone came back with a value")
	}
	one, err := c.FetchOne(ctx, "whole", first.Partition, first.Offset)
	if err != nil || !bytes.Equal(one.Value, big) {
		t.Errorf("fetch one: %v", err)
	}
	for _, none := range []int{-1, 3, 99999, 1 << 40} {
		if _, err := c.FetchOne(ctx, "whole", none, 0); !bus.Permanent(err) {
			t.Errorf("partition %d: %v", none, err)
		}
	}
	if _, err := c.FetchOne(ctx, "whole", first.Partition, 99); err == nil {
		t.Error("a record that never was is found")
	}
}

func readingBeginsAtATime(t *testing.T, b kafkatest.Broker) {
	ctx, c := within(t, time.Minute), client(t, b, nil)
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("times", 1)}); err != nil {
		t.Fatal(err)
	}
	noon := time.Now().Truncate(time.Second).Add(-time.Hour)
	send := func(value string, at time.Time) {
		t.Helper()
		if _, err := c.Send(ctx, bus.Message{Topic: "times", Key: []byte("k"), Value: []byte(value), Time: at}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 4 {
		send(strconv.Itoa(i), noon.Add(time.Duration(i)*time.Minute))
	}
	for since, want := range map[time.Duration]string{-time.Minute: "0123", 0: "0123", time.Second: "123", 3 * time.Minute: "3", 4 * time.Minute: ""} {
		got := ""
		err := c.ReadSince(ctx, "times", 0, noon.Add(since), func(m bus.Message) error { got += string(m.Value); return nil })
		if err != nil || got != want {
			t.Errorf("since noon and %v: read %q, %v; want %q", since, got, err, want)
		}
	}
	followed := make(chan string)
	go func() {
		got := ""
		err := c.ReadAll(ctx, "times", noon.Add(4*time.Minute), true, func(m bus.Message) error { got += string(m.Value); return bus.ErrStop })
		if err != nil {
			t.Error(err)
		}
		followed <- got
	}()
	send("4", noon.Add(5*time.Minute)) // whether the reader is there already or not
	if got := <-followed; got != "4" {
		t.Errorf("followed on from after the last record: read %q", got)
	}
}

// A broker's answers and its appends overlap: none of what is appended may be passed
// over.
func growthIsRead(t *testing.T, b kafkatest.Broker) {
	c, out, _ := measured(t, b.Addr())
	ctx := within(t, time.Minute)
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("grows", 1)}); err != nil {
		t.Fatal(err)
	}
	const senders, each = 4, 1500
	var sending errgroup.Group
	for range senders {
		sending.Go(func() error {
			for range each {
				if _, err := c.Send(ctx, bus.Message{Topic: "grows", Key: []byte("k"), Value: []byte("v")}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	next := int64(0)
	err := c.ReadAll(ctx, "grows", time.Time{}, true, func(m bus.Message) error {
		if m.Offset != next {
			return fmt.Errorf("after offset %d comes %d", next-1, m.Offset)
		}
		if next++; next == senders*each {
			return bus.ErrStop
		}
		return nil
	})
	if err := errors.Join(err, sending.Wait()); err != nil || out.has("level=ERROR") {
		t.Errorf("%v; %v", err, out)
	}
}
