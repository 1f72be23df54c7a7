package config

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// stay is written as "NAME for TIME" or with keys.
type stay struct {
	Name string        `yaml:"name"`
	For  time.Duration `yaml:"for"`
}

func (s *stay) UnmarshalText(b []byte) error {
	name, length, _ := strings.Cut(string(b), " for ")
	d, err := time.ParseDuration(length)
	if err != nil {
		return errors.New("want NAME for TIME")
	}
	s.Name, s.For = name, d
	return nil
}

func (s *stay) UnmarshalYAML(unmarshal func(any) error) error {
	type keys stay
	return EitherForm(unmarshal, s.UnmarshalText, (*keys)(s))
}

func TestAValueMayBeATextOrKeys(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"rules: [{stay: a dog for 2m}]\n", "a dog 2m0s"},
		{"rules:\n  - stay: 'a dog for 2m'\n", "a dog 2m0s"},
		{"rules:\n  - stay: {name: a dog, for: 2m}\n", "a dog 2m0s"},
		{"rules:\n  - stay:\n      name: a dog\n", "a dog 0s"},
		{"rules:\n  - stay:\n      for: 0\n", " 0s"},
		{"rules:\n  - stay:\n", "none"},
		{"rules:\n  - stay: a dog\n", "f.yaml:2: rules[0].stay: want NAME for TIME"},
		{"rules:\n  - stay: 7\n", "f.yaml:2: rules[0].stay: want NAME for TIME"},
		{"rules:\n  - stay: {name: a dog,\n      as: 2m}\n", "f.yaml:3: rules[0].stay.as: unknown key: want one of name, for"},
		{"rules:\n  - stay: {for: long}\n", `f.yaml:2: rules[0].stay.for: "long": want a number with a unit`},
		{"rules:\n  - stay: [a]\n", "f.yaml:2: rules[0].stay: a list: want the keys name, for"},
		{"rules:\n  - stay: {{a: b}: c}\n", "found an invalid key"},
	} {
		got := ""
		file, err := Parse("f.yaml", []byte(c.text), func(string) (string, bool) { return "", false })
		if err == nil {
			var rules []struct {
				Stay *stay `yaml:"stay"`
			}
			_, err = file.Rules.Decode(&rules)
			if err == nil && rules[0].Stay == nil {
				got = "none"
			} else if err == nil {
				got = rules[0].Stay.Name + " " + rules[0].Stay.For.String()
			}
		}
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}
