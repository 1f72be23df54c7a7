package agents

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// description is an API with what can be a tool and what can't.
const description = `{"openapi": "3.1.0", "paths": {
	"/api/v1/things": {
		"get": {"operationId": "list-things", "summary": "Things", "x-role": "viewer", "parameters": [{"name": "tag", "in": "query", "schema": {"type": "array"}}],
			"responses": {"200": {"content": {"application/json": {}}}}},
		"post": {"operationId": "add-thing", "summary": "Add one", "x-role": "operator", "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
			"responses": {"200": {"content": {"application/json": {}}}}}},
	"/api/v1/film": {"get": {"operationId": "get-film", "x-role": "viewer", "responses": {"200": {"content": {"video/mp4": {}}}}}},
	"/elsewhere": {"get": {"operationId": "elsewhere", "x-role": "viewer", "responses": {"200": {"content": {"application/json": {}}}}}},
	"/api/v1/odd": {"get": {"operationId": "odd name", "x-role": "viewer", "responses": {"200": {"content": {"application/json": {}}}}}},
	"/api/v1/all": {"get": {"operationId": "for-admins", "x-role": "admin", "responses": {"200": {"content": {"application/json": {}}}}}},
	"/api/v1/whole": {"get": {"operationId": "for-who-sees-all", "x-role": "viewer", "x-whole": true, "responses": {"200": {"content": {"application/json": {}}}}}},
	"/api/v1/none": {"get": {"operationId": "without-role", "responses": {"200": {"content": {"application/json": {}}}}}}},
	"components": {"schemas": {
		"Thing": {"type": "object", "properties": {"part": {"$ref": "#/components/schemas/Part"}}},
		"Part": {"type": "object", "properties": {"of": {"$ref": "#/components/schemas/Thing"}}},
		"Other": {"type": "string"}}}}`

// fake is a console, whose answers to things can be set.
type fake struct {
	*httptest.Server
	things http.HandlerFunc
	me     string
}

func startFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{me: `{"name": "bot", "role": "operator", "tags": ["ward"]}`}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/v1/me":
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, f.me)
		case "/api/v1/openapi.json":
			w.Header().Set("Content-Type", "application/openapi+json")
			_, _ = fmt.Fprint(w, description)
		default:
			f.things(w, r)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

// session is an agent's, with the tools by name.
func (f *fake) session(t *testing.T) (*mcp.ClientSession, map[string]*mcp.Tool) {
	t.Helper()
	at, err := url.Parse(f.URL)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), Options{Console: at, Token: "s3cret", Client: f.Client()})
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
	tools := map[string]*mcp.Tool{}
	for tool, err := range session.Tools(ctx, nil) {
		if err != nil {
			t.Fatal(err)
		}
		tools[tool.Name] = tool
	}
	return session, tools
}

func TestToolsAreWhatTheRoleMayCallAndAnAgentCanRead(t *testing.T) {
	_, tools := startFake(t).session(t)
	if len(tools) != 2 || tools["list-things"] == nil || tools["add-thing"] == nil {
		t.Fatalf("offered %v", tools)
	}
	if !tools["list-things"].Annotations.ReadOnlyHint || tools["add-thing"].Annotations.ReadOnlyHint {
		t.Error("what reads and what edits is not told apart")
	}
	schema, err := json.Marshal(tools["add-thing"].InputSchema)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"body":{"$ref":"#/$defs/Thing"}`, `"part":{"$ref":"#/$defs/Part"}`, `"required":["body"]`} {
		if !strings.Contains(string(schema), want) {
			t.Errorf("the schema lacks %s: %s", want, schema)
		}
	}
	if strings.Contains(string(schema), "Other") || strings.Contains(string(schema), "components") {
		t.Errorf("the schema has what it does not need: %s", schema)
	}
}

// What the console refuses to those who see some cameras only is offered to others alone.
func TestWhoSeesEveryCameraIsOfferedMore(t *testing.T) {
	f := startFake(t)
	f.me = `{"name": "bot", "role": "operator"}`
	if _, tools := f.session(t); len(tools) != 3 || tools["for-who-sees-all"] == nil {
		t.Fatalf("offered %v", tools)
	}
}

func TestACallIsARequest(t *testing.T) {
	f := startFake(t)
	f.things = func(w http.ResponseWriter, r *http.Request) {
		var body any
		_ = json.NewDecoder(r.Body).Decode(&body)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode([]any{r.Method, r.URL.RawQuery, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), body})
	}
	session, _ := f.session(t)
	for _, c := range []struct{ tool, arguments, want string }{
		{"list-things", `{"tag": ["a", "b&c"]}`, `["GET","tag=a%2Cb%26c","Bearer s3cret","",null]`},
		{"list-things", `{"tag": null}`, `["GET","","Bearer s3cret","",null]`},
		{"add-thing", `{"body": {"part": {"of": {}}}}`, `["POST","","Bearer s3cret","application/json",{"part":{"of":{}}}]`},
	} {
		r, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: c.tool, Arguments: json.RawMessage(c.arguments)})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(r.Content[0].(*mcp.TextContent).Text); r.IsError || got != c.want {
			t.Errorf("%s %s: %s", c.tool, c.arguments, got)
		}
	}
}

// What answers may be anything.
func TestWhatAConsoleAnswersIsBounded(t *testing.T) {
	f := startFake(t)
	asked := make(chan string, 1)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.Header.Get("Authorization") }))
	t.Cleanup(other.Close)
	session, _ := f.session(t)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"large": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for range maxText/1024 + 1 {
				_, _ = w.Write(make([]byte, 1024))
			}
		}, "too large"},
		"a page":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>") }, "can't be shown"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) }, "HTTP status 302, Found"},
		"a problem": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusConflict)
			_, _ = fmt.Fprint(w, `{"detail": "somebody was \u001b[31mfirst", "errors": [{"location": "body.part", "message": "is taken"}]}`)
		}, "first; body.part: is taken"},
	} {
		f.things = c.answer
		r, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "list-things"})
		if err != nil {
			t.Fatal(err)
		}
		if text := r.Content[0].(*mcp.TextContent).Text; !r.IsError || !strings.Contains(text, c.want) || strings.Contains(text, "\x1b") {
			t.Errorf("%s: %v %q", name, r.IsError, text)
		}
	}
	select {
	case token := <-asked:
		t.Errorf("the token went elsewhere: %q", token)
	default:
	}
	f.Close()
	r, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "list-things"})
	if err != nil {
		t.Fatal(err)
	}
	if text := r.Content[0].(*mcp.TextContent).Text; !r.IsError || !strings.Contains(text, "can't be asked") || strings.Contains(text, "s3cret") {
		t.Errorf("without a console: %s", text)
	}
}
