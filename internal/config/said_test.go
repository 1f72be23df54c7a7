package config

import (
	"fmt"
	"strings"
	"testing"
)

// A secret that was put at a wrong key, or in an address, is not in the error about it.
func TestErrorsRepeatNoSecret(t *testing.T) {
	env := func(name string) (string, bool) {
		return map[string]string{"PASS": "hunter2 SECRET", "LONG": strings.Repeat("SECRET-9 ", 30), "SHORT": "xy"}[name], true
	}
	const at = "f.yaml:1: "
	for text, want := range map[string]string{
		`kafka: {brokers: "u:SECRET@h:1"}`:                                     at + `kafka.brokers: "***@h:1": want a list`,
		`kafka: {brokers: ["u:SECRET@h:1"]}`:                                   `"***": want host:port`,
		`kafka: {prefix: "https://x/SECRET"}`:                                  at + `kafka.prefix: "https://x/***": want at most`,
		`kafka: {sasl: {mechanism: "${PASS}"}}`:                                at + "kafka.sasl.mechanism: ${PASS}: want , PLAIN",
		`kafka: {sasl: {mechanism: "a${PASS}-${SHORT}"}}`:                      "kafka.sasl.mechanism: ${PASS} and ${SHORT}: want",
		`kafka: {partitions: "${LONG}"}`:                                       "kafka.partitions: ${LONG}: want a whole number",
		`log: {level: "${SHORT}"}`:                                             "log.level: ${SHORT}: want debug",
		`log: {level: "0123456789abcdef0123SECRET"}`:                           `log.level: "***": want debug`,
		`console: {listen: "http://u:SECRET@h"}`:                               `console.listen: "http://***@h" with what hosts`,
		`console: {users: [{name: "${PASS}", role: a, password_file: a}]}`:     "console.users[0].name: ${PASS}: want letters",
		`ingest: {protocols: ["rtsp://u:SECRET@h/"]}`:                          `ingest.protocols[0]: "rtsp://***@h/": want rtsp`,
		`framer: {stride: "${PASS}"}`:                                          "framer.stride: ${PASS}: want",
		`cameras: [{name: "https://x/SECRET", url: "rtsp://h/"}]`:              `camera name "https://x/***"`,
		`cameras: [{name: "a/${PASS}", url: "rtsp://h/"}]`:                     "camera name ${PASS}",
		`cameras: [{name: a, url: "rtsp://h/", masks: ["0,0 ${PASS}"]}]`:       "corner ${PASS}",
		`notify: {profiles: [{name: "https://x/SECRET"}]}`:                     `profile "https://x/***"`,
		`vocab: {sets: [{name: ok, cameras: ["[${PASS}"]}]}`:                   "vocab.sets[0].cameras[0]: ${PASS}: want",
		`redis: {"https://u:SECRET@h": 1}`:                                     "***@h: unknown key",
		`redis: {"0123456789abcdef0123SECRET": 1}`:                             "redis.***: unknown key",
		`rules: ["${PASS}", {"u:SECRET@h": 1}]`:                                at + "rules[0]: ${PASS}: want",
		`rules: [{name: a, wait: "${PASS}"}, {name: "https://u:${LONG}@x/y"}]`: "rules[0].wait: ${PASS}: want",
	} {
		c, err := Parse("f.yaml", []byte(text), env)
		if err == nil {
			var items []struct {
				Name string `yaml:"name"`
				Wait Bytes  `yaml:"wait"`
			}
			_, err = c.Rules.Decode(&items)
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// Problems that other packages find name keys of the file, too.
func TestProblemsOfOthersRepeatNoSecret(t *testing.T) {
	env := func(name string) (string, bool) { return "SECRET-12", name == "PASS" }
	f, err := parse("f.yaml", []byte("infer: {runtime: '${PASS}'}\n"), env)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Wrong("infer.runtime", "open SECRET-12: no such file").Error(); got != "f.yaml:1: infer.runtime: open ${PASS}: no such file" {
		t.Error(got)
	}
	if got := f.Said(`rule a: it notifies "SECRET-12", not rtsp://u:SECRET@h/`); got != "rule a: it notifies ${PASS}, not rtsp://***@h/" {
		t.Error(got)
	}
	if got := fmt.Sprintf("%v %+v", f, f); strings.Count(got, "SECRET") > strings.Count(fmt.Sprintf("%v %+v", f.Config, f.Config), "SECRET") {
		t.Errorf("the file prints what its variables hold: %s", got)
	}
}

func TestShownValuesHaveNoLogin(t *testing.T) {
	c, err := Parse("f.yaml", []byte("archive: {bucket: 's3://past?region=x&credential=SECRET&auth=SECRET'}\n"+
		"infer: {bundle: 'https://u:pa/SECRET9@h/x'}\ningest: {allow: ['rtsp://u:SEC@RET10@h/', 10.0.0.0/8]}\n"+
		"notify: {receivers: [{name: 'https://x/SECRET'}]}\n"), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range (File{Config: c}).Settings() {
		got[s.Key] = s.Value
	}
	for key, want := range map[string]string{
		"archive.bucket":   `"s3://past?region=x&credential=***&auth=***"`,
		"infer.bundle":     `"https://***@h/***"`,
		"ingest.allow":     "[rtsp://***@h/ 10.0.0.0/8]",
		"notify.receivers": "1: https://x/***",
	} {
		if got[key] != want {
			t.Errorf("%s: %s, want %s", key, got[key], want)
		}
	}
	if changes := fmt.Sprint(Diff(Default(), c)); strings.Contains(changes, "SECRET") || strings.Contains(changes, "RET10") {
		t.Error(changes)
	}
}
