package e2e

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// agentLooks starts the MCP server as agents do, and looks at a camera.
func agentLooks(t *testing.T, data string) {
	client := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.CommandTransport{Command: exec.Command(program(t), "mcp", "--data", data)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := session.Close(); err != nil {
			t.Errorf("hang up: %v", err)
		}
	}()
	call := func(tool string, arguments map[string]any) *mcp.CallToolResult {
		t.Helper()
		r, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: arguments})
		if err != nil || r.IsError || len(r.Content) != 1 {
			t.Fatalf("%s: %v %+v", tool, err, r)
		}
		return r
	}
	if text := call("get-camera", map[string]any{"camera": "room_fall"}).Content[0].(*mcp.TextContent).Text; !strings.Contains(text, `"state":"streaming"`) {
		t.Errorf("get-camera: %s", text)
	}
	if p, is := call("get-loop", map[string]any{"camera": "room_fall"}).Content[0].(*mcp.ImageContent); !is || p.MIMEType != "image/jpeg" || !strings.HasPrefix(string(p.Data), "\xff\xd8") {
		t.Errorf("get-loop is no picture")
	}
}
