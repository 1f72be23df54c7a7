package agents

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// request is the path with its query, and the body, that arguments ask for. The console
// checks their values.
func (op operation) request(arguments json.RawMessage) (target string, body []byte, err error) {
	given := map[string]json.RawMessage{}
	if len(arguments) > 0 {
		if err := json.Unmarshal(arguments, &given); err != nil {
			return "", nil, fmt.Errorf("the arguments are no JSON object: %w", err)
		}
	}
	target, query := op.path, url.Values{}
	for _, p := range op.Parameters {
		raw, is := given[p.Name]
		delete(given, p.Name)
		var values []string
		if is && string(raw) != "null" {
			if values, err = texts(raw); err != nil {
				return "", nil, fmt.Errorf("%s: %w", p.Name, err)
			}
		}
		switch {
		case p.In == "path" && (len(values) != 1 || !whole(values[0])):
			return "", nil, fmt.Errorf("%s: want a name", p.Name)
		case p.In == "path":
			target = strings.Replace(target, "{"+p.Name+"}", url.PathEscape(values[0]), 1)
		case p.In == "query" && len(values) > 0:
			query.Set(p.Name, strings.Join(values, ","))
		}
	}
	if _, takes := op.Body.Content["application/json"]; takes {
		body = given[bodyArgument]
		delete(given, bodyArgument)
		if body == nil {
			return "", nil, fmt.Errorf("%s is missing", bodyArgument)
		}
	}
	for name := range given {
		return "", nil, fmt.Errorf("there is no argument %q: there are %s", name, op.argumentNames())
	}
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	return target, body, nil
}

// whole is whether a value of a path stays one part of it.
func whole(name string) bool { return name != "" && name != "." && name != ".." }

func (op operation) argumentNames() string {
	var names []string
	for _, p := range op.Parameters {
		names = append(names, p.Name)
	}
	if len(op.Body.Content) > 0 {
		names = append(names, bodyArgument)
	}
	if len(names) == 0 {
		return "none"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// texts are the values of a parameter as they stand in an address: a text, a number, true
// or false, or a list of these.
func texts(raw json.RawMessage) (all []string, err error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		list = []json.RawMessage{raw}
	}
	for _, one := range list {
		var text string
		switch {
		case json.Unmarshal(one, &text) == nil:
		case strings.ContainsAny(string(one), "{["):
			return nil, fmt.Errorf("want a text, a number, true or false, or a list of these, not %s", one)
		default:
			text = string(one)
		}
		all = append(all, text)
	}
	return all, nil
}
