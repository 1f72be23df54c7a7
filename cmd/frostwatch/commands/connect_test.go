package commands

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/up"
)

// closedAddress returns an address on which nothing listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestCommandsSayThatNothingRuns(t *testing.T) {
	dir := t.TempDir()
	gone := filepath.Join(dir, "gone") // an `up` ran here
	if err := os.Mkdir(gone, 0o755); err != nil {
		t.Fatal(err)
	}
	at := closedAddress(t)
	raw, err := json.Marshal(up.Endpoints{Kafka: at, Redis: at, Names: &up.Names{}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(gone, "endpoints.json"), string(raw))
	archived := filepath.Join(dir, "archived") // likewise, with an archive
	if err := os.MkdirAll(up.ArchiveDir(archived), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(archived, "endpoints.json"), string(raw))
	file := filepath.Join(dir, "pipeline.yaml")
	write(t, file, "kafka: {brokers: ['"+at+"']}\nredis: {address: '"+at+"'}\n")
	other := filepath.Join(dir, "other.yaml") // names servers that don't run, or none
	write(t, other, "kafka: {prefix: x.}\nredis: {prefix: 'x:'}\n")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"camera", "ls", "--config", other}, "Kafka at 127.0.0.1:9092, the default, since " + other + " names none, can't be reached"},
		{[]string{"vocab", "ls", "--config", other}, "; for a running `frostwatch up` leave out --config, or use --data"},
		{[]string{"archive", "check", "--data", filepath.Join(dir, "none")}, "nothing runs here (looked in " + filepath.Join(dir, "none")},
		{[]string{"archive", "check", "--data", archived}, "nothing runs here (looked in " + archived + "); start `frostwatch up`, or name --data or --config (--alone compares files without Kafka)"},
		{[]string{"archive", "ls", "--config", other}, "no archive: " + other + " names no archive.bucket; for that of `frostwatch up` leave out --config, or use --data"},
		{[]string{"camera", "ls", "--data", filepath.Join(dir, "none")}, "nothing runs here (looked in " + filepath.Join(dir, "none") + "); start `frostwatch up`, or name --data or --config"},
		{[]string{"camera", "ls", "--data", gone}, "nothing runs here (looked in " + gone},
		{[]string{"vocab", "ls", "--data", gone}, "nothing runs here (looked in " + gone},
		{[]string{"camera", "ls", "--config", file}, "Kafka at " + at + ", named in " + file + ", can't be reached"},
		{[]string{"vocab", "ls", "--config", file}, "Redis at " + at + ", named in " + file + ", can't be reached"},
	} {
		var out, errs bytes.Buffer
		if code := Run(t.Context(), Program{Args: c.args, Out: &out, Err: &errs}); code != 1 || !strings.Contains(errs.String(), c.want) || strings.Contains(errs.String(), "kafka.(*") {
			t.Errorf("%v: exit status %d, want 1 and %q:\n%s", c.args, code, c.want, errs.String())
		}
	}
}

// Commands work even if the file of `up` has an edit that `up` has refused.
func TestCommandsGoWhereUpRuns(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "other.yaml")
	raw, err := json.Marshal(up.Endpoints{Kafka: "127.0.0.1:1", Redis: "127.0.0.1:2", Config: file,
		Names: &up.Names{KafkaPrefix: "site.", RedisPrefix: "site:", Vocabulary: "night"}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "endpoints.json"), string(raw))
	for _, text := range []string{"framer: {window: 5s}\nkafka: {prefix: other.}\nredis: {database: 3, password: x}\n", "framer: {widow: 5s}\n"} {
		write(t, file, text)
		c, err := (&target{data: dir}).load()
		if err != nil {
			t.Fatal(err)
		}
		if c.Kafka.Brokers[0] != "127.0.0.1:1" || c.Kafka.Prefix != "site." || c.Redis.Address != "127.0.0.1:2" || c.Redis.Prefix != "site:" || c.Redis.Database != 0 || c.Redis.Password != "" || c.Vocab.Name != "night" {
			t.Errorf("got %+v", c)
		}
		if strings.Contains(text, "window") && c.Framer.Window.Seconds() != 5 {
			t.Errorf("window %v: not that of the file", c.Framer.Window)
		}
	}
}
