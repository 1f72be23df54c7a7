package starter

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/notify"
)

// full is what somebody may write, with all that YAML could take for something else.
var full = Options{
	Cameras: []Camera{{"door", "rtsp://u:${DOOR}@10.0.0.7/a?x=1&y={2}"}, {"yard", "rtsp://10.0.0.8/#stream"}},
	Watch:   []string{"person falling down", "bag: left \"behind\"", "人が倒れる", "Person falling down!", strings.Repeat("very ", 30) + "long"},
	Bundle:  "models/my model", Image: "registry.example:5000/frostwatch:v1.2.3", Kafka: []string{"k1:9092", "k2:9092", "k3:9092", "k4:9092"}, Redis: "redis:6379",
}

func TestWhatIsWrittenIsAConfiguration(t *testing.T) {
	for _, of := range []string{Machine, Stages} {
		b, err := Config(of, full)
		if err != nil {
			t.Fatalf("%s: %v", of, err)
		}
		c, err := config.Parse(of, b, anyVariable)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Cameras) != 2 || c.Cameras[0].URL.Reveal() != full.Cameras[0].URL || c.Infer.Bundle != full.Bundle {
			t.Errorf("%s: cameras and bundle are not those that were given:\n%s", of, b)
		}
		rules, err := alerts.Compile(c.Rules)
		if err != nil {
			t.Fatalf("%s: %v", of, err)
		}
		for i, r := range rules.Rules() {
			if len(r.Actions) != 1 || r.Actions[0] != full.Watch[i] {
				t.Errorf("%s: rule %s is about %q, want %q", of, r.Name, r.Actions, full.Watch[i])
			}
		}
		if of == Stages && (len(c.Kafka.Brokers) != 4 || c.Kafka.Replication != 3 || c.Archive.Bucket == "" || c.Ingest.Packets.Dir == "") {
			t.Errorf("stages:\n%s", b)
		}
	}
}

// Lines that are commented out are examples: whoever takes the sign away must not find a mistake.
func TestWhatIsCommentedOutIsRightToo(t *testing.T) {
	for _, of := range []string{Machine, Stages} {
		b, err := Config(of, Options{Bundle: "b", Kafka: []string{"k:1"}, Redis: "r:1"})
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("cameras: []\n#", "cameras:\n", "rules: []\n#", "rules:\n", "receivers: []", "receivers:", "docs/notify.md\n#", "docs/notify.md\n").Replace(string(b))
		text = regexp.MustCompile(`(?m)^#(  \S)`).ReplaceAllString(text, "$1")
		c, err := config.Parse(of, []byte(text), func(name string) (string, bool) {
			if name == "TELEGRAM_URL" {
				return "telegram://110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw7@telegram?chats=1", true
			}
			return "x", true
		})
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		rules, err := alerts.Compile(c.Rules)
		if err != nil || len(rules.Names()) != 1 || len(c.Cameras) != 1 {
			t.Errorf("%s: %d rules, %d cameras, %v\n%s", of, len(rules.Names()), len(c.Cameras), err, text)
		}
		if plan, err := notify.Compile(c.Notify.Receivers); err != nil || len(plan.Names()) != 1 {
			t.Errorf("%s: receivers: %v", of, err)
		}
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, Machine, full); err != nil {
		t.Fatal(err)
	}
	labels, err := os.ReadFile(filepath.Join(dir, LabelsFile))
	if err != nil || strings.Count(string(labels), "\n") != len(full.Watch) {
		t.Errorf("labels %q, %v", labels, err)
	}
	before, err := os.ReadFile(filepath.Join(dir, ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, Stages, full); err == nil {
		t.Error("a second configuration was written over the first")
	}
	if after, err := os.ReadFile(filepath.Join(dir, ConfigFile)); err != nil || string(after) != string(before) {
		t.Errorf("the file has changed: %v", err)
	}
}

// The chart makes of its values the configuration that was checked, and passwords stay
// where they are.
func TestValuesOfTheChart(t *testing.T) {
	b, err := Config(Kubernetes, full)
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Image          struct{ Repository, Tag string }
		Config         struct{ Kafka struct{ Brokers []string } }
		Cameras, Rules []struct{ Name, URL string }
		Secrets        struct{ Env, Cameras []string }
		Model          struct {
			Bundle string
			Volume map[string]any
		}
	}
	if err := yaml.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	if v.Image.Repository != "registry.example:5000/frostwatch" || v.Image.Tag != "v1.2.3" || len(v.Config.Kafka.Brokers) != 4 || len(v.Rules) != len(full.Watch) || v.Model.Bundle != full.Bundle || len(v.Model.Volume) != 1 {
		t.Errorf("the values are not those that were given:\n%s", b)
	}
	if len(v.Cameras) != 2 || v.Cameras[0].URL != full.Cameras[0].URL || !slices.Equal(v.Secrets.Cameras, []string{CameraSecret}) || !slices.Equal(full.Variables(), []string{"DOOR"}) {
		t.Errorf("cameras %v, secrets %v, variables %v", v.Cameras, v.Secrets, full.Variables())
	}
	o := full
	o.Cameras, o.Bundle = full.Cameras[1:], ""
	if b, err = Config(Kubernetes, o); err != nil || !strings.Contains(string(b), "cameras: []") {
		t.Errorf("%v, a Secret is wanted for cameras without a password:\n%s", err, b)
	}
}

