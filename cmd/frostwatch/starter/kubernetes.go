package starter

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/frostwatch/frostwatch/internal/envtext"
	"github.com/frostwatch/frostwatch/topics"
)

// CameraSecret is the Secret that the values name where cameras have passwords.
const CameraSecret = "frostwatch-cameras"

// image is where the image is, and its tag, which may be empty.
func (o Options) image() (repository, tag string, err error) {
	if strings.Contains(o.Image, "@") {
		// Not repeated: what is before the @ may be a login.
		return "", "", errors.New("--image: want NAME:TAG; a digest goes into the values image.digest and image.cudaDigest")
	}
	// A colon before the last slash is that of a port.
	if i := strings.LastIndex(o.Image, ":"); i > strings.LastIndex(o.Image, "/") {
		return o.Image[:i], o.Image[i+1:], nil
	}
	return o.Image, "", nil
}

// checkPasswords refuses passwords in clear in cameras' URLs: values are no place for them.
func (o Options) checkPasswords() error {
	for _, c := range o.Cameras {
		text, err := envtext.Expand(c.URL, func(string, int) (string, error) { return "", nil })
		if err != nil {
			continue // it is refused where it is checked
		}
		u, err := url.Parse(text)
		if err != nil || u.User == nil {
			continue
		}
		if password, _ := u.User.Password(); password != "" {
			return fmt.Errorf("camera %s: a password in clear is no value of a chart: write ${NAME} in its place, and the password into the Secret %s", topics.Clean(c.Name), CameraSecret)
		}
	}
	return nil
}

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
