package envtext_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/envtext"
)

var errUnset = errors.New("unset")

func value(name string, at int) (string, error) {
	if name == "GONE" {
		return "", errUnset
	}
	return fmt.Sprintf("<%s %d ${X}>", name, at), nil
}

func TestExpand(t *testing.T) {
	for _, c := range []struct {
		text, want string
		err        error
	}{
		{"plain $ and $NAME", "plain $ and $NAME", nil},
		{"a${B}c${_D1}", "a<B 1 ${X}>c<_D1 6 ${X}>", nil}, // a value is not expanded again
		{"$$ $${B} $$$$", "$ ${B} $$", nil},
		{"a${GONE}", "", errUnset},
		{"${", "", envtext.ErrReference},
		{"${a b}", "", envtext.ErrReference},
		{"${secret", "", envtext.ErrReference},
		{"${}", "", envtext.ErrReference},
	} {
		got, err := envtext.Expand(c.text, value)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q: %q, %v; want %q, %v", c.text, got, err, c.want, c.err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error repeats it: %v", c.text, err)
		}
	}
}
