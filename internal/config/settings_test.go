package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSettingsSayWhereAValueComesFrom(t *testing.T) {
	t.Setenv("PASS", "hunter2")
	t.Setenv("HOST", "k1")
	path := filepath.Join(t.TempDir(), "f.yaml")
	text := "kafka:\n  brokers: [\"${HOST}:9092\", \"k2:9092\"]\n  sasl: {mechanism: PLAIN, username: a, password: \"${PASS}\"}\n" +
		"cameras:\n  - {name: door, url: \"rtsp://u:p@h/s\"}\n  - {name: gate, url: \"rtsp://h/s\"}\n" +
		"rules:\n  - {name: fall, actions: [a fall]}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Setting{}
	for _, s := range f.Settings() {
		got[s.Key] = s
	}
	for key, want := range map[string]Setting{
		"kafka.brokers":       {Value: "[k1:9092 k2:9092]", From: path + ":2, environment HOST", Set: true},
		"kafka.sasl.password": {Value: "***", From: path + ":3, environment PASS", Set: true},
		"kafka.partitions":    {Value: "12", From: FromDefault},
		"redis.password":      {Value: `""`, From: FromDefault},
		"cameras":             {Value: "2: door, gate", From: path + ":4", Set: true},
		"rules":               {Value: "1: fall", From: path + ":7", Set: true},
		"notify.receivers":    {Value: "none", From: FromDefault},
	} {
		want.Key = key
		if got[key] != want {
			t.Errorf("%s: got %+v, want %+v", key, got[key], want)
		}
	}
}

// What `up` puts in the place of the file's values is said to be its own, and times and sizes are
// as people write them.
func TestSettingsInForce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.yaml")
	text := "kafka: {brokers: [\"k:1\"]}\narchive: {bucket: \"s3://past?region=x&secret_key=hunter2\", retention: {films: 1500MB}}\ningest: {watchdog: 90s}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	c := f.Config
	c.Kafka = c.Kafka.At("127.0.0.1:19092")
	c.Ingest.Packets.Dir, c.Archive.Retention.Size = "data/packets", 20e9
	got := map[string]Setting{}
	for _, s := range f.InForce(c) {
		got[s.Key] = s
	}
	for key, want := range map[string]Setting{
		"kafka.brokers":             {Value: "[127.0.0.1:19092]", From: FromUp, Set: true, OfFile: "[k:1]"},
		"ingest.packets.dir":        {Value: `"data/packets"`, From: FromUp, OfFile: `""`},
		"archive.retention.size":    {Value: "20GB", From: FromUp, OfFile: "0"},
		"archive.retention.films":   {Value: "1500MB", From: path + ":2", Set: true},
		"archive.retention.actions": {Value: "90d", From: FromDefault},
		"archive.bucket":            {Value: `"s3://past?region=x&secret_key=***"`, From: path + ":2", Set: true},
		"ingest.watchdog":           {Value: "1m30s", From: path + ":3", Set: true},
		"ingest.backoff.max":        {Value: "1m", From: FromDefault},
		"framer.accept_view":        {Value: "1h", From: FromDefault},
	} {
		want.Key = key
		if got[key] != want {
			t.Errorf("%s: got %+v, want %+v", key, got[key], want)
		}
	}
}

// Every key of the documented file is shown, so that none is forgotten when one is added.
func TestSettingsHaveEveryKey(t *testing.T) {
	shown := map[string]bool{}
	for _, s := range (File{Config: Default()}).Settings() {
		if shown[s.Key] = true; s.From != FromDefault {
			t.Errorf("%s is %s by default, from %s", s.Key, s.Value, s.From)
		}
	}
	for _, c := range Diff(Config{}, Default()) {
		if !shown[c.Key] {
			t.Errorf("%s is not shown", c.Key)
		}
	}
}
