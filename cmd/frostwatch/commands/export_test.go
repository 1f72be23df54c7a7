package commands

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/eval/export"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/topics"
)

func runExport(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = Run(t.Context(), Program{Args: append([]string{"export", "clips"}, args...), Out: &stdout, Err: &stderr})
	return stdout.String(), stderr.String(), code
}

// Clips of topics under another prefix become a set, which is described.
func TestExportClips(t *testing.T) {
	dir, broker := t.TempDir(), kafkatest.StartEmbedded(t)
	t0 := time.Now().Add(-5 * time.Minute).Truncate(time.Second)
	recordClips(t, broker.Addr(), "site.clips", t0)
	config, labels, out := filepath.Join(dir, "pipeline.yaml"), filepath.Join(dir, "labels.csv"), filepath.Join(dir, "set")
	write(t, config, fmt.Sprintf("kafka: {brokers: [%q], prefix: site.}\n", broker.Addr()))
	write(t, labels, fmt.Sprintf("camera,start,end,label\nlob*,%d,%d,falling down\nlobby,%d,%d,waving\n", t0.Unix(), t0.Unix()+8, t0.Unix()+100, t0.Unix()+108))
	said, errs, code := runExport(t, "--config", config, "--camera", "lobby", "--since", "10m", "--labels", labels, "--out", out)
	if code != 0 {
		t.Fatalf("status %d: %s", code, errs)
	}
	for _, want := range []string{
		"falling down                                    3        0",
		"left out because no interval touches them: 3",
		"labels.csv:3: no clip of lobby from",
		"3 clips to train on and 0 to validate (0.0%), from",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}
	if b, err := os.ReadFile(filepath.Join(out, "classes.txt")); err != nil || string(b) != "falling down\n" {
		t.Errorf("classes.txt is %q, %v", b, err)
	}
}

func TestAnExportTellsWhatItLeftOut(t *testing.T) {
	said := describeSet(&export.Set{Train: 290, Val: 30, Records: export.Counts{Otherwise: 7}}, "set")
	for _, want := range []string{"a label that is not asked for: 7", "30 to validate (9.4%)"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}
}

// recordClips sends six clips of four seconds each, one after the other.
func recordClips(t *testing.T, addr, topic string, t0 time.Time) {
	t.Helper()
	b, err := bus.New(bus.Options{Brokers: []string{addr}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := b.Ensure(ctx, []bus.TopicSpec{{Name: topic, Partitions: 2, Replication: 1}}); err != nil {
		t.Fatal(err)
	}
	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 16, 16)), nil); err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		c := topics.Clip{Camera: "lobby", Epoch: t0, Start: time.Duration(i) * 3 * time.Second, Window: 4 * time.Second, Width: 16, Height: 16}
		c.ID = topics.ClipID(c.Camera, c.Epoch, c.Start)
		for range 8 {
			c.Frames = append(c.Frames, topics.ClipFrame{JPEG: picture.Bytes(), Captured: c.StartTime()})
		}
		value, err := topics.EncodeClip(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Send(ctx, bus.Message{Topic: topic, Key: []byte(c.Camera), Value: value, Time: c.EndTime()}); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Mistakes in the flags or the CSV are reported even where no broker runs.
func TestExportMistakesAreToldAtOnce(t *testing.T) {
	dir := t.TempDir()
	labels := filepath.Join(dir, "labels.csv")
	write(t, labels, "camera,start,end,label\nlobby,1795613162,1795613170,falling\nlobby,soon,later,falling\n")
	write(t, filepath.Join(dir, "endpoints.json"), `{"kafka":"127.0.0.1:1","redis":"127.0.0.1:1"}`) // not to be asked
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"csv", []string{"--since", "1h", "--labels", labels}, labels + `:3: start "soon": want RFC 3339`},
		{"no csv", []string{"--since", "1h", "--labels", filepath.Join(dir, "none.csv")}, "read labelled intervals: open"},
		{"since", []string{"--since", "yesterday", "--label", "x"}, `--since "yesterday": want RFC 3339`},
		{"until", []string{"--since", "1h", "--until", "2h", "--label", "x"}, "is not before until"},
		{"no label", []string{"--since", "1h"}, "want exactly one --label"},
		{"no since", []string{"--label", "x"}, `required flag(s) "since" not set`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, errs, code := runExport(t, append(c.args, "--data", dir, "--camera", "*", "--out", filepath.Join(dir, "set"))...)
			if code != 1 || !strings.Contains(errs, c.want) {
				t.Errorf("status %d, %q, want %q", code, errs, c.want)
			}
		})
	}
}
