package config

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"github.com/frostwatch/frostwatch/internal/envtext"
)

// maxFile bounds the size of the file.
const maxFile = 1 << 20

// Parse reads a configuration; errors begin with name and the line. ${NAME} in
// a text is replaced by what env returns for NAME, and $$ by a dollar. That
// happens after the YAML is parsed, so that a value can't add keys. A camera's
// url is left as it is: its ingest worker expands it.
func Parse(name string, b []byte, env func(string) (string, bool)) (Config, error) {
	f, err := parse(name, b, env)
	return f.Config, err
}

// parse also returns where the keys are.
func parse(name string, b []byte, env func(string) (string, bool)) (File, error) {
	if len(b) > maxFile {
		return File{}, fmt.Errorf("%s: more than %d bytes", name, maxFile)
	}
	b, err := plainText(b)
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", name, err)
	}
	if err := checkNesting(name, b); err != nil {
		return File{}, err
	}
	file, err := parser.ParseBytes(b, 0)
	if err != nil {
		return File{}, (*origins)(nil).readable(name, err)
	}
	d := &document{name: name, env: env, lines: map[string]int{}, named: map[string][]string{}, from: &origins{}}
	for i, doc := range file.Docs {
		if i > 0 && doc.Body != nil {
			return File{}, fmt.Errorf("%s:%d: a second document: want one", name, doc.Body.GetToken().Position.Line)
		}
		d.walk(doc.Body, "", reflect.TypeFor[Config](), 0)
	}
	if err := d.err(); err != nil {
		return File{}, err
	}
	c := Default()
	if len(file.Docs) > 0 && file.Docs[0].Body != nil {
		if err := yaml.NodeToValue(file.Docs[0].Body, &c, yaml.Strict()); err != nil {
			return File{}, d.from.readable(name, err)
		}
	}
	c.Rules = c.Rules.at(name, "rules", d.from)
	c.Notify.Receivers = c.Notify.Receivers.at(name, "notify.receivers", d.from)
	c.Notify.Verify = c.Notify.Verify.at(name, "notify.verify", d.from)
	d.check(c)
	return File{Path: name, Config: c, lines: d.lines, named: d.named, from: d.from}, d.err()
}

// plainText is a file without the mark that some editors of Windows put before UTF-8.
func plainText(b []byte) ([]byte, error) {
	for _, mark := range []string{"\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(b, []byte(mark)) {
			return nil, errors.New("it is UTF-16: save it as UTF-8")
		}
	}
	return bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), nil
}

// readable rewrites goccy's error as FILE:LINE: what.
func (o *origins) readable(name string, err error) error {
	var positioned yaml.Error
	if errors.As(err, &positioned) && positioned.GetToken() != nil {
		what := positioned.GetMessage()
		if strings.Contains(what, "'\t'") || strings.Contains(what, "tab character") {
			what = "a tab: indent with spaces"
		}
		what = o.said("", what)
		if name == "" {
			return errors.New(what)
		}
		return fmt.Errorf("%s:%d: %s", name, positioned.GetToken().Position.Line, what)
	}
	what := o.said("", err.Error())
	if name == "" {
		return errors.New(what)
	}
	return fmt.Errorf("%s: %s", name, what)
}

// expand replaces ${NAME}.
func (d *document) expand(path, text string) string {
	from := origin{path: path}
	out, err := envtext.Expand(text, func(name string, _ int) (string, error) {
		value, ok := d.env(name)
		if !ok {
			return "", fmt.Errorf("the environment variable %s is not set", name)
		}
		d.named[path] = append(d.named[path], name)
		from.names, from.values = append(from.names, name), append(from.values, value)
		return value, nil
	})
	if err != nil {
		d.wrong(path, err.Error())
		return text
	}
	if len(from.names) > 0 {
		from.text = out
		d.from.all = append(d.from.all, from)
	}
	return out
}

// wrong records a problem with the value at path, without what may be secret in the text.
func (d *document) wrong(path, what string) {
	d.wrongOn(d.lines[path], path, what)
}

// wrongOn is wrong, with another line than that of path.
func (d *document) wrongOn(line int, path, what string) {
	if what = d.from.said(path, what); path != "" {
		what = shownPath(path) + ": " + what
	}
	if d.name == "" { // nobody has written a text of which lines could be told
		d.problems = append(d.problems, errors.New(what))
		return
	}
	// A default has no line of its own, but its section may have one.
	d.problems = append(d.problems, fmt.Errorf("%s:%d: %s", d.name, max(line, 1), what))
}

// maxShown bounds an error, because a wrong file can be wrong in every line.
const maxShown = 20

func (d *document) err() error {
	if more := len(d.problems) - maxShown; more > 0 {
		return errors.Join(append(d.problems[:maxShown:maxShown], fmt.Errorf("%s: %d more", d.name, more))...)
	}
	return errors.Join(d.problems...)
}
