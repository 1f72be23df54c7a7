package bus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/segmentio/kafka-go"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

func TestDeadLetter(t *testing.T) {
	m := bus.Message{Topic: "clips", Partition: 3, Offset: 42, Key: []byte("lobby"), Value: []byte("x"), Headers: []bus.Header{{Key: "traceparent", Value: []byte("t")}}}
	for _, c := range []struct{ name, why, want string }{
		{"short", "id is empty", "id is empty"},
		{"at the bound", strings.Repeat("a", 500), strings.Repeat("a", 500)},
		{"long", strings.Repeat("a", 1<<20), strings.Repeat("a", 497) + "…"},
		{"cut within a character", "ab" + strings.Repeat("€", 400), "ab" + strings.Repeat("€", 165) + "…"},
		{"not UTF-8", "a\xff\xfeb", "ab"},
	} {
		t.Run(c.name, func(t *testing.T) {
			letter := m.DeadLetter("dead", "infer", errors.New(c.why))
			got := bus.HeaderCarrier{Headers: &letter.Headers}
			if reason := got.Get(topics.HeaderReason); reason != c.want || !utf8.ValidString(reason) || len(reason) > 500 {
				t.Errorf("reason of %d bytes: %q", len(reason), reason)
			}
			for key, want := range map[string]string{
				"traceparent": "t", topics.HeaderStage: "infer", topics.HeaderTopic: "clips", topics.HeaderPartition: "3", topics.HeaderOffset: "42",
			} {
				if got.Get(key) != want {
					t.Errorf("%s is %q, want %q", key, got.Get(key), want)
				}
			}
			if letter.Topic != "dead" || string(letter.Key) != "lobby" || string(letter.Value) != "x" || len(m.Headers) != 1 {
				t.Errorf("got %+v of %+v", letter, m)
			}
		})
	}
}

func TestDeadLettersAreSentOrCountedAsLost(t *testing.T) {
	m := bus.Message{Topic: "clips", Partition: 3, Offset: 42, Key: []byte("lobby"), Value: []byte("x")}
	away := errors.New("kafka is away")
	for _, c := range []struct {
		name       string
		answer     error
		want       error
		sent, lost int64
	}{
		{"taken", nil, nil, 1, 0},
		{"refused for good", fmt.Errorf("send: %w", kafka.MessageSizeTooLarge), nil, 1, 1},
		{"not taken in time", away, away, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			reader, reports := sdkmetric.NewManualReader(), stagetest.NewReports()
			var sent []bus.Message
			d, err := bus.NewDeadLetters(bus.DeadLetterOptions{
				Topic: "dead", Stage: "infer", Logger: slog.New(slog.DiscardHandler),
				Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test"), Reporter: reports,
				Send: func(_ context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
					sent = append(sent, msgs...)
					return make([]topics.RecordRef, len(msgs)), c.answer
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Add(t.Context(), m, errors.New("no clip")); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if len(sent) != 1 || sent[0].Topic != "dead" || string(sent[0].Value) != "x" {
				t.Errorf("sent %+v", sent)
			}
			got := stagetest.Counts(t, reader)
			if got["frostwatch.dead_letters"] != c.sent || got["frostwatch.dead_letters_lost"] != c.lost {
				t.Errorf("counted %v", got)
			}
			if err := reports.WarningOf("dead letters of infer"); err == nil || !strings.Contains(err.Error(), "can't be used: no clip") {
				t.Errorf("reported %v", err)
			}
		})
	}
}

// The log holds a short clean reason, whatever the record made the error quote.
func TestTheLogQuotesNoRecord(t *testing.T) {
	var log bytes.Buffer
	d, err := bus.NewDeadLetters(bus.DeadLetterOptions{
		Topic: "dead", Stage: "infer", Logger: slog.New(slog.NewTextHandler(&log, nil)), Meter: noop.Meter{}, Reporter: telemetry.Quiet{},
		Send: func(context.Context, ...bus.Message) ([]topics.RecordRef, error) {
			return make([]topics.RecordRef, 1), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Add(t.Context(), bus.Message{Topic: "t"}, errors.New("it says \u202e"+strings.Repeat("x", 1<<20))); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "it says") || log.Len() > 2000 || strings.Contains(log.String(), "202e") {
		t.Errorf("the log is %.200s, of %d bytes", log.String(), log.Len())
	}
}