// What values are no place for is refused.
func TestWhatValuesDoNotTake(t *testing.T) {
	o := full
	o.Cameras = []Camera{{Name: "door", URL: "rtsp://viewer:s3cret@10.0.0.7/stream1"}}
	if _, err := Config(Kubernetes, o); err == nil || !strings.Contains(err.Error(), "${NAME}") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a password in clear: %v", err)
	}
	o = full
	o.Image = "registry.example/frostwatch@sha256:0123"
	if _, err := Config(Kubernetes, o); err == nil || !strings.Contains(err.Error(), "image.digest") {
		t.Errorf("a digest: %v", err)
	}
}

func TestValuesThatAreCommentedOutAreRightToo(t *testing.T) {
	b, err := Config(Kubernetes, Options{Kafka: []string{"k:1"}, Redis: "r:1"})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("cameras: []\n#", "cameras:\n", "rules: []\n#", "rules:\n", "receivers: []", "receivers:", "docs/notify.md\n#", "docs/notify.md\n", "  volume: {}\n#", "").Replace(string(b))
	text = regexp.MustCompile(`(?m)^#(  \S|    \S)`).ReplaceAllString(text, "$1")
	read, err := ofValues([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	c, err := config.Parse("", read, anyVariable)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	rules, err := alerts.Compile(c.Rules)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := notify.Compile(c.Notify.Receivers)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Cameras) != 1 || len(rules.Names()) != 1 || len(plan.Names()) != 1 || c.Kafka.SASL.Mechanism == "" || c.Redis.Password.Reveal() == "" {
		t.Errorf("an example is still commented out:\n%s", text)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	o := full
	o.Cameras = []Camera{{"a b", "rtsp://h/s"}}
	if _, err := Config(Machine, o); err == nil || !strings.Contains(err.Error(), "cameras[0]") {
		t.Errorf("a wrong name: %v", err)
	}
	o = full
	o.Cameras = []Camera{{"door", "rstp://10.0.0.7/s"}}
	for _, of := range []string{Machine, Stages, Kubernetes} {
		dir := t.TempDir()
		if err := Write(dir, of, o); err == nil || !strings.Contains(err.Error(), "cameras[0]") || !strings.Contains(err.Error(), "rstp") {
			t.Errorf("%s: an unknown scheme: %v", of, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: left %v, %v", of, left, err)
		}
	}
	o = full
	o.Kafka = []string{"no port"}
	for _, of := range []string{Stages, Kubernetes} {
		if _, err := Config(of, o); err == nil || !strings.Contains(err.Error(), "kafka.brokers[0]") {
			t.Errorf("a wrong address: %v", err)
		}
	}
}

var update = flag.Bool("update", false, "write deploy/examples/frostwatch.yaml anew")

// The example of systemd's units is what `init stages` writes, so that there are not two.
func TestTheExampleIsWhatIsWritten(t *testing.T) {
	b, err := Config(Stages, Options{Bundle: "/var/lib/frostwatch/models/froster-b16", Kafka: []string{"127.0.0.1:9092"}, Redis: "127.0.0.1:6379", Dir: "/var/lib/frostwatch"})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(shared.Root(t), "deploy/examples/frostwatch.yaml")
	if *update {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if is, err := os.ReadFile(path); err != nil || string(is) != string(b) {
		t.Errorf("%s: %v, or it is another than (-update writes it):\n%s", path, err, b)
	}
}

// Comments stand in a column, whatever the values are, and what looks like one in a text is none.
func TestCommentsAreAligned(t *testing.T) {
	got := aligned("a: \"x # y\" # one\nb: 1     # two\n# all\nc: \"\\\" # z\"\n\nd: 2   # three")
	if want := "a: \"x # y\"  # one\nb: 1        # two\n# all\nc: \"\\\" # z\"\n\nd: 2  # three"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
