package export

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/topics"
)

func TestExportFromKafka(t *testing.T) {
	for _, backend := range []struct {
		name  string
		start func(testing.TB) kafkatest.Broker
	}{
		{"embedded", kafkatest.StartEmbedded},
		{"kafka", kafkatest.StartKafka},
	} {
		t.Run(backend.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			c := client(t, backend.start(t))
			t.Run("a whole set", func(t *testing.T) { wholeSet(ctx, t, c) })
			t.Run("only the time asked for is read", func(t *testing.T) { seeks(ctx, t, c) })
			t.Run("it ends while records go on coming", func(t *testing.T) { ends(ctx, t, c) })
		})
	}
	t.Run("a topic that is not there", func(t *testing.T) {
		c := client(t, kafkatest.StartEmbedded(t))
		_, err := Clips(t.Context(), options(c, "absent.clips", t.TempDir(), time.Now().Add(-time.Minute)))
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte("look up topic absent")) {
			t.Errorf("got %v", err)
		}
	})
}

func client(t testing.TB, b kafkatest.Broker) *bus.Client {
	t.Helper()
	c, err := bus.New(bus.Options{Brokers: []string{b.Addr()}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func fill(ctx context.Context, t testing.TB, c *bus.Client, topic string, records ...bus.Message) {
	t.Helper()
	spec := bus.TopicSpec{Name: topic, Partitions: 3, Replication: 1, Config: map[string]string{"retention.ms": "86400000"}}
	if err := c.Ensure(ctx, []bus.TopicSpec{spec}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(ctx, records...); err != nil {
		t.Fatal(err)
	}
}

// options label every clip of every camera from since on.
func options(c archive.Log, topic, out string, since time.Time) Options {
	recorded, err := archive.NewReader(archive.ReaderOptions{Log: c, Names: topics.Names{Prefix: strings.TrimSuffix(topic, string(topics.Clips))}})
	if err != nil {
		panic(err)
	}
	return Options{
		Recorded: recorded, Topic: topic, Out: out, Cameras: []string{"*"}, Since: since, Until: since.Add(30 * time.Minute),
		Labels: []string{"anything"}, Overlap: 0.5, MaxClips: 1000, Now: since,
	}
}

func wholeSet(ctx context.Context, t *testing.T, c *bus.Client) {
	const topic = "set.clips"
	t0 := time.Now().Add(-time.Hour).Truncate(time.Second).UTC()
	at := func(seconds float64) time.Time { return t0.Add(time.Duration(seconds * float64(time.Second))) }
	lobby := recording(t, topic, "lobby", at(0), at(40))
	records := slices.Concat(lobby, recording(t, topic, "door-1", at(0), at(40)))
	records = append(records, recording(t, topic, "unasked", at(0), at(10))...)
	records = append(records, lobby[2], lobby[2]) // at least once
	records = append(records, hostile(t, topic, at(20))...)
	fill(ctx, t, c, topic, records...)

	out := filepath.Join(t.TempDir(), "deep", "set")
	o := options(c, topic, out, t0)
	o.Cameras, o.Labels, o.Val, o.Version = []string{"lobby", "door-*"}, nil, 0.3, "v1"
	o.Intervals = intervals(t,
		line("lobby", at(0), at(6), "falling"), // windows at 0, 2 and, by half, 4
		line("lobby", at(20), at(24), "falling"),
		line("door-*", at(9), at(16), "climbing"), // 8 by 3 s, 10, 12, 14 by half
		line("elsewhere", at(0), at(9), "climbing"),
	)
	set, err := Clips(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		pathOf("lobby", at(0)): "falling", pathOf("lobby", at(2)): "falling", pathOf("lobby", at(4)): "falling",
		pathOf("lobby", at(18)): "falling", pathOf("lobby", at(20)): "falling", pathOf("lobby", at(22)): "falling",
		pathOf("door-1", at(8)): "climbing", pathOf("door-1", at(10)): "climbing", pathOf("door-1", at(12)): "climbing", pathOf("door-1", at(14)): "climbing",
	}
	train, val := listedClips(t, out, trainFile), listedClips(t, out, valFile)
	if len(train)+len(val) != len(want) {
		t.Errorf("%d and %d clips, want %d: %v %v", len(train), len(val), len(want), train, val)
	}
	for path, label := range want {
		if got := train[path] + val[path]; got != label {
			t.Errorf("%s is %q, want %q", path, got, label)
		}
	}
	if len(val) != 3 {
		t.Errorf("%d clips to validate, want one interval of three: %v", len(val), val)
	}
	if u := set.Records; u.Unreadable != 5 || u.Repeated != 2 || u.Unlabelled == 0 || u.Partly == 0 || u.Kept != 10 {
		t.Errorf("counted %+v (unreadable: %q)", u, set.Unreadable)
	}
	if set.UnmetCount != 1 || len(set.Unmet) != 1 {
		t.Errorf("unmet intervals: %q", set.Unmet)
	}
	sameFrames(t, filepath.Join(out, pathOf("lobby", at(20))), clipAt(t, "lobby", at(20)))
	if s := readSet(t, out); s.Topic != topic || s.Frostwatch != "v1" || s.PerLabel["climbing"]["door-1"].Train != 4 || s.Intervals.SHA256 == "" {
		t.Errorf("set.json says %+v", s)
	}
	nothingOutside(t, out)
}

// hostile records are none that may end up in a set, or end an export.
func hostile(t testing.TB, topic string, at time.Time) []bus.Message {
	bend := func(how func(*topics.Clip)) bus.Message {
		c := clipAt(t, "lobby", at.Add(time.Millisecond))
		how(&c)
		return record(t, topic, c)
	}
	garbage := bend(func(*topics.Clip) {})
	garbage.Value = []byte("not a clip")
	return []bus.Message{
		garbage,
		bend(func(c *topics.Clip) { c.Camera = "../../lobby" }),
		bend(func(c *topics.Clip) { c.Frames = c.Frames[:7] }),
		bend(func(c *topics.Clip) { c.Width = 32 }),
		bend(func(c *topics.Clip) { c.Frames[5].JPEG = c.Frames[5].JPEG[:300] }),
	}
}

func sameFrames(t *testing.T, file string, c topics.Clip) {
	t.Helper()
	got := framesOf(t, file)
	if len(got) != topics.ClipFrames {
		t.Fatalf("%d frames, want %d", len(got), topics.ClipFrames)
	}
	for i, f := range c.Frames {
		if !bytes.Equal(got[i], f.JPEG) {
			t.Errorf("frame %d is not the recorded JPEG", i)
		}
	}
}

func nothingOutside(t *testing.T, out string) {
	t.Helper()
	for dir, want := range map[string]int{out: 5, filepath.Dir(out): 1, filepath.Join(out, clipsFolder): 2} {
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != want {
			t.Errorf("%s: %v, %v; want %d entries", dir, entries, err, want)
		}
	}
}

func seeks(ctx context.Context, t *testing.T, c *bus.Client) {
	const topic = "seek.clips"
	t0 := time.Now().Add(-3 * time.Hour).Truncate(time.Second).UTC()
	var records []bus.Message
	for _, hours := range []time.Duration{0, 1, 2} {
		from := t0.Add(hours * time.Hour)
		for _, camera := range []string{"a", "b", "c", "d"} {
			records = append(records, recording(t, topic, camera, from, from.Add(time.Minute))...)
		}
	}
	fill(ctx, t, c, topic, records...)
	o := options(c, topic, t.TempDir(), t0.Add(time.Hour))
	set, err := Clips(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	// Neither what is older nor what is newer.
	if n := set.Records.Records; set.Train != 4*30 || n != 4*30 {
		t.Errorf("%d clips of %d records, want 120 of 120; there are %d", set.Train, n, len(records))
	}
	o.Since, o.Until, o.Out = time.Now().Add(-10*time.Minute), time.Now(), t.TempDir()
	if _, err := Clips(ctx, o); err == nil {
		t.Error("a range without clips gave a set")
	}
}

func ends(ctx context.Context, t *testing.T, c *bus.Client) {
	const topic = "live.clips"
	t0 := time.Now().Add(-time.Minute).Truncate(time.Second)
	fill(ctx, t, c, topic, recording(t, topic, "lobby", t0, t0.Add(20*time.Second))...)
	live, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; live.Err() == nil; i++ {
			m := record(t, topic, clipAt(t, "lobby", t0.Add(time.Duration(20+2*i)*time.Second)))
			m.Time = time.Now()
			_, _ = c.Send(live, m)
		}
	})
	_, err := Clips(ctx, options(c, topic, t.TempDir(), t0))
	stop()
	wg.Wait()
	if err != nil {
		t.Error(err)
	}
}

// A record with a clock of its own ends nothing: what comes behind it is read.
func TestARecordFromTheFutureIsPassedOver(t *testing.T) {
	t0 := time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)
	records := recording(t, "clips", "lobby", t0, t0.Add(time.Minute))
	records[3].Time = t0.AddDate(10, 0, 0)
	set, err := Clips(t.Context(), options(memory(records), "clips", t.TempDir(), t0))
	if err != nil {
		t.Fatal(err)
	}
	if set.Train != 29 || set.Records.Records != 29 {
		t.Errorf("%d clips, counted %+v", set.Train, set.Records)
	}
}

// Who has the wrong time zone is told of an interval that met nothing.
func TestNothingLeftNamesAnInterval(t *testing.T) {
	t0 := time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)
	o := options(memory(recording(t, "clips", "lobby", t0, t0.Add(time.Minute))), "clips", t.TempDir(), t0)
	o.Labels = []string{"falling"}
	o.Intervals = intervals(t,
		line("lobby", t0, t0.Add(time.Minute), "walking"),
		line("lobby", t0.Add(time.Hour), t0.Add(61*time.Minute), "falling"), line("lobby", t0.Add(2*time.Hour), t0.Add(121*time.Minute), "falling"))
	_, err := Clips(t.Context(), o)
	for _, want := range []string{"30 labelled otherwise, 0 covered too little", `labels.csv:3: no clip of lobby from 2026-11-25T14:00:00Z to 2026-11-25T14:01:00Z got "falling"`, "time zone", "and likewise for 1 more"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

func TestBackgroundIsSpeltAsItsLabel(t *testing.T) {
	t0 := time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)
	for background, want := range map[string]string{"Falling": `background "Falling" differs from label "falling" of labels.csv only in case or spaces`, "falling": ""} {
		o := options(memory(recording(t, "clips", "lobby", t0, t0.Add(time.Minute))), "clips", t.TempDir(), t0)
		o.Labels, o.Background, o.Intervals = nil, background, intervals(t, line("lobby", t0, t0.Add(8*time.Second), "falling"))
		if _, err := Clips(t.Context(), o); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("--background %s: %v", background, err)
		}
	}
}
