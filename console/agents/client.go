package agents

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/frostwatch/frostwatch/topics"
)

// client asks the console.
type client struct {
	http    *http.Client
	console *url.URL
	token   string
}

func newClient(o Options) client {
	h := http.Client{}
	if o.Client != nil {
		h = *o.Client
	}
	// The token is for the console alone.
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client{http: &h, console: o.Console, token: o.Token}
}

// answer is what the console answered.
type answer struct {
	status int
	kind   string
	body   []byte
}

var errLarge = errors.New("the answer is too large: ask for less, as with limit or a shorter time")

// do sends a request, and reads an answer of at most so many bytes; a picture may have
// maxPicture. target is a path with its query, both escaped.
func (c client) do(ctx context.Context, method, target string, body []byte, most int64) (a answer, err error) {
	at, err := c.console.Parse(target)
	if err != nil {
		return a, fmt.Errorf("ask the console: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return a, fmt.Errorf("ask the console: %w", err)
	}
	if method != http.MethodGet {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	got, err := c.http.Do(r)
	if err != nil {
		if e := (*url.Error)(nil); errors.As(err, &e) { // it has the whole address
			err = e.Err
		}
		return a, fmt.Errorf("the console at %s can't be asked: %w", c.console.Host, err)
	}
	defer func() { _ = got.Body.Close() }()
	a.status = got.StatusCode
	a.kind, _, _ = mime.ParseMediaType(got.Header.Get("Content-Type")) // empty: none that is known
	if a.kind == "image/jpeg" {
		most = maxPicture
	}
	a.body, err = io.ReadAll(io.LimitReader(got.Body, most+1))
	switch {
	case err != nil:
		return a, fmt.Errorf("read the answer of the console at %s: %w", c.console.Host, err)
	case int64(len(a.body)) > most:
		return a, errLarge
	}
	return a, nil
}

// read gets something that must be there.
func (c client) read(ctx context.Context, path string, into any) error {
	a, err := c.do(ctx, http.MethodGet, path, nil, maxDescription)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK || a.kind != "application/json" && a.kind != "application/openapi+json" {
		return fmt.Errorf("the console at %s: %s", c.console.Host, a.problem())
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return fmt.Errorf("the console at %s answers %s with what can't be read: %w", c.console.Host, path, err)
	}
	return nil
}

// problem is why the console refuses.
func (a answer) problem() string {
	var p struct {
		Detail string `json:"detail"`
		Errors []struct {
			Message  string `json:"message"`
			Location string `json:"location"`
		} `json:"errors"`
	}
	if a.kind == "application/problem+json" && json.Unmarshal(a.body, &p) == nil && p.Detail != "" {
		text := []string{p.Detail}
		for _, e := range p.Errors {
			text = append(text, e.Location+": "+e.Message)
		}
		return topics.Clean(strings.Join(text, "; "))
	}
	return fmt.Sprintf("HTTP status %d, %s", a.status, cmp.Or(http.StatusText(a.status), "which is unknown"))
}

// call calls an operation with a tool's arguments. What goes wrong is for the agent to read.
func (c client) call(ctx context.Context, op operation, arguments json.RawMessage) *mcp.CallToolResult {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	target, body, err := op.request(arguments)
	if err != nil {
		return failed(err.Error())
	}
	a, err := c.do(ctx, op.method, target, body, maxText)
	switch {
	case err != nil:
		return failed(topics.Clean(err.Error()))
	case a.status < 200 || a.status > 299:
		return failed(a.problem())
	case a.kind == "image/jpeg":
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.ImageContent{Data: a.body, MIMEType: a.kind}}}
	case len(a.body) == 0:
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "done"}}}
	case a.kind != "application/json":
		return failed("the answer is " + topics.Clean(cmp.Or(a.kind, "of no known kind")) + ", which can't be shown")
	}
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(a.body)}}}
}

func failed(why string) *mcp.CallToolResult {
	return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: why}}}
}
