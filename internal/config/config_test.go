package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"

	"github.com/frostwatch/frostwatch/topics"
)

func noEnv(string) (string, bool) { return "", false }

func pipeline(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(shared.Root(t), "pipeline.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The committed file is the documentation: it must be what holds without it,
// name every key, and explain each.
func TestPipelineYAMLIsTheDefaults(t *testing.T) {
	text := pipeline(t)
	got, err := Parse("pipeline.yaml", []byte(text), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if want := Default(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, key := range keys(reflect.TypeFor[Config](), "") {
		last := key[strings.LastIndexByte(key, '.')+1:]
		line := regexp.MustCompile(`(?m)^ +` + last + `: .*# \S|^ +` + last + `:$|^` + last + `:`)
		if !line.MatchString(text) {
			t.Errorf("%s is not in pipeline.yaml with an explanation", key)
		}
	}
}

// keys are the paths of all keys outside the lists of cameras and rules.
func keys(t reflect.Type, path string) []string {
	var out []string
	for i := range t.NumField() {
		f := t.Field(i)
		key := path + f.Tag.Get("yaml")
		if hasKeys(f.Type) && f.Type != reflect.TypeFor[Raw]() {
			out = append(out, keys(f.Type, key+".")...)
			continue
		}
		out = append(out, key)
	}
	return out
}

func TestTheCommentedExamplesHold(t *testing.T) {
	text := strings.NewReplacer("cameras: []  ", "cameras:", "rules: []", "rules:", "  sets: []", "  sets:", "  receivers: []", "  receivers:", "  profiles: []", "  profiles:", "  verify: {}", "  verify:", "  users: []", "  users:", "  tokens: []", "  tokens:").Replace(pipeline(t))
	c, err := Parse("pipeline.yaml", []byte(regexp.MustCompile(`(?m)^#  `).ReplaceAllString(text, "  ")), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Cameras) != 1 || c.Cameras[0].URL.Reveal() != "rtsp://viewer:${LOBBY_PASSWORD}@10.0.0.7/stream1" {
		t.Errorf("cameras: %+v", c.Cameras)
	}
	if p := c.Notify.Profiles; len(p) != 1 || p[0].Name != "home" || len(p[0].Disarm) != 1 || len(p[0].Disarm[0].CameraTags) != 1 {
		t.Errorf("profiles: %+v", p)
	}
	if len(c.Vocab.Sets) != 1 {
		t.Errorf("sets: %+v", c.Vocab.Sets)
	}
	if len(c.Console.Users) != 1 || len(c.Console.Tokens) != 1 {
		t.Errorf("users and tokens: %+v", c.Console)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "framer:\n  widow: 4s\n", "f.yaml:2: framer.widow: unknown key: want one of window, stride"},
		{"unknown key beside a single one", "http: {listn: x}\n", "f.yaml:1: http.listn: unknown key: want listen"},
		{"unknown section", "frames: {}\n", "f.yaml:1: frames: unknown key: want one of kafka, redis"},
		{"unit missing", "framer:\n  window: 4\n", `f.yaml:2: framer.window: "4": want a number with a unit`},
		{"wrong unit", "framer:\n  window: 4 parsec\n", `f.yaml:2: framer.window: "4 parsec": want a number with a unit`},
		{"wrong type", "kafka:\n  partitions: many\n", `f.yaml:2: kafka.partitions: "many": want a whole number`},
		{"out of range", "\nframer:\n  jpeg_quality: 300\n", "f.yaml:3: framer.jpeg_quality: 300: want 1 to 100"},
		{"two at once", "framer:\n  jpeg_quality: 0\ninfer:\n  provider: tpu\n", "f.yaml:4: infer.provider: \"tpu\": want cpu, cuda, tensorrt\nf.yaml:2: framer.jpeg_quality: 0: want 1 to 100"},
		{"half a certificate", "redis:\n  tls:\n    enabled: true\n    cert: a.pem\n", "f.yaml:2: redis.tls: want both cert and key, or neither"},
		{"tls that is off", "redis:\n  tls:\n    ca: a.pem\n", "f.yaml:2: redis.tls: enabled is false: want it true where another key is set"},
		{"sentinel without a master", "redis:\n  sentinel:\n    addresses: [\"a:1\"]\n", "f.yaml:2: redis.sentinel: want both the name of the master and addresses of sentinels, or neither"},
		{"address of a sentinel", "redis:\n  sentinel:\n    master: m\n    addresses: [a]\n", `redis.sentinel.addresses[0]: "a": want host:port`},
		{"an assignment in place of a name", "ingest:\n  env: [\"LOBBY=hunter2\"]\n", "ingest.env[0]: want the name of an environment variable, as LOBBY_PASSWORD, without ${}"},
		{"address", "redis:\n  address: localhost\n", `f.yaml:2: redis.address: "localhost": want host:port`},
		{"missing variable", "redis:\n  password: ${NOPE}\n", "f.yaml:2: redis.password: the environment variable NOPE is not set"},
		{"tab", "log:\n\tlevel: info\n", "f.yaml:2: a tab: indent with spaces"},
		{"key twice", "log:\n  level: info\n  level: warn\n", "f.yaml:3:"},
		{"anchor", "kafka: &a\n  prefix: x\n", "anchors, aliases and tags"},
		{"merge", "log:\n  <<: {level: warn}\n", "f.yaml:2: log.<<: want a plain key"},
		{"several unknown keys", "log:\n  a: 1\nframer:\n  b: 2\n", "f.yaml:2: log.a: unknown key\nf.yaml:4: framer.b: unknown key"},
		{"fraction", "kafka:\n  partitions: 1.5\n", `f.yaml:2: kafka.partitions: "1.5": want a whole number`},
		{"password as a number", "redis:\n  password: 0123\n", "f.yaml:2: redis.password: want a text"},
		{"password as keys", "redis:\n  password: {hunter2: 1}\n", "f.yaml:2: redis.password: keys: want a text"},
		{"password in an address", "redis:\n  address: redis://:hunter2@h\n", "f.yaml:2: redis.address: \"***\": want host:port"},
		{"list for keys", "kafka: [1]\n", "f.yaml:1: kafka: a list: want the keys brokers, prefix"},
		{"text for a list", "kafka:\n  brokers: a:1\n", `f.yaml:2: kafka.brokers: "a:1": want a list`},
		{"reference not closed", "redis:\n  password: ${PW\n", "f.yaml:2: redis.password: a ${ that is not ${NAME}"},
		{"second document", "log: {level: debug}\n---\nlog: {level: warn}\n", "f.yaml:3: a second document"},
		{"stride of a camera", "cameras:\n  - name: a\n    url: rtsp://h/\n    stride: 1ms\n", "f.yaml:4: cameras[0].stride: 1ms: want 50ms to 1h0m0s"},
		{"stride in words", "framer:\n  stride: often\n", `f.yaml:2: framer.stride: "often": want a number of steps such as "4 steps"`},
		{"stride far below the window", "framer:\n  window: 1m\n  stride: 100ms\n", "f.yaml:3: framer.stride: 100ms in a window of 1m0s: want at least a hundredth of it"},
		{"unknown view", "framer:\n  views: [centre, wide]\n", `f.yaml:2: framer.views: view "wide": want centre, tiles, squash or zoom`},
		{"zoom alone", "framer:\n  views: [zoom]\n", "f.yaml:2: framer.views: view zoom: want another view before it, as in [centre, zoom]"},
		{"no view", "framer:\n  views: []\n", "f.yaml:2: framer.views: want at least one of centre, tiles"},
		{"views of a camera", "cameras:\n  - name: a\n    url: rtsp://h/\n    views: [tiles, tiles]\n", "f.yaml:2: cameras[0]: camera a: view tiles: it is named twice"},
		{"short side that no reader takes", "framer:\n  short_side: 1537\n", "f.yaml:2: framer.short_side: 1537: want 16 to 1536"},
		{"certificate without its key", "kafka:\n  tls:\n    enabled: true\n    cert: a.pem\n", "f.yaml:2: kafka.tls: want both cert and key"},
		{"authorities without TLS", "kafka:\n  tls:\n    ca: a.pem\n", "kafka.tls: enabled is false"},
		{"mechanism", "kafka:\n  sasl:\n    mechanism: GSSAPI\n", `f.yaml:3: kafka.sasl.mechanism: "GSSAPI": want , PLAIN, SCRAM-SHA-256`},
		{"login without a mechanism", "kafka:\n  sasl:\n    password: hunter2\n", "kafka.sasl.mechanism: empty: want PLAIN"},
		{"login without a name", "kafka:\n  sasl:\n    mechanism: PLAIN\n", "kafka.sasl.username: empty"},
		{"wrong everywhere", "kafka:\n  brokers: [" + strings.Repeat("a,", 1000) + "]\n", "f.yaml: 980 more"},
		{"mask of a camera", "cameras:\n  - name: a\n    url: rtsp://h/\n    masks: [\"0,0 0.5\"]\n", `f.yaml:4: cameras[0].masks[0]: polygon "0,0 0.5": corner "0.5": want corners as fractions of the picture's width and height`},
		{"zone of a camera", "cameras:\n  - name: a\n    url: rtsp://h/\n    zones:\n      door: \"0,0 0.5\"\n", `f.yaml:5: cameras[0].zones.door: polygon "0,0 0.5": corner "0.5": want corners as fractions of the picture's width and height`},
		{"name of a zone", "cameras:\n  - name: a\n    url: rtsp://h/\n    zones: {\"the door\": \"0,0 1,1\"}\n", `f.yaml:2: cameras[0]: camera a: zone "the door": want a name of 1 to 64 letters`},
		{"mask in pixels", "cameras:\n  - name: a\n    url: rtsp://h/\n    masks: [\"0,0 640,360\"]\n", `f.yaml:2: cameras[0]: camera a: mask: corner 640,360: want fractions of the picture, 0 to 1`},
		{"profile that chooses nothing", "notify:\n  profiles:\n    - name: home\n      disarm: [{}]\n", `f.yaml:4: notify.profiles[0].disarm[0]: want rules, cameras or camera_tags; cameras: ["*"] disarms all`},
		{"profiles that nobody can name", "notify:\n  profiles:\n    - name: a/b\n    - name: home\n    - name: home\n", "f.yaml:3: notify.profiles[0].name: profile \"a/b\": want 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit\nf.yaml:5: notify.profiles[2].name: duplicate name \"home\""},
		{"glob of a profile", "notify:\n  profiles:\n    - name: home\n      disarm: [{rules: [\"[\"]}]\n", `f.yaml:4: notify.profiles[0].disarm[0]: rules: "[": want a name or a glob such as ward-*`},
		{"bad camera", "cameras:\n  - name: a/b\n    url: rtsp://u:hunter2@h/\n", "f.yaml:2: cameras[0]: camera name \"a/b\""},
		{"vocabulary of a camera", "cameras:\n  - name: a\n    url: rtsp://h/\n    vocabulary: a/b\n", `f.yaml:2: cameras[0]: camera a: vocabulary "a/b": want 1 to 64 letters`},
		{"a set without cameras", "vocab:\n  sets:\n    - name: hospital\n", "f.yaml:3: vocab.sets[0]: want cameras or camera_tags"},
		{"a set's name and glob", "vocab:\n  sets:\n    - name: a/b\n      cameras: ['[']\n", "f.yaml:3: vocab.sets[0].name: vocabulary \"a/b\": want 1 to 64\nf.yaml:4: vocab.sets[0].cameras[0]: \"[\": want a name or a glob"},
		{"not YAML", "a: [b\n", "f.yaml:"},
		{"anchor in a raw part", "rules:\n  - &a {name: a}\n", "f.yaml:2: rules[0]: anchors, aliases and tags"},
		{"variable in a raw part", "rules:\n  - name: a\n    severity: ${NOPE}\n", "f.yaml:3: rules[0].severity: the environment variable NOPE is not set"},
		{"deep raw part", "rules: " + strings.Repeat("[", 20) + strings.Repeat("]", 20) + "\n", "nested too deeply"},
		{"not a mapping", "- 1\n", "f.yaml:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(c.text), noEnv)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range strings.Split(c.want, "\n") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a password is in %v", err)
			}
		})
	}
}

