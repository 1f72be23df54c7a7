package cameraedit

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/frostwatch/frostwatch/cameras"
)

var (
	notInNames = regexp.MustCompile(`[^A-Za-z0-9_]+`)
	// anyStream are parts of paths that name no place.
	anyStream = regexp.MustCompile(`(?i)^(stream|streaming|live|main|sub|media|video|cam|camera|ch|channel|channels|onvif|profile|h26[45]|av|cgi|index|mjpg|mjpeg|axis|unicast|\d+|[a-z]\d+|media\.amp|.*\d{3,})[_-]?\d*$`)
)

// ProposeName is a name for the camera of a URL that is not taken: by the last part of its
// path, or its host.
func ProposeName(raw string, taken map[string]bool) string {
	shown := cameras.ShownURL(raw)
	name := ""
	if u, err := url.Parse(strings.TrimSuffix(shown, "?***")); err == nil && !strings.Contains(u.Path, "*") {
		parts := strings.Split(strings.Trim(u.Path, "/"), "/")
		last := parts[len(parts)-1]
		if u.Scheme == "file" {
			last, _, _ = strings.Cut(last, ".")
		}
		if name = strings.Trim(notInNames.ReplaceAllString(last, "-"), "-_"); anyStream.MatchString(name) || len(name) > 40 {
			name = ""
		}
		if name == "" && u.Hostname() != "" {
			name = "camera-" + strings.Trim(notInNames.ReplaceAllString(u.Hostname(), "-"), "-_")
		}
	}
	if name == "" || len(name) > 50 {
		name = "camera"
	}
	free := name
	for n := 2; taken[free]; n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	return free
}
