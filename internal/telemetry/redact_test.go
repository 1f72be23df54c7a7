package telemetry_test

import (
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

func TestRedactURL(t *testing.T) {
	for in, want := range map[string]string{
		"":                                    "",
		"rtsp://host/stream":                  "rtsp://host/stream",
		"rtsp://host:8554/a%20b":              "rtsp://host:8554/a%20b",
		"rtsp://user@host/stream":             "rtsp://user@host/stream",
		"rtsp://user:secret@host/stream":      "rtsp://user:***@host/stream",
		"rtsp://user:@host/stream":            "rtsp://user:***@host/stream",
		"rtsp://user:se@cret@host/stream":     "rtsp://user:***@host/stream",
		"rtsp://user:se%40cret@host/stream":   "rtsp://user:***@host/stream",
		"rtsp://user:secret@[::1]:554/s":      "rtsp://user:***@[::1]:554/s",
		"rtsp://host/s?user=a&password=b":     "rtsp://host/s?***",
		"rtsp://u:secret@host/s?token=b#frag": "rtsp://u:***@host/s?***",
		// What can't be parsed, or parses to something else than was meant.
		"rtsp://user:se/cret@host/stream":          "rtsp://***@host/stream",
		"rtsp://user:12/cret@host/stream":          "rtsp://***@host/stream",
		"rtsp://user:%zz@host/stream":              "rtsp://***@host/stream",
		"rtsp://user:secret@host:x/s?key=b":        "rtsp://***@host:x/s",
		"rtsp://host:x/s?key=secret":               "rtsp://host:x/s",
		"user:secret@host/stream":                  "***@host/stream",
		"rtsp://user:20#cret@host/stream":          "rtsp://***@host/stream",
		"rtsp://user:20?cret@host/stream":          "rtsp://***",
		"rtsp://host:x/s?user=a@b&password=secret": "rtsp://***",
		"/data/clip.mp4":                           "/data/clip.mp4",
	} {
		if got := telemetry.RedactURL(in); got != want {
			t.Errorf("RedactURL(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzRedactURL places a secret where cameras have theirs and looks for it in
// the result.
func FuzzRedactURL(f *testing.F) {
	f.Add("user", "x", "y", "host:554", "/stream", "token=")
	f.Add("user", "1/", "?@", "host:port", "/a@b", "")
	f.Add("us:er", "%", "\x00", "[::1", "//", "a=b&c=")
	f.Add("", "#", "@", "", "?", "\n")
	f.Fuzz(func(t *testing.T, user, before, after, host, path, query string) {
		const scheme, secret = "rtsp://", "S3cr3t"
		if strings.Contains(user+before+after+host+path+query, secret) {
			return
		}
		password := scheme + user + ":" + before + secret + after + "@" + host + path
		if out := telemetry.RedactURL(password); strings.Contains(out, secret) {
			t.Errorf("RedactURL(%q) = %q shows the password", password, out)
		}
		// Once hidden, nothing more changes: a line may pass two redactors.
		once := telemetry.RedactURL(password)
		if twice := telemetry.RedactURL(once); strings.Contains(twice, secret) {
			t.Errorf("RedactURL(%q) = %q", once, twice)
		}
		parameter := scheme + host + path + "?" + query + secret
		if strings.Contains(host+path, "#") {
			return // there the query is part of the fragment
		}
		if out := telemetry.RedactURL(parameter); strings.Contains(out, secret) {
			t.Errorf("RedactURL(%q) = %q shows the query", parameter, out)
		}
	})
}