// Editors of Windows put a mark before UTF-8, or save UTF-16.
func TestFilesOfWindowsEditors(t *testing.T) {
	const text = "framer:\r\n  window: 3s\r\n"
	c, err := Parse("p.yaml", []byte("\xef\xbb\xbf"+text), noEnv)
	if err != nil || c.Framer.Window != 3*time.Second {
		t.Errorf("window %v: %v", c.Framer.Window, err)
	}
	for _, mark := range []string{"\xff\xfe", "\xfe\xff"} {
		if _, err := Parse("p.yaml", []byte(mark+text), noEnv); err == nil || !strings.Contains(err.Error(), "p.yaml: it is UTF-16: save it as UTF-8") {
			t.Errorf("%q: %v", mark, err)
		}
	}
}

func TestEnvironmentAndSecrets(t *testing.T) {
	env := func(name string) (string, bool) { return "s3cret\nlog: {level: debug}", name == "PW" }
	c, err := Parse("f.yaml", []byte("redis:\n  password: \"a${PW}$$\"\ncameras:\n  - name: a\n    url: rtsp://u:${CAM}@h/\n"), env)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Redis.Password.Reveal(); got != "as3cret\nlog: {level: debug}$" || c.Log.Level != "info" {
		t.Errorf("password %q, level %s", got, c.Log.Level)
	}
	if c.Cameras[0].URL.Reveal() != "rtsp://u:${CAM}@h/" {
		t.Errorf("url %q: its worker expands it", c.Cameras[0].URL.Reveal())
	}
	for _, printed := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%q", c.Redis.Password)} {
		if strings.Contains(printed, "s3cret") || strings.Contains(printed, "rtsp://u") {
			t.Errorf("a secret is printed: %s", printed)
		}
	}
}

