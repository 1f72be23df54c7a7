package starter

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/frostwatch/frostwatch/internal/envtext"
)

// CameraSecret is the Secret that the values name where cameras have passwords.
const CameraSecret = "frostwatch-cameras"

// Variables are the names of the variables in the cameras' URLs, sorted.
func (o Options) Variables() (names []string) {
	for _, c := range o.Cameras {
		// A URL with a mistake is refused where it is checked.
		_, _ = envtext.Expand(c.URL, func(name string, _ int) (string, error) {
			names = append(names, name)
			return "", nil
		})
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ofValues is the configuration that the chart makes of values, as far as they say it.
func ofValues(values []byte) ([]byte, error) {
	var v struct {
		Config         map[string]any `yaml:"config"`
		Cameras, Rules any
	}
	if err := yaml.Unmarshal(values, &v); err != nil {
		return nil, fmt.Errorf("read the values: %w", err)
	}
	v.Config["cameras"], v.Config["rules"] = v.Cameras, v.Rules
	b, err := yaml.Marshal(v.Config)
	if err != nil {
		return nil, fmt.Errorf("read the values: %w", err)
	}
	return b, nil
}
