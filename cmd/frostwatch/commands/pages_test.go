package commands

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// inline is a command in the text of a page.
var inline = regexp.MustCompile("`(frostwatch [a-z][^`]*)`")

// Whoever copies a command from a page must not be told that there is no such command or
// flag. What it does is tried elsewhere.
func TestThePagesNameCommandsAndFlagsThatExist(t *testing.T) {
	root := (Program{}).root()
	pages, err := filepath.Glob("../../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, page := range append(pages, "../../../README.md", "../../../CHANGELOG.md", "../../../pipeline.yaml") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range commandsOf(string(text)) {
			tried++
			if wrong := wrongIn(root, line); wrong != "" {
				t.Errorf("%s: %q: %s", filepath.Base(page), line, wrong)
			}
		}
	}
	if tried < 100 {
		t.Errorf("only %d commands were found in the pages", tried)
	}
}

// pflag takes what is in backquotes in a flag's text for the name of its value.
func TestFlagsHaveNoBackquotesInTheirTexts(t *testing.T) {
	all := []*cobra.Command{(Program{}).root()}
	for len(all) > 0 {
		c := all[0]
		all = append(all[1:], c.Commands()...)
		look := func(f *pflag.Flag) {
			if strings.Contains(f.Usage, "`") {
				t.Errorf("%s --%s: %s", c.CommandPath(), f.Name, f.Usage)
			}
		}
		c.Flags().VisitAll(look)
		c.PersistentFlags().VisitAll(look)
	}
}

// Whoever begins at the README finds every page.
func TestTheReadmeListsEveryPage(t *testing.T) {
	index, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("../../../docs/*.md")
	if err != nil || len(pages) < 15 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		if link := "- [docs/" + filepath.Base(page) + "]"; !strings.Contains(string(index), link) {
			t.Errorf("no line that begins with %s", link)
		}
	}
}

// commandsOf are the commands of a page: lines of examples, and those in its text.
func commandsOf(page string) (out []string) {
	for line := range strings.Lines(page) {
		if example, is := strings.CutPrefix(line, "    "); is {
			example = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(example), "$ "), "./")
			if strings.HasPrefix(example, "frostwatch ") {
				example, _, _ = strings.Cut(example, " #")
				example, _, _ = strings.Cut(example, " | ")
				out = append(out, example)
			}
			continue
		}
		for _, m := range inline.FindAllStringSubmatch(line, -1) {
			out = append(out, m[1])
		}
	}
	return out
}

// wrongIn is what the program has not of a command line.
func wrongIn(root *cobra.Command, line string) string {
	var words []string
	for _, w := range word.FindAllString(strings.ReplaceAll(line, `"`, "'"), -1) {
		words = append(words, strings.Trim(w, "'[],.;:"))
	}
	cmd := root
	for _, w := range words[1:] {
		name, _, _ := strings.Cut(w, "=")
		if flag, is := strings.CutPrefix(name, "--"); is {
			if flag != "help" && cmd.Flag(flag) == nil {
				return "no flag --" + flag
			}
			continue
		}
		first, _, _ := strings.Cut(w, "|") // "ls|rm" are two
		if at := subcommand(cmd, first); at != nil {
			cmd = at
		} else if cmd == root || !cmd.Runnable() && cmd.HasSubCommands() {
			return "no command " + w
		}
	}
	return ""
}

func subcommand(cmd *cobra.Command, name string) *cobra.Command {
	for _, c := range cmd.Commands() {
		if c.Name() == name {
			return c
		}
	}
	return nil
}
