package onvif

import (
	"fmt"
	"regexp"
	"strings"
)

// Says is the device's own name and make.
func (d Device) Says() string {
	var out []string
	for _, t := range []string{d.Name, strings.TrimSpace(d.Maker + " " + d.Model), d.Hardware} {
		if t != "" && !strings.Contains(strings.Join(out, "  "), t) {
			out = append(out, t)
		}
	}
	return strings.Join(out, "  ")
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9]+`)

// CameraName proposes a name for the device's camera that is not taken, and takes it.
func (d Device) CameraName(taken map[string]bool) string {
	address := "camera-" + notInNames.ReplaceAllString(d.Address.String(), "-")
	name := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(d.Name), "-"), "-")
	if name == "" || len(name) > 40 || taken[name] {
		name = strings.TrimRight(address, "-")
	}
	for base, n := name, 2; taken[name]; n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	taken[name] = true
	return name
}
