package notify

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// Every example of docs/notify.md, and that of pipeline.yaml, is a receiver.
func TestExamplesOfThePage(t *testing.T) {
	page := file(t, "docs/notify.md")
	env := func(name string) (string, bool) {
		if name == "TELEGRAM_URL" {
			return "telegram://12345:" + strings.Repeat("t0ken", 7) + "@telegram?chats=12345", true
		}
		return "t0ken", true
	}
	kind := regexp.MustCompile(`^    (webhook|command|people|alertmanager|mqtt):`)
	whole, kinds := 0, 0
	for _, block := range regexp.MustCompile(`(?m)(^    .*\n)+`).FindAllString(page, -1) {
		switch {
		case strings.HasPrefix(block, "    notify:"):
			whole++
		case kind.MatchString(block):
			kinds++
			block = "    notify:\n      receivers:\n        - name: ops\n" + regexp.MustCompile(`(?m)^`).ReplaceAllString(strings.TrimRight(block, "\n"), "      ")
		default:
			continue
		}
		c, err := config.Parse("notify.md", []byte(regexp.MustCompile(`(?m)^    `).ReplaceAllString(block, "")), env)
		if err != nil {
			t.Errorf("%v in\n%s", err, block)
			continue
		}
		v, wrong := CompileVerify(c.Notify.Verify)
		is := 0
		if v != nil {
			is = 1
		}
		if p, err := Compile(c.Notify.Receivers); err != nil || wrong != nil || len(p.Names())+min(len(c.Notify.Profiles), 1)+is != 1 {
			t.Errorf("%v, %v, receivers %q in\n%s", err, wrong, p.Names(), block)
		}
	}
	if whole < 1 || kinds < 6 {
		t.Errorf("found %d and %d examples", whole, kinds)
	}
	sample := regexp.MustCompile(`(?m)^  receivers: \[\].*\n((?:#    .*\n)+)`).FindStringSubmatch(file(t, "pipeline.yaml"))
	if sample == nil {
		t.Fatal("pipeline.yaml has no example")
	}
	if p := plan(t, strings.ReplaceAll(sample[1], "#    ", "")); len(p.Names()) != 1 {
		t.Errorf("receivers of pipeline.yaml: %q", p.Names())
	}
	sample = regexp.MustCompile(`(?m)^  verify: {}.*\n((?:#    .*\n)+)`).FindStringSubmatch(file(t, "pipeline.yaml"))
	if sample == nil {
		t.Fatal("pipeline.yaml has no example of verify")
	}
	usual, err := CompileVerify(verifyOf(t, strings.ReplaceAll(sample[1], "#    ", "")))
	if err != nil {
		t.Fatal(err)
	}
	// What it says of defaults is so.
	bare, err := CompileVerify(verifyOf(t, "{url: 'https://api.example.com/v1', model: eyes-7b}"))
	if usual.When = bare.When; err != nil || !usual.Same(bare) {
		t.Errorf("pipeline.yaml has %+v, the defaults are %+v, %v", usual.Verify, bare.Verify, err)
	}
}

func verifyOf(t *testing.T, text string) config.Raw {
	t.Helper()
	raw, err := config.RawOf("verify", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func file(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(shared.Root(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
