package commands

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/topics"
)

// pastLog is a Kafka that has forgotten what is older than a day, and an archive
// that has not.
type pastLog struct {
	file, bucket       string
	old, month, recent topics.Alert // as raised: 100 days, 40 days and an hour ago; all are cleared
}

const day = 24 * time.Hour

func newPastLog(t *testing.T) pastLog {
	t.Helper()
	broker := kafkatest.StartEmbedded(t)
	b, err := bus.New(bus.Options{Brokers: []string{broker.Addr()}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	names := topics.Names{Prefix: "p."}
	specs := bus.TopicSpecs(names, 1, 1)
	for i := range specs {
		specs[i].Config = map[string]string{"message.timestamp.type": "CreateTime"}
	}
	if err := b.Ensure(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
	send := func(a topics.Alert, late time.Duration) int64 { // late: when it reaches Kafka
		t.Helper()
		value, err := topics.EncodeAlert(a)
		if err != nil {
			t.Fatal(err)
		}
		at, err := b.Send(t.Context(), bus.Message{Topic: names.Of(topics.Alerts), Key: []byte(a.Camera), Value: value, Time: a.At.Add(late)})
		if err != nil {
			t.Fatal(err)
		}
		return at[0].Offset
	}
	raise := func(rule string, ago time.Duration) topics.Alert {
		onset := time.Now().UTC().Truncate(time.Millisecond).Add(-ago)
		clip := topics.ClipID("ward-1", onset.Add(-time.Hour), time.Hour)
		return topics.Alert{ID: topics.AlertID(rule, clip), State: topics.AlertRaised, Rule: rule, Severity: "warning", Camera: "ward-1", Label: "falling down",
			Score: .91, Similarity: .3, Onset: onset, At: onset.Add(4 * time.Second), OnsetClip: clip, Clip: clip,
			Evidence: &topics.RecordRef{Topic: names.Of(topics.Evidence), Offset: 0}}
	}
	cleared := func(a topics.Alert, after time.Duration, reason string) topics.Alert {
		a.State, a.At, a.Reason, a.Score, a.Similarity = topics.AlertCleared, a.At.Add(after), reason, 0, 0
		return a
	}
	l := pastLog{bucket: t.TempDir(), old: raise("old", 100*day), month: raise("month", 40*day), recent: raise("recent", 30*time.Minute)}
	send(l.old, time.Second)
	send(cleared(l.old, 3*time.Hour, "no clip for 1m0s"), 6*time.Hour)
	send(l.month, time.Second)
	send(cleared(l.month, time.Minute, "the rule was removed"), time.Second)
	next := send(l.recent, time.Second)
	send(cleared(l.recent, time.Minute, "the score fell below 0.02"), time.Second)
	send(cleared(raise("alone", 25*time.Hour), 24*time.Hour, "the rule was removed"), time.Second) // its raise is gone from both
	if _, err := b.Send(t.Context(), bus.Message{Topic: names.Of(topics.Evidence), Key: []byte(l.old.ID), Value: []byte("clip")}); err != nil {
		t.Fatal(err)
	}
	archiveUntil(t, b, names, l.bucket, next)
	deleteRecords(t, broker, names.Of(topics.Alerts), next)
	deleteRecords(t, broker, names.Of(topics.Evidence), 1)
	l.file = filepath.Join(t.TempDir(), "pipeline.yaml")
	write(t, l.file, fmt.Sprintf("kafka: {brokers: [%q], prefix: p.}\narchive: {bucket: %q}\n", broker.Addr(), l.bucket))
	return l
}

// archiveUntil runs the archive stage until it has committed the alerts before an
// offset.
func archiveUntil(t *testing.T, b *bus.Client, names topics.Names, dir string, next int64) {
	t.Helper()
	bucket, err := archive.OpenBucket(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = bucket.Close() }()
	s, err := archive.New(archive.Options{Bus: b, Names: names, Bucket: bucket, Group: "archive", Poll: 20 * time.Millisecond,
		Logger: slog.New(slog.DiscardHandler), Meter: noop.Meter{}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for committed := int64(0); committed < next; time.Sleep(20 * time.Millisecond) {
		offsets, err := b.CommittedOffsets(ctx, archive.GroupOf("archive", topics.Alerts), names.Of(topics.Alerts))
		if err != nil {
			t.Fatal(err)
		}
		committed = offsets[0]
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// deleteRecords makes a broker forget a topic's records before an offset, as their
// age does.
func deleteRecords(t *testing.T, broker kafkatest.Broker, topic string, before int64) {
	t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.Version, req.TimeoutMillis = 1, 10_000
	p := kmsg.NewDeleteRecordsRequestTopicPartition()
	p.Offset = before
	req.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: topic, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{p}}}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", broker.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)); err != nil {
		t.Fatal(err)
	}
	size := make([]byte, 4)
	if _, err := io.ReadFull(conn, size); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, binary.BigEndian.Uint32(size))
	if _, err := io.ReadFull(conn, answer); err != nil {
		t.Fatal(err)
	}
	resp := kmsg.NewPtrDeleteRecordsResponse()
	resp.Version = req.Version
	if err := resp.ReadFrom(answer[4:]); err != nil { // the first four are the request's number
		t.Fatal(err)
	}
	if got := resp.Topics[0].Partitions[0]; got.ErrorCode != 0 || got.LowWatermark != before {
		t.Fatalf("delete records: %+v", got)
	}
}

func TestAnAlertIsListedWithWhatRaisedItBeforeTheRange(t *testing.T) {
	s := onBroker(t)
	a := raised("ward", time.Hour, .8)
	s.alert(t, a)
	end := a
	end.State, end.At, end.Contrast, end.Score, end.Reason = topics.AlertCleared, a.At.Add(time.Minute), .01, .01, "the contrast fell"
	s.alert(t, end)
	out, ok := s.run(t, "alerts", "ls", "--since", a.At.Add(30*time.Second).Format(time.RFC3339))
	if line := row(out, a.ID); !ok || !strings.Contains(line, "cleared 1m4s ward fall warning falling down contrast 0.80") {
		t.Errorf("got %s", out)
	}
}

// Alerts that Kafka has forgotten are listed and shown from the archive, each
// once, and their end is found beyond the stretch that is asked for.
func TestAlertsOfTheArchive(t *testing.T) {
	l := newPastLog(t)
	until := func(at time.Time) string { return " --until " + at.Format(time.RFC3339) }
	for _, c := range []struct {
		args         string
		want, absent string // of each line that begins with a date: rule and state; "! ": the command fails so
	}{
		{"ls --since 200d", "old cleared 3h0m4s score 0.91  month cleared 1m4s score 0.91  alone cleared 24h0m4s -  recent cleared 1m4s score 0.91", ""},
		{"ls", "alone cleared 24h0m4s -  recent cleared 1m4s score 0.91", ""},
		{"ls --since 200d --until 50d", "old cleared 3h0m4s score 0.91", ""},
		{"ls --since 200d" + until(l.old.At.Add(time.Hour)), "old cleared 3h0m4s score 0.91", ""},
		{"ls --since 50d --camera ward-*", "month cleared 1m4s score 0.91  alone cleared 24h0m4s -  recent cleared 1m4s score 0.91", ""},
		{"ls --since 50d --camera lobby", "", ""},
		{"ls --since 200d --rule o* --open", "", ""},
		{"ls --since 200d --limit 1", "recent cleared 1m4s score 0.91", ""},
	} {
		out, ok := command(t, append(append([]string{"alerts"}, strings.Fields(c.args)...), "--config", l.file)...)
		var got []string
		for line := range strings.Lines(out) {
			if f := strings.Fields(line); strings.HasPrefix(line, "20") { // date, time, state, for, camera, rule, severity, label (two words), value (measure and number, or none), mark, id
				got = append(got, strings.Join(append([]string{f[5], f[2], f[3]}, f[9:len(f)-2]...), " "))
			}
		}
		if !ok || strings.Join(got, "  ") != c.want {
			t.Errorf("alerts %s: %q, want %q\n%s", c.args, got, c.want, out)
		}
		if more := strings.Contains(out, "only the newest 1 are listed"); more != strings.Contains(c.args, "--limit 1") {
			t.Errorf("alerts %s: says that there are more: %v", c.args, more)
		}
	}
	for args, want := range map[string]string{
		"show " + l.old.ID:                           "cleared, 3h0m4s  no clip for 1m0s  falling down, score 0.91  no longer kept",
		"show --json " + l.old.ID:                    `"evidence_gone": true  "cleared_at"  "raised_at"`,
		"show " + l.old.ID + " --out " + t.TempDir(): "! no longer kept by Kafka",
		"show old/ward-1-1-1":                        "! no alert has the id \"old/ward-1-1-1\"  the archive keeps them for archive.retention.alerts",
		"show of-another-form":                       "! no alert has the id",
		"ls --since 1h --until 2h":                   "! is not before --until 2h",
		"ls --until tomorrow":                        "! --until \"tomorrow\"",
		"ls --limit 0":                               "! --limit 0: want at least 1",
	} {
		out, ok := command(t, append(append([]string{"alerts"}, strings.Fields(args)...), "--config", l.file)...)
		want, fails := strings.CutPrefix(want, "! ")
		if ok == fails {
			t.Errorf("alerts %s: ended well: %v\n%s", args, ok, out)
		}
		for _, text := range strings.Split(want, "  ") {
			if !strings.Contains(out, text) {
				t.Errorf("alerts %s: %q is not in\n%s", args, text, out)
			}
		}
	}
}

// What is wrong with the archive is said, and what Kafka still has is listed.
func TestAlertsWithoutTheirArchive(t *testing.T) {
	l := newPastLog(t)
	files, err := filepath.Glob(filepath.Join(l.bucket, "alerts", "*", "*", "*.parquet"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	if err := os.Truncate(files[0], 100); err != nil {
		t.Fatal(err)
	}
	if out, ok := command(t, "alerts", "ls", "--since", "200d", "--config", l.file); !ok || !strings.Contains(out, "1 file and 0 records of the archive can't be read") || !strings.Contains(out, "month/") {
		t.Errorf("a broken file: %s", out)
	}
	text, err := os.ReadFile(l.file)
	if err != nil {
		t.Fatal(err)
	}
	none, _, _ := strings.Cut(string(text), "archive:")
	write(t, l.file, none+"archive: {bucket: \"ftp://h/\"}\n")
	if out, ok := command(t, "alerts", "ls", "--since", "200d", "--config", l.file); !ok || !strings.Contains(out, "only alerts that Kafka still has are read: ") || !strings.Contains(out, "recent/") {
		t.Errorf("no such bucket: %s", out)
	}
	write(t, l.file, none)
	if out, ok := command(t, "alerts", "ls", "--since", "200d", "--config", l.file); !ok || strings.Contains(out, "old/") || !strings.Contains(out, "recent/") {
		t.Errorf("no archive: %s", out)
	}
	if out, ok := command(t, "alerts", "show", l.old.ID, "--config", l.file); ok || !strings.Contains(out, "there is no archive") {
		t.Errorf("no archive: %s", out)
	}
}

// An alert's film is written on any machine that reads the bucket, also when its pictures
// are gone; where there is none, it is said whether one is to come.
func TestFilmOfAnAlert(t *testing.T) {
	l := newPastLog(t)
	b, err := archive.OpenBucket(t.Context(), l.bucket)
	if err != nil {
		t.Fatal(err)
	}
	film := filepath.Join(t.TempDir(), "made.mp4")
	if err := os.WriteFile(film, []byte("pictures"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.PutFilm(t.Context(), l.old.ID, film), b.Close()); err != nil {
		t.Fatal(err)
	}
	show := func(args ...string) (string, bool) {
		return command(t, append(append([]string{"alerts", "show"}, args...), "--config", l.file)...)
	}
	if out, ok := show(l.old.ID); !ok || !strings.Contains(out, "film         kept") {
		t.Errorf("show: %v\n%s", ok, out)
	}
	dir := filepath.Join(t.TempDir(), "evidence")
	out, ok := show(l.old.ID, "--out", dir)
	got, err := os.ReadFile(filepath.Join(dir, "film.mp4"))
	if !ok || err != nil || string(got) != "pictures" || !strings.Contains(out, "no longer kept by Kafka") {
		t.Errorf("show --out: %v, film %q, %v\n%s", ok, got, err, out)
	}
	record, err := os.ReadFile(filepath.Join(dir, "alert.json"))
	if err != nil || !strings.Contains(string(record), `"film": true`) {
		t.Errorf("alert.json: %v %s", err, record)
	}
	if out, ok := show(l.old.ID, "--out", dir); ok || !strings.Contains(out, "exists already") {
		t.Errorf("into the same folder: %v\n%s", ok, out)
	}
	now := time.Now()
	for _, tt := range []struct {
		raised, cleared time.Duration // before now; 0: it is open
		want            string
	}{
		{10 * time.Second, 0, "not ready yet"},
		{10 * time.Minute, 10*time.Minute - 20*time.Second, "none: no packets"},
		{10 * time.Minute, 0, "none: no packets"},
	} {
		v := alertlog.View{Alert: topics.Alert{ID: "fall/ward-1-0", At: now.Add(-tt.raised)}}
		if tt.cleared > 0 {
			at := now.Add(-tt.cleared)
			v.ClearedAt = &at
		}
		b, err := archive.OpenBucket(t.Context(), l.bucket)
		if err != nil {
			t.Fatal(err)
		}
		if text, has := (&pastAlerts{alertlog.New(alertlog.Options{Bucket: b, Now: func() time.Time { return now }})}).filmText(t.Context(), v); has || !strings.HasPrefix(text, tt.want) {
			t.Errorf("of an alert raised %v ago: %q, want %q", tt.raised, text, tt.want)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}