func TestValuesAsPeopleWriteThem(t *testing.T) {
	env := func(name string) (string, bool) {
		return map[string]string{"N": "7", "D": "4s", "PW": "0123"}[name], true
	}
	text := "kafka:\n  partitions: ${N}\nframer:\n  \"window\": ${D}\ninfer:\n  max_age: 0\n  top_k:\ntelemetry:\n  trace_ratio: 1\nredis:\n  password: >-\n    ${PW}\n"
	c, err := Parse("f.yaml", []byte(text), env)
	if err != nil {
		t.Fatal(err)
	}
	if c.Kafka.Partitions != 7 || c.Framer.Window != 4*time.Second || c.Infer.MaxAge != 0 || c.Infer.TopK != 10 || c.Telemetry.TraceRatio != 1 || c.Redis.Password.Reveal() != "0123" {
		t.Errorf("got %+v, password %q", c, c.Redis.Password.Reveal())
	}
}

// Only the package that decodes a raw part knows its keys.
func TestRawParts(t *testing.T) {
	type item struct {
		Name string        `yaml:"name"`
		Wait time.Duration `yaml:"wait"`
	}
	env := func(name string) (string, bool) { return "$${hunter2}", name == "PW" }
	for _, c := range []struct{ name, text, want string }{
		{"left out", "", "[]"},
		{"empty", "rules: []\n", "[]"},
		{"null", "rules:\n", "[]"},
		{"environment, once", "rules:\n  - {name: 'a ${PW} $$'}\n", "[{a $${hunter2} $ 0s}]"},
		{"durations", "rules:\n  - {wait: 2m}\n  - {wait: 0}\n", "[{ 2m0s} { 0s}]"},
		{"unknown key", "log: {level: debug}\nrules:\n  - title: a\n", "f.yaml:3: rules[0].title: unknown key: want one of name, wait"},
		{"unit missing", "rules:\n  - wait: 2\n", `f.yaml:2: rules[0].wait: "2": want a number with a unit`},
		{"key twice", "rules:\n  - name: a\n    name: b\n", "f.yaml:3:"},
		{"keys for a list", "rules:\n  name: a\n", "f.yaml:2: rules: keys: want a list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var items []item
			config, err := Parse("f.yaml", []byte(c.text), env)
			if err == nil {
				for range 2 { // decoding changes nothing
					items = nil
					if _, err = config.Rules.Decode(&items); err != nil {
						break
					}
				}
			}
			got := fmt.Sprint(items)
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	c, err := Parse("f.yaml", []byte("rules:\n  - {name: a}\n  - {name: b}\n"), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	var items []item
	part, err := c.Rules.Decode(&items)
	if err != nil {
		t.Fatal(err)
	}
	if err := part.Err(); err != nil {
		t.Errorf("nothing is wrong: %v", err)
	}
	part.Wrong("[1]", "is not a")
	if err := part.Err(); err == nil || err.Error() != "f.yaml:3: rules[1]: is not a" {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(pipeline(f))
	f.Add("rules:\n  - {name: a, novel: true, clips: 1 of 2}\n")
	f.Add("redis: {password: '${A}$$', ? x : y}\ninfer: {max_age: 0}\n---\n")
	f.Add("log: &a {<<: *a, level: !!str |\n info}\n")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = Parse("f.yaml", []byte(text), noEnv) })
}

func TestTheVocabularyOfACamera(t *testing.T) {
	c, err := Parse("f.yaml", []byte("vocab:\n  name: site\n  sets:\n    - {name: hospital, cameras: [\"ward-*\"]}\n    - {name: logistics, camera_tags: [store]}\n    - {name: both, cameras: [\"yard-*\"], camera_tags: [night]}\n"), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	for want, of := range map[string]topics.Camera{
		"site":      {Name: "lobby"},
		"hospital":  {Name: "ward-1", Tags: []string{"store"}},
		"logistics": {Name: "hall", Tags: []string{"indoor", "store"}},
		"own":       {Name: "ward-2", Vocabulary: "own"},
		"both":      {Name: "yard-1", Tags: []string{"night"}},
	} {
		if got := c.Vocab.Of(of); got != want {
			t.Errorf("%+v has %s, want %s", of, got, want)
		}
	}
	if got := c.Vocab.Of(topics.Camera{Name: "yard-1"}); got != "site" {
		t.Errorf("a camera with one of two conditions has %s", got)
	}
}
