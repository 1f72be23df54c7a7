package vocab

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// decode parses a JSON object of Label's fields. People read its errors, so they
// name the key and what is wanted rather than Go types.
func (l *Label) decode(value string) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(value), &fields); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return fmt.Errorf("its value begins with { and is not valid JSON: %w (at byte %d)", syntax, syntax.Offset)
		}
		return fmt.Errorf("its value begins with { and is not valid JSON: %w", err)
	}
	for key, raw := range fields {
		into, want := l.field(strings.ToLower(key))
		if into == nil {
			return fmt.Errorf("its value has an unknown key %q%s: want description, aliases, tags, background, threshold, begins or ends", key, column(value, key))
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return fmt.Errorf("%q in its value must be %s%s", key, want, column(value, key))
		}
	}
	return nil
}

// column says where a key is in a value, for those who edit it; empty where the key
// is written with escapes.
func column(value, key string) string {
	at := regexp.MustCompile(`"` + regexp.QuoteMeta(key) + `"\s*:`).FindStringIndex(value)
	if at == nil {
		return ""
	}
	return fmt.Sprintf(" (at byte %d)", at[0]+1)
}

// field returns where a key's value is stored and a description of valid values.
func (l *Label) field(key string) (into any, want string) {
	const text, list = "a text in quotes", `a list of texts, as ["one", "two"]`
	switch key {
	case "description":
		return &l.Description, text
	case "aliases":
		return &l.Aliases, list
	case "tags":
		return &l.Tags, list
	case "background":
		return &l.Background, "true or false"
	case "threshold":
		return &l.Threshold, "a number from 0 to 1"
	case "begins":
		return &l.Begins, text
	case "ends":
		return &l.Ends, text
	}
	return nil, ""
}
