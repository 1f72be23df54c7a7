package access

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// Every example of docs/console.md lets somebody in.
func TestExamplesOfThePage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(shared.Root(t), "docs/console.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`(?m)^    console:\n(^    .*\n)+`).FindAllString(string(page), -1)
	if len(blocks) != 2 {
		t.Errorf("%d examples", len(blocks))
	}
	for _, block := range blocks {
		c, err := config.Parse("console.md", []byte(regexp.MustCompile(`(?m)^    `).ReplaceAllString(block, "")), func(string) (string, bool) { return "", false })
		if err != nil {
			t.Errorf("%v in\n%s", err, block)
			continue
		}
		users, err := Compile(c.Console)
		if n, tokens := users.Count(); err != nil || n+tokens != 1 {
			t.Errorf("%v, %d users, %d tokens in\n%s", err, n, tokens, block)
		}
	}
}
