package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// edits is a process whose configuration is edited.
type edits struct {
	*rig
	path string

	mu    sync.Mutex
	lines []string
}

func (e *edits) write(t *testing.T, text string) {
	t.Helper()
	// At once: a file that is read while it is still empty is refused.
	part := e.path + ".part"
	if err := os.WriteFile(part, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(part, e.path); err != nil {
		t.Fatal(err)
	}
}

func (e *edits) said(line string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.lines, line)
}

func (e *edits) warning() string { return e.reporter.look().Warnings["configuration"] }

func newEdits(t *testing.T, text string) *edits {
	t.Helper()
	e := &edits{rig: &rig{}, path: filepath.Join(t.TempDir(), "pipeline.yaml")}
	e.write(t, text)
	file, err := config.Open(e.path)
	if err != nil {
		t.Fatal(err)
	}
	log, err := telemetry.NewLogger(&e.log, "info", "text")
	if err != nil {
		t.Fatal(err)
	}
	e.Process, err = Open(t.Context(), Options{
		Config: file.Config, File: file, Logger: log, Service: "frostwatch-alerts", Version: "test", Overridden: []string{"http.listen"},
		OnEdit: func(line string) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.lines = append(e.lines, line)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const fall, fight = "{name: fall, actions: [falling down]}", "{name: fight, actions: [fighting]}"

// There is no Kafka here: edits take effect all the same.
func TestEditsAreTakenOverAndConfirmed(t *testing.T) {
	const kafka = "kafka: {brokers: ['127.0.0.1:1']}\n"
	e := newEdits(t, kafka+"rules: ["+fall+"]\n")
	parts, err := e.Alerts()
	if err != nil {
		t.Fatal(err)
	}
	// Another part that reloads, and may refuse.
	var refuse error
	commits := 0
	e.onReload(func(config.Config) (func() []string, error) {
		return func() []string { commits++; return nil }, refuse
	}, "alerts.group")
	stop := e.run(t, append(parts, e.Following()...)...)

	e.write(t, kafka+"rules: ["+fall+", "+fight+"]\n")
	await(t, "a rule to be added", func() bool { return e.said("rule fight added") })
	e.write(t, kafka+"rules: ["+strings.Replace(fall, "fall,", "fall, severity: info,", 1)+"]\n")
	await(t, "a rule to be changed", func() bool { return e.said("rule fall changed") && e.said("rule fight removed") })

	e.write(t, kafka+"rules: [{name: fall, clips: 9 of 2}]\n")
	await(t, "the mistake to be reported", func() bool { return strings.Contains(e.warning(), "is not in force") })
	if _, body := get(t, e.base+"/metrics"); !strings.Contains(body, "frostwatch_config_last_reload_successful 0") || !strings.Contains(body, "frostwatch_config_last_reload_success_timestamp_seconds") {
		t.Errorf("the metrics lack the failed reload:\n%s", body)
	}
	if n := strings.Count(e.log.String(), "configuration not reloaded"); n != 1 {
		t.Errorf("the mistake was logged %d times:\n%s", n, e.log.String())
	}
	// A key that needs a restart, one of another stage, one that is overridden, and
	// a secret.
	e.write(t, kafka+"log: {level: debug}\nframer: {window: 5s}\nhttp: {listen: '127.0.0.1:0'}\nredis: {password: hunter2}\nrules: ["+fall+"]\n")
	await(t, "the restart to be asked for", func() bool { return strings.Contains(e.warning(), "next start") })
	if want := `takes effect at the next start: redis.password, log.level: "debug" instead of "info"`; e.warning() != want {
		t.Errorf("warning %q, want %q", e.warning(), want)
	}
	if log := e.log.String(); strings.Contains(log, "hunter2") || !strings.Contains(log, "takes effect at the next start") {
		t.Errorf("log:\n%s", log)
	}
	e.write(t, kafka+"rules: ["+fall+"]\n")
	await(t, "the warning to end", func() bool { return e.warning() == "" })
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// Frames get the size of the model at ingest's start: an edit is named, whether a start helps or not.
func TestAnEditOfTheFramesSizeIsNamed(t *testing.T) {
	text := func(side string) string {
		return "framer: {short_side: " + side + "}\nrules: [" + fall + "]\n"
	}
	e := newEdits(t, text("224")) // without a bundle the demo model stands for it, which takes 112 px
	e.stages, e.overridden = append(e.stages, "ingest"), append(e.overridden, "framer.short_side")
	e.fitFrames()
	for side, want := range map[string]string{
		"300": "framer.short_side: 300 has no effect: frames of 112 px are what model frost-mini takes",
		"96":  "takes effect at the next start: framer.short_side: 96 instead of 112",
		"224": "",
	} {
		e.write(t, text(side))
		if _, err := e.putInForce(); err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := e.withoutEffect(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", side, got, want)
		}
	}
	_ = e.Close(context.Background())
}

// All parts check an edit before any acts on it.
func TestAReloadIsWholeOrNotAtAll(t *testing.T) {
	e := newEdits(t, "rules: ["+fall+"]\n")
	if _, err := e.Alerts(); err != nil {
		t.Fatal(err)
	}
	no := errors.New("no such folder")
	for _, empty := range []string{"", "\n", "# rules:\n", "---\n", "{}\n"} {
		e.write(t, empty)
		if lines, err := e.putInForce(); err == nil || !strings.HasSuffix(err.Error(), `is empty: an editor that was interrupted leaves such a file; to have no rules, write "rules: []"`) || len(lines) > 0 {
			t.Errorf("%q: %v, %v", empty, lines, err)
		}
	}
	e.onReload(func(config.Config) (func() []string, error) { return nil, no }, "infer.bundle")
	e.write(t, "rules: ["+fight+"]\n")
	if lines, err := e.putInForce(); !errors.Is(err, no) || len(lines) > 0 {
		t.Errorf("%v, %v", lines, err)
	}
	e.reloadables = e.reloadables[:len(e.reloadables)-1]
	if lines, err := e.putInForce(); err != nil || fmt.Sprint(lines) != "[rule fight added rule fall removed]" {
		t.Errorf("%v, %v: the rules of the refused file are in force", lines, err)
	}
	_ = e.Close(context.Background())
}

// Where a person watches, each trouble is one line, another trouble of the same part is
// another line, and the log does not repeat it.
func TestTroubleIsSaidOnce(t *testing.T) {
	e := newEdits(t, "kafka: {brokers: ['127.0.0.1:1']}\n")
	var mu sync.Mutex
	var lines []string
	e.onTrouble = func(kind, line string) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, kind+" "+line)
	}
	said := func(line string) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return slices.Contains(lines, line) }
	}
	known, now := newReports(), time.Now()
	look := func() {
		e.report(t.Context(), now, known, e.reporter.look())
		now = now.Add(changeTime)
	}
	e.reporter.Problem("kafka", nil)
	e.reporter.Problem("vocabulary", errors.New("Redis is away"))
	e.reporter.Warning("backlog", errors.New("33 s late"))
	e.reporter.Warning("camera a", errors.New("no route")) // has a line of its own
	look()
	e.reporter.Warning("backlog", errors.New("34 s late"))
	look()
	e.reporter.Problem("vocabulary", errors.New("the key is not a hash")) // another problem
	look()
	e.reporter.Problem("vocabulary", nil)
	e.reporter.Warning("backlog", nil)
	e.reporter.Warning("rule g", errors.New("no camera matches"))
	look()
	e.reporter.Warning("rule g", errors.New("no label flying")) // another reason
	look()
	e.reporter.Warning("rule g", nil)
	look()
	want := "problem vocabulary: Redis is away|problem backlog: 33 s late|problem vocabulary: the key is not a hash|solved vocabulary|problem rule g: no camera matches|" +
		"solved backlog|problem rule g: no label flying|solved rule g"
	if got := strings.Join(lines, "|"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	stop := e.run(t, e.Following()...)
	e.write(t, "log: {noise: debug}\n")
	await(t, "the refused edit", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "problem configuration not reloaded") })
	})
	e.write(t, "log: {level: debug}\n")
	await(t, "the file to be right again", said("solved configuration: the file can be read again and is in force"))
	await(t, "the edit for the next start", said(`problem configuration: takes effect at the next start: kafka.brokers: [127.0.0.1:9092] instead of [127.0.0.1:1], log.level: "debug" instead of "info"`))
	e.write(t, "kafka: {brokers: ['127.0.0.1:1']}\n")
	await(t, "nothing to wait for the next start", said("solved configuration: nothing waits for the next start any more"))
	if err := stop(); err != nil {
		t.Error(err)
	}
	if log := e.log.String(); strings.Contains(log, "not reloaded") || strings.Contains(log, "next start") {
		t.Errorf("the log repeats it:\n%s", log)
	}
}

