package console

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/frostwatch/frostwatch/console/agents"
)

// agent is an MCP client of a console, as who has a token.
func agent(t *testing.T, server *httptest.Server, token string) (*mcp.ClientSession, []string) {
	t.Helper()
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	s, err := agents.New(t.Context(), agents.Options{Console: at, Token: token, Version: "test", Client: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	here, there := mcp.NewInMemoryTransports()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, there) }()
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test"}, nil).Connect(ctx, here, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = session.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	var names []string
	for tool, err := range session.Tools(ctx, nil) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, tool.Name)
	}
	return session, names
}

// use calls a tool, and returns the text that it answers.
func use(t *testing.T, s *mcp.ClientSession, tool string, arguments string) (text string, failed bool) {
	t.Helper()
	r, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: json.RawMessage(arguments)})
	if err != nil {
		return err.Error(), true
	}
	for _, c := range r.Content {
		if c, is := c.(*mcp.TextContent); is {
			text += c.Text
		}
	}
	return text, r.IsError
}

// An agent is offered what its role may do, and sees what its tags say.
func TestAnAgentIsWhoItsTokenNames(t *testing.T) {
	_, server := guarded(t, slog.New(slog.DiscardHandler))
	edits := []string{"mark-alert", "mark-alerts", "silence-alert", "undo-decision"}
	for _, role := range []string{"viewer", "operator"} {
		session, names := agent(t, server, role+secret)
		if !slices.Contains(names, "list-cameras") || !slices.Contains(names, "get-alert") || slices.Contains(names, "get-film") {
			t.Errorf("%s is offered %q", role, names)
		}
		for _, edit := range edits {
			if slices.Contains(names, edit) != (role != "viewer") {
				t.Errorf("%s is offered %q", role, names)
			}
		}
		if text, failed := use(t, session, "list-cameras", `{}`); failed || !strings.Contains(text, `"camera":"lobby"`) || !strings.Contains(text, "vault") {
			t.Errorf("%s: %s", role, text)
		}
		if text, failed := use(t, session, "get-camera", `{"camera": "lobby"}`); failed || !strings.Contains(text, `"climbing in lobby"`) {
			t.Errorf("%s: %s", role, text)
		}
	}
	session, _ := agent(t, server, "limited"+secret)
	if text, failed := use(t, session, "list-cameras", `{}`); failed || strings.Contains(text, "vault") || !strings.Contains(text, "lobby") {
		t.Errorf("limited: %s", text)
	}
	if text, failed := use(t, session, "get-camera", `{"camera": "vault"}`); !failed || text != "there is no camera vault" {
		t.Errorf("limited: %s", text)
	}
}

// What an agent does wrong is said in words that it can mend it by.
func TestAnAgentIsToldWhatIsWrong(t *testing.T) {
	_, server := guarded(t, slog.New(slog.DiscardHandler))
	session, _ := agent(t, server, "operator"+secret)
	for _, c := range []struct{ tool, arguments, want string }{
		{"get-camera", `{}`, "camera: want a name"},
		{"get-camera", `{"camera": ".."}`, "camera: want a name"},
		{"get-camera", `{"camera": {"a": 1}}`, "camera: want a text"},
		{"get-camera", `{"camera": "../../health"}`, "there is no camera ../../health"},
		{"get-camera", `{"camera": "lobby", "clip": "x"}`, `there is no argument "clip": there are camera`},
		{"get-camera", fmt.Sprintf(`{"camera": %q}`, strings.Repeat("x", 1000)), "path.camera: expected length <= 64"},
		{"get-loop", `{"camera": "lobby", "clip": "?x=1&camera=vault"}`, "Kafka no longer keeps the clip"},
		{"mark-alert", `{"id": "lobby-1"}`, "body is missing"},
		{"mark-alert", `{"id": "lobby-1", "body": {"mark": "perhaps"}}`, "body.mark"},
		{"list-alerts", `{"limit": "many"}`, "query.limit"},
		{"list-alerts", `[]`, "object"},
	} {
		if text, failed := use(t, session, c.tool, c.arguments); !failed || !strings.Contains(text, c.want) {
			t.Errorf("%s %s: %s, want %q", c.tool, c.arguments, text, c.want)
		}
	}
}

func TestAnAgentWithoutATokenIsRefused(t *testing.T) {
	_, server := guarded(t, slog.New(slog.DiscardHandler))
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"", "a-token-of-nobody-0123456789-0123456789"} {
		_, err := agents.New(t.Context(), agents.Options{Console: at, Token: token})
		if err == nil || !strings.Contains(err.Error(), "console.tokens") || token != "" && strings.Contains(err.Error(), token) {
			t.Errorf("with token %q: %v", token, err)
		}
	}
}
