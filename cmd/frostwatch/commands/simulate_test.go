package commands

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/fleet"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/topics"
)

// The ledger of a fleet has exactly the clips that the cluster has, in their places.
func TestSimulateFleet(t *testing.T) {
	broker, dir := kafkatest.StartEmbedded(t), t.TempDir()
	client, err := bus.New(bus.Options{Brokers: []string{broker.Addr()}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	names := topics.Names{Prefix: "f."}
	if err := client.Ensure(t.Context(), bus.TopicSpecs(names, 3, 1)); err != nil {
		t.Fatal(err)
	}
	config, ledger := filepath.Join(dir, "pipeline.yaml"), filepath.Join(dir, "ledger.jsonl")
	if err := os.WriteFile(config, fmt.Appendf(nil, "kafka: {brokers: [%q], prefix: f.}\n", broker.Addr()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, code := simulate(t, "--config", config, "--cameras", "5", "--clips", "4", "--speed", "50", "--size", "64x48", "--ledger", ledger)
	if code != 0 || !strings.Contains(out, "5 cameras") || !strings.Contains(out, "20 clips, 20 acknowledged") {
		t.Fatalf("exit status %d, %s\n%s", code, errs, out)
	}
	file, err := os.Open(ledger)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	entries, err := fleet.ReadLedger(file)
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]topics.RecordRef{}
	for _, e := range entries {
		at[e.Clip] = *e.At
	}
	found := 0
	err = client.ReadAll(t.Context(), names.Of(topics.Clips), time.Time{}, false, func(m bus.Message) error {
		c, err := topics.DecodeClip(m.Value)
		if want := (topics.RecordRef{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset}); err == nil && at[c.ID] != want {
			err = fmt.Errorf("%s is at %v, and by the ledger at %v", c.ID, want, at[c.ID])
		}
		found++
		return err
	})
	if err != nil || found != 20 || len(at) != 20 {
		t.Errorf("%d clips, %d in the ledger, %v", found, len(at), err)
	}
}

func TestSimulateSaysWhatIsWrong(t *testing.T) {
	for want, args := range map[string][]string{
		`--size "large"`: {"--size", "large"},
		`--begin "yesterday": want a time such as`: {"--begin", "yesterday"},
		"nothing runs here":                        {"--data", t.TempDir()},
		"--ledger: open":                           {"--ledger", filepath.Join(t.TempDir(), "absent", "ledger")},
		"want no arguments, got":                   {"now"},
	} {
		if _, errs, code := simulate(t, args...); code != 1 || !strings.Contains(errs, want) {
			t.Errorf("%v: exit status %d, %s, want %q", args, code, errs, want)
		}
	}
}

func simulate(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	code = Run(t.Context(), Program{Args: append([]string{"simulate", "fleet"}, args...), Out: &o, Err: &e})
	return o.String(), e.String(), code
}