// An edit of a key that a flag outranks is named.
func TestAnEditThatAFlagOutranksIsNamed(t *testing.T) {
	e := newEdits(t, "infer: {bundle: models/a}\n")
	e.outranked = map[string]string{"infer.bundle": "--model"}
	e.onReload(func(config.Config) (func() []string, error) { return func() []string { return nil }, nil }, "infer.bundle")
	for text, want := range map[string]string{
		"infer: {bundle: models/b}\n":                      `does not count, because --model is given: infer.bundle: "models/b" instead of "models/a"; start without it`,
		"infer: {bundle: models/b}\nlog: {level: debug}\n": `takes effect at the next start: log.level: "debug" instead of "info"; does not count, because --model`,
		"infer: {bundle: models/a}\n":                      "",
	} {
		e.write(t, text)
		if _, err := e.putInForce(); err != nil {
			t.Fatal(err)
		}
		if err := e.withoutEffect(); err == nil && want != "" || err != nil && (want == "" || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	_ = e.Close(context.Background())
}

// An edit is compared with what `up` has put in the place of the file's value; one that asks for
// just that waits for nothing.
func TestEditsAreComparedWithWhatIsInForce(t *testing.T) {
	running, edited := config.Default(), config.Default()
	running.Archive.Retention.Size, running.Ingest.Packets.Total = 4e9, 2e9
	edited.Archive.Retention.Size, edited.Ingest.Packets.Total = 6e9, 2e9
	p := &Process{Config: running, file: config.File{Config: config.Default()}, edited: edited, stages: []string{"archive", "ingest"}}
	if got := fmt.Sprint(p.needsRestart()); got != "[archive.retention.size: 6GB instead of 4GB]" {
		t.Errorf("waiting: %s", got)
	}
}
