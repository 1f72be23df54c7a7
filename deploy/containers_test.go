package deploy

import (
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What the image is made of is what the release is made of.
func TestImageIsPinnedAsTheReleaseIs(t *testing.T) {
	module := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, "../go.mod"))
	if image := read(t, "Dockerfile"); !strings.Contains(image, "ARG GO=docker.io/library/golang:"+module[1]+"-bookworm\n") {
		t.Errorf("the Dockerfile builds with another Go than go.mod's %s", module[1])
	}
	version, err := exec.Command("./setup.sh", "onnxruntime-version").Output()
	if err != nil {
		t.Fatal(err)
	}
	if cuda := read(t, "cuda.txt"); !strings.Contains(cuda, "\nonnxruntime-gpu=="+strings.TrimSpace(string(version))+" --hash=sha256:") {
		t.Errorf("cuda.txt has another ONNX Runtime than setup.sh's %s", version)
	}
}

// compose.yaml shows the demo, whole: cameras, rules and the words that they name.
func TestComposeShowsTheDemo(t *testing.T) {
	f, err := config.Open("compose/frostwatch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := process.CheckFile(f); err != nil || r.Rules == 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	clips, err := demo.Clips()
	if err != nil {
		t.Fatal(err)
	}
	films := read(t, "compose/compose.yaml")
	var cameras []string
	for _, c := range f.Config.Cameras {
		cameras = append(cameras, c.Name)
		if c.URL.Reveal() != "rtsp://cameras:8554/"+c.Name || !strings.Contains(films, "/films/"+c.Name+".mp4") {
			t.Errorf("%s is not served", c.Name)
		}
	}
	if !slices.Equal(cameras, clips) {
		t.Errorf("cameras %v, want %v", cameras, clips)
	}
	var ours, its struct{ Rules []map[string]any }
	if err := yaml.Unmarshal([]byte(read(t, "compose/frostwatch.yaml")), &ours); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(demo.Config(), &its); err != nil || !reflect.DeepEqual(ours, its) {
		t.Errorf("rules %v, want %v: %v", ours, its, err)
	}
	labels, err := vocab.ReadLabels(strings.NewReader(read(t, "compose/labels.txt")))
	if err != nil || !reflect.DeepEqual(labels, demo.Vocabulary()) {
		t.Errorf("labels %+v, want %+v: %v", labels, demo.Vocabulary(), err)
	}
}

// The chart computes names of groups and topics, for KEDA, and the grace period.
func TestTheChartKnowsTheDefaults(t *testing.T) {
	c, n := config.Default(), topics.Names{Prefix: topics.DefaultPrefix}
	helpers := read(t, "helm/frostwatch/templates/_helpers.tpl")
	for _, part := range []string{`default "frostwatch." $kafka.prefix`, `printf "frostwatch-%s" $stage`, `"%s-actions"`, `ternary "clips" "actions"`} {
		if !strings.Contains(helpers, part) {
			t.Fatalf("the helper has changed: no %s", part)
		}
	}
	got := []string{c.Infer.Group, c.Alerts.Group, c.Archive.Group, n.Of(topics.Clips), n.Of(topics.Actions)}
	if want := []string{"frostwatch-infer", "frostwatch-alerts", "frostwatch-archive", "frostwatch.clips", "frostwatch.actions"}; !slices.Equal(got, want) {
		t.Errorf("the chart asks KEDA to watch %v, and the program uses %v", want, got)
	}
	if seconds := 4 * int(bus.Grace.Seconds()); seconds > 20 || c.Kafka.Partitions != 12 {
		t.Errorf("a stage may take %d s to stop and the chart gives 20; %d partitions and the chart says 12", seconds, c.Kafka.Partitions)
	}
}

// The chart starts pods anew only for keys that a running stage does not take over.
func TestTheChartKnowsWhatIsReloaded(t *testing.T) {
	files, err := os.ReadDir("../cmd/frostwatch/process")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), "_test.go") || !strings.HasSuffix(f.Name(), ".go") {
			continue
		}
		for _, call := range regexp.MustCompile(`(?s)onReload\(func.*?\n?\t*\}, ((?:"[a-z.]+"(?:, )?)+)\)`).FindAllStringSubmatch(read(t, "../cmd/frostwatch/process/"+f.Name()), -1) {
			for _, key := range regexp.MustCompile(`[a-z.]+`).FindAllString(call[1], -1) {
				found[key] = true
			}
		}
	}
	want := []string{"cameras", "console.hosts", "console.proxies", "console.tokens", "console.users", "infer.bundle", "notify.profiles", "notify.receivers", "notify.verify", "rules"}
	var got []string
	for key := range found {
		got = append(got, key)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("stages take over %v; frostwatch.restart of the chart has %v", got, want)
	}
}
