package agents

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/frostwatch/frostwatch/console/access"
)

// openAPI is what is used of a description in OpenAPI 3.1.
type openAPI struct {
	Paths      map[string]map[string]described `json:"paths"`
	Components struct {
		Schemas map[string]json.RawMessage `json:"schemas"`
	} `json:"components"`
}

type described struct {
	ID          string      `json:"operationId"`
	Summary     string      `json:"summary"`
	Description string      `json:"description"`
	Role        string      `json:"x-role"`
	Whole       bool        `json:"x-whole"` // only for who sees every camera
	Parameters  []parameter `json:"parameters"`
	Body        struct {
		Content map[string]media `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Content map[string]media `json:"content"`
	} `json:"responses"`
}

type media struct {
	Schema json.RawMessage `json:"schema"`
}

type parameter struct {
	Name     string          `json:"name"`
	In       string          `json:"in"`
	Required bool            `json:"required"`
	Schema   json.RawMessage `json:"schema"`
}

// operation is one that can be called as a tool.
type operation struct {
	described
	method, path string
	schema       json.RawMessage // of its arguments
}

// bodyArgument is the argument that is sent as the body.
const bodyArgument = "body"

// toolName is what MCP allows.
var toolName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// operations are those that who asks may call and that answer what an agent can read,
// ordered by name.
func (a openAPI) operations(role access.Role, whole bool) (all []operation, err error) {
	for path, methods := range a.Paths {
		for method, d := range methods {
			needed, err := access.ParseRole(d.Role)
			if err != nil || needed > role || d.Whole && !whole || !toolName.MatchString(d.ID) || !d.readable() || !strings.HasPrefix(path, "/api/") {
				continue
			}
			op := operation{described: d, method: strings.ToUpper(method), path: path}
			if op.schema, err = a.arguments(d); err != nil {
				return nil, fmt.Errorf("%s: %w", d.ID, err)
			}
			all = append(all, op)
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// readable is whether an answer is JSON or a picture: films and archives are neither.
func (d described) readable() bool {
	for status, r := range d.Responses {
		if !strings.HasPrefix(status, "2") {
			continue
		}
		if len(r.Content) == 0 && status == "204" {
			return true
		}
		for kind := range r.Content {
			if kind == "application/json" || kind == "image/jpeg" {
				return true
			}
		}
	}
	return false
}

// refs are how schemas name others in OpenAPI, and in a schema that stands alone.
const (
	refsThere = `"#/components/schemas/`
	refsHere  = `"#/$defs/`
)

// arguments is the JSON Schema of a tool's arguments: the parameters by name, and the body.
func (a openAPI) arguments(d described) (json.RawMessage, error) {
	properties, required := map[string]json.RawMessage{}, []string{}
	for _, p := range d.Parameters {
		if p.Name == bodyArgument || p.In != "path" && p.In != "query" {
			if p.Required {
				return nil, fmt.Errorf("the parameter %q in %q can't be an argument", p.Name, p.In)
			}
			continue
		}
		properties[p.Name] = p.Schema
		if p.Required {
			required = append(required, p.Name)
		}
	}
	if body, some := d.Body.Content["application/json"]; some {
		properties[bodyArgument] = body.Schema
		required = append(required, bodyArgument)
	} else if len(d.Body.Content) > 0 {
		return nil, errors.New("its body is no JSON")
	}
	schema := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	if defs := a.referred(properties); len(defs) > 0 {
		schema["$defs"] = defs
	}
	text, err := json.Marshal(schema)
	return json.RawMessage(strings.ReplaceAll(string(text), refsThere, refsHere)), err
}

// referred are the schemas that some refer to, and those that these refer to.
func (a openAPI) referred(from map[string]json.RawMessage) map[string]json.RawMessage {
	found := map[string]json.RawMessage{}
	for next := slices.Collect(maps.Values(from)); len(next) > 0; {
		text := string(next[0])
		next = next[1:]
		for name, schema := range a.Components.Schemas {
			if _, has := found[name]; !has && strings.Contains(text, refsThere+name+`"`) {
				found[name] = schema
				next = append(next, schema)
			}
		}
	}
	return found
}

// tool is how MCP describes it.
func (op operation) tool() *mcp.Tool {
	text := op.Summary
	if op.Description != "" {
		text += ". " + op.Description
	}
	closed := false
	return &mcp.Tool{
		Name: op.ID, Title: op.Summary, Description: text, InputSchema: op.schema,
		Annotations: &mcp.ToolAnnotations{Title: op.Summary, ReadOnlyHint: op.method == http.MethodGet, OpenWorldHint: &closed},
	}
}
