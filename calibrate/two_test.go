package calibrate

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

// holding is a client that notes which partitions its process holds.
type holding struct {
	*bus.Client
	mu   sync.Mutex
	held map[int]bool
}

func (h *holding) Consume(ctx context.Context, g bus.GroupOptions, handle func(context.Context, *bus.Partition) error) error {
	return h.Client.Consume(ctx, g, func(ctx context.Context, p *bus.Partition) error {
		h.set(p.ID(), true)
		defer h.set(p.ID(), false)
		return handle(ctx, p)
	})
}

func (h *holding) set(id int, held bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held[id] = held
}

func (h *holding) has(id int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.held[id]
}

// proc is one of several processes that keep the table.
type proc struct {
	*Stage
	bus  *holding
	stop func()
}

func startProcess(t *testing.T, broker string, names topics.Names, o DialOptions, rule alerts.Rule) *proc {
	t.Helper()
	client, err := bus.New(bus.Options{Brokers: []string{broker}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	p := &proc{bus: &holding{Client: client, held: map[int]bool{}}}
	p.Stage, err = New(Options{
		Bus: p.bus, Names: names, Group: "calibrate", Past: o.Past, Embedder: o.Embedder, Vocabularies: fixedWords{o.Words("")},
		Logger: slog.New(slog.DiscardHandler), Rules: ruleSet(t, rule), Now: func() time.Time { return end },
		Settle: time.Millisecond, Look: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		_ = client.Close()
	})
	t.Cleanup(p.stop)
	return p
}

// Two processes share the work: whatever changes, each threshold is written once. When
// the one that writes dies, the other goes on.
func TestTwoProcessesWriteEachThresholdOnce(t *testing.T) {
	broker, client, names := startBroker(t, "hall", "door")
	// written are the budgets of the records of each key, in order.
	written := func() map[string]string {
		out := map[string]string{}
		for partition := range 2 {
			err := client.Replay(t.Context(), names.Of(topics.Thresholds), partition, 0, -1, func(m bus.Message) error {
				v, err := topics.DecodeThreshold(m.Value)
				out[string(m.Key)] += v.Budget + "; "
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		return out
	}
	want := map[string]string{"hall/bag": "", "door/bag": ""}
	await := func(budget string) {
		t.Helper()
		for key := range want {
			want[key] += budget + "; "
		}
		stagetest.Await(t, "a threshold for "+budget, func() bool { return maps.Equal(written(), want) })
	}
	o := dialOptions(t, twoHours(t), "20 per hour", "hall", "door")
	one := startProcess(t, broker, names, o, bagRule("20 per hour"))
	await("20 per hour")
	two := startProcess(t, broker, names, o, bagRule("20 per hour"))
	stagetest.Await(t, "each has a partition", func() bool {
		return one.bus.has(0) != two.bus.has(0) && one.bus.has(1) != two.bus.has(1) && one.bus.has(0) != one.bus.has(1)
	})
	both := func(budget string) {
		for _, p := range []*proc{one, two} {
			p.SetRules(ruleSet(t, bagRule(budget)))
		}
	}
	both("10 per hour")
	await("10 per hour")
	dies, stays := one, two
	if two.bus.has(0) {
		dies, stays = two, one
	}
	_ = dies.bus.Close() // as kill -9 does: it does not leave the group
	both("5 per hour")
	await("5 per hour")
	if !stays.bus.has(0) {
		t.Error("the thresholds are not from the one that stays")
	}
	stays.stop()
	dies.stop()
	if got := written(); !maps.Equal(got, want) {
		t.Errorf("written: %v, want %v", got, want)
	}
}
