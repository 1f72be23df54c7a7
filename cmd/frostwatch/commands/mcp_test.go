package commands

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhereAnAgentFindsTheConsole(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "endpoints.json"), []byte(`{"console": "127.0.0.1:18070"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flags agentFlags
		want  string
	}{
		{agentFlags{target: target{data: dir}}, "http://127.0.0.1:18070"},
		{agentFlags{console: "https://cams.example.com/"}, "https://cams.example.com"},
		{agentFlags{console: "http://127.0.0.1:8070"}, "http://127.0.0.1:8070"},
		{agentFlags{target: target{data: filepath.Join(dir, "none")}}, "nothing runs here"},
		{agentFlags{target: target{config: "pipeline.yaml"}}, "name it with --console"},
		{agentFlags{console: "cams.example.com"}, "want an address"},
		{agentFlags{console: "https://cams.example.com/review"}, "want an address"},
		{agentFlags{console: "https://anna:s3cret@cams.example.com"}, "want an address"},
		{agentFlags{console: "https://cams.example.com?token=s3cret"}, "want an address"},
		{agentFlags{console: "https://cams.example.com:s3cret"}, "want an address"},
	} {
		var got string
		if at, err := c.flags.address(); err != nil {
			got = err.Error()
		} else {
			got = at.String()
		}
		if !strings.Contains(got, c.want) || strings.Contains(got, "s3cret") {
			t.Errorf("%+v: %s", c.flags, got)
		}
	}
}

func TestAnAgentsTokenIsNotSentInTheClear(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(" s3cret-token-of-more-than-32-characters\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := Run(t.Context(), Program{Args: []string{"mcp", "--console", "http://cams.example.com", "--token-file", file}, Out: &out, Err: &errs})
	if code == 0 || out.Len() > 0 || !strings.Contains(errs.String(), "in the clear") || strings.Contains(errs.String(), "s3cret") {
		t.Errorf("%d %s %s", code, &out, &errs)
	}
	for _, c := range []struct{ content, want string }{{"", "want one token"}, {"two tokens", "want one token"}, {strings.Repeat("x", maxToken+1), "want one token"}} {
		if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := (&agentFlags{tokenFile: file}).token(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20q: %v", c.content, err)
		}
	}
	for host, want := range map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true, "10.0.0.1": false, "localhost.example.com": false} {
		if onThisMachine(host) != want {
			t.Errorf("%s: want %v", host, want)
		}
	}
}
