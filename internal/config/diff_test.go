package config

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestDiffNamesKeysAndHidesSecrets(t *testing.T) {
	parse := func(text string) Config {
		t.Helper()
		c, err := Parse("f.yaml", []byte(text), noEnv)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := parse("redis: {password: hunter2}\ncameras: [{name: a, url: 'rtsp://u:hunter2@h/'}]\nrules: [{name: a, novel: true}]\n")
	after := parse("kafka: {brokers: ['a:1', 'b:2']}\nredis: {password: hunter3}\nlog: {level: debug}\nframer: {window: 5s, stride: 2s}\ncameras: [{name: b, url: 'rtsp://u:hunter2@h/'}]\nrules: [{name: b, novel: true}]\n")
	got := fmt.Sprint(Diff(before, after))
	want := `[kafka.brokers: [a:1 b:2] instead of [127.0.0.1:9092] redis.password log.level: "debug" instead of "info" framer.window: 5s instead of 4.267s framer.stride: 2s instead of 4 steps cameras rules]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if d := Diff(after, after); len(d) > 0 {
		t.Errorf("differs from itself by %v", d)
	}
}

func TestFileKnowsWhetherItChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipeline.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("log: {level: warn}\n")
	f, err := Open(path)
	if err != nil || f.Config.Log.Level != "warn" {
		t.Fatalf("%v, %+v", err, f.Config.Log)
	}
	write("log: {level: warn}\n")
	if f.Now() != f.Sum() {
		t.Error("written again with the same content: changed")
	}
	write("log: {level: info}\n")
	if f.Now() == f.Sum() {
		t.Error("another content of the same size: not changed")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if f.Now() != (Sum{}) {
		t.Error("the sum of a file that is gone is not zero")
	}
}
