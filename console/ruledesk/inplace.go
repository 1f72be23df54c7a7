package ruledesk

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/frostwatch/frostwatch/alerts"
)

// inPlace is a rule's text in which only the lines of keys that differ are written anew, so that
// comments, order and form of all else stay as somebody has written them. ok is false where
// that can't be done, as in a text that is one flow mapping, or does not come to the same rule
// as plain, which is that in JSON.
func inPlace(name, text, plain string, before, after yaml.MapSlice) (out string, ok bool) {
	parts, ok := partsOf(text)
	if !ok || len(parts.keys) != len(before) {
		return "", false
	}
	out = parts.with(before, after)
	want, err := alerts.ParseRule(name, plain)
	if err != nil {
		return "", false
	}
	got, err := alerts.ParseRule(name, out)
	return out, err == nil && reflect.DeepEqual(got, want)
}

// parts are the lines of a text: those above each key, its own, and those below all.
type parts struct {
	keys []part
	foot []string
}

type part struct {
	name       string
	above, own []string
}

// partsOf divides a text with a key at the beginning of a line each.
func partsOf(text string) (p parts, ok bool) {
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil || len(file.Docs) != 1 {
		return p, false
	}
	m, is := file.Docs[0].Body.(*ast.MappingNode)
	if !is || m.IsFlowStyle {
		return p, false
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	done := 0 // lines that are given to a key
	for _, v := range m.Values {
		at := v.Key.GetToken().Position
		if at.Column != 1 || at.Line-1 < done || at.Line > len(lines) {
			return p, false
		}
		between := lines[done : at.Line-1]
		if n := len(p.keys); n > 0 { // what is not above this key is of the one before
			i := len(between)
			for i > 0 && isAbove(between[i-1]) {
				i--
			}
			p.keys[n-1].own = append(p.keys[n-1].own, between[:i]...)
			between = between[i:]
		}
		p.keys = append(p.keys, part{v.Key.GetToken().Value, between, []string{lines[at.Line-1]}})
		done = at.Line
	}
	rest := lines[done:]
	i := len(rest)
	for i > 0 && isAbove(rest[i-1]) {
		i--
	}
	if n := len(p.keys); n > 0 {
		p.keys[n-1].own = append(p.keys[n-1].own, rest[:i]...)
	}
	p.foot = rest[i:]
	return p, len(p.keys) > 0
}

// beginning is what a text has up to the line that begins its document, "---"; empty: it has
// no such line.
func beginning(text string) (head, rest string) {
	at := 0
	for line := range strings.Lines(text) {
		at += len(line)
		line = strings.TrimRight(line, " \t\n")
		switch {
		case line == "---" || strings.HasPrefix(line, "--- #"):
			return text[:at], text[at:]
		case !isAbove(line):
			return "", text
		}
	}
	return "", text
}

func isAbove(line string) bool { return line == "" || strings.HasPrefix(line, "#") }

// with writes the text with the values of after.
func (p parts) with(before, after yaml.MapSlice) string {
	var out []string
	for i, k := range p.keys {
		value, kept := find(after, k.name)
		was, _ := find(before, k.name)
		if kept || i == 0 { // what is above the first key is often about the rule
			out = append(out, k.above...)
		}
		switch {
		case !kept:
		case reflect.DeepEqual(value, was):
			out = append(out, k.own...)
		default:
			out = append(out, k.changed(was, value)...)
		}
	}
	for _, k := range after {
		if _, known := find(before, fmt.Sprint(k.Key)); !known {
			out = append(out, fmt.Sprintf("%v: %s", k.Key, flow(k.Value)))
		}
	}
	return strings.Join(append(out, p.foot...), "\n") + "\n"
}

func find(in yaml.MapSlice, key string) (any, bool) {
	for _, k := range in {
		if k.Key == key {
			return k.Value, true
		}
	}
	return nil, false
}

// changed are the lines of the key with another value: of a mapping with keys in lines of
// their own only those of them that differ are written anew.
func (k part) changed(was, value any) []string {
	before, are := was.(map[string]any)
	after, is := value.(yaml.MapSlice)
	if len(k.own) < 2 || !are || !is {
		return []string{k.line(value)}
	}
	indent := len(k.own[1]) - len(strings.TrimLeft(k.own[1], " "))
	for _, line := range k.own[1:] { // comments may begin further left
		if trimmed := strings.TrimLeft(line, " "); trimmed != "" {
			indent = min(indent, len(line)-len(trimmed))
		}
	}
	var inner strings.Builder
	for _, line := range k.own[1:] {
		inner.WriteString(line[min(indent, len(line)):] + "\n")
	}
	parts, ok := partsOf(inner.String())
	if !ok || indent == 0 {
		return []string{k.line(value)}
	}
	var had yaml.MapSlice
	for key, v := range before {
		had = append(had, yaml.MapItem{Key: key, Value: v})
	}
	out := k.own[:1:1]
	for line := range strings.Lines(parts.with(had, after)) {
		if line != "\n" {
			line = strings.Repeat(" ", indent) + line
		}
		out = append(out, strings.TrimSuffix(line, "\n"))
	}
	return out
}

// line is the key with another value, and with the comment that its first line had, in its
// column where there is room.
func (k part) line(value any) string {
	line := k.name + ": " + flow(value)
	at := commentIn(k.own[0])
	if at < 0 {
		return line
	}
	column := utf8.RuneCountInString(k.own[0][:at])
	return line + strings.Repeat(" ", max(column-utf8.RuneCountInString(line), 1)) + k.own[0][at:]
}

// commentIn is where the comment of a line begins, -1 if it has none.
func commentIn(line string) int {
	var quote rune
	before := ' '
	for i, r := range line {
		switch {
		case quote != 0 && r == quote && before != '\\':
			quote = 0
		case quote != 0:
		case (r == '"' || r == '\'') && strings.ContainsRune(" [{,:", before):
			quote = r
		case r == '#' && before == ' ':
			return i
		}
		before = r
	}
	return -1
}

// flow is a value in a line.
func flow(value any) string {
	switch v := value.(type) {
	case []string:
		all := make([]string, len(v))
		for i, text := range v {
			all[i] = quoted(text)
		}
		return "[" + strings.Join(all, ", ") + "]"
	case yaml.MapSlice:
		var all []string
		for _, k := range v {
			all = append(all, fmt.Sprintf("%v: %s", k.Key, flow(k.Value)))
		}
		return "{" + strings.Join(all, ", ") + "}"
	case string:
		if strings.Trim(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ") == "" {
			if b, err := yaml.Marshal(v); err == nil {
				return strings.TrimSpace(string(b))
			}
		}
		return quoted(v)
	}
	return fmt.Sprint(value)
}

// quoted is a text as YAML takes it, which takes JSON's.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return fmt.Sprintf("%q", text)
	}
	return string(b)
}
