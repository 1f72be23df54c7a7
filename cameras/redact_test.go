package cameras_test

import (
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/cameras"
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
		// Cameras that take the password in the path.
		"rtsp://host:554/user=admin_password=secret_channel=1_stream=0.sdp?real_stream": "rtsp://host:554/user=***?***",
		"rtsp://host/live/Password=sec/ret/ch1":                                         "rtsp://host/live/Password=***",
		"rtsp://host/passw%6Frd=secret":                                                 "rtsp://host/password=***",
		"rtsp://host/pwd:secret/1":                                                      "rtsp://host/pwd:***",
		"http://host/access-token/secret/live.ts":                                       "http://host/access-token/***",
		"rtsp://host:x/user=admin&password=secret":                                      "rtsp://host:x/user=***",
		"rtsp:user=admin_password=secret":                                               "rtsp:user=***",
		"rtsp://host/live?a=1;psw=secret":                                               "rtsp://host/live?***",
		"rtsp://host/live;pw=secret/1":                                                  "rtsp://host/live;pw=***",
		"rtsp://host/video.sp?login=a":                                                  "rtsp://host/video.sp?***",
		"rtsp://host/login=a/credential:secret/1":                                       "rtsp://host/login=***",
		"rtsp://host/user_admin_password_secret_channel_1":                              "rtsp://host/user_admin_password_***",
		"rtsp://host/jwt/secret":                                                        "rtsp://host/jwt/***",
		"http://host/Signature/secret/a.ts":                                             "http://host/Signature/***",
		"http://host/live.flv&sid=secret":                                               "http://host/live.flv&sid=***",
		"rtsp://host/users/passage/stream":                                              "rtsp://host/users/passage/stream",
		"rtsp://host/${STREAM}/1":                                                       "rtsp://host/${STREAM}/1",
		// A reference is no secret; part of one, or what is beside it, may be.
		"rtsp://viewer:${LOBBY_PASSWORD}@host/stream": "rtsp://viewer:${LOBBY_PASSWORD}@host/stream",
		"rtsp://${U}:${P}@${H}:554/s?token=b":         "rtsp://${U}:${P}@${H}:554/s",
		"rtsp://${U}@host/s":                          "rtsp://${U}@host/s",
		"rtsp://:${P}@host/user=a_password=secret":    "rtsp://:${P}@host/user=***",
		"rtsp://viewer:x${P}@host/s":                  "rtsp://***@host/s",
		"rtsp://viewer:${P}secret@host/s":             "rtsp://***@host/s",
		"rtsp://viewer:${P}@secret@host/s":            "rtsp://***@host/s",
		"rtsp://viewer:${not-a-name}@host/s":          "rtsp://***@host/s",
		"rtsp://viewer:${P}:secret@host/s":            "rtsp://***@host/s",
		"rtsp://viewer:secret/${P}@host/s":            "rtsp://***@host/s",
		"rtsp://viewer:${P}@host:554/s?token=b":       "rtsp://viewer:${P}@host:554/s?***",
		"rtsp://viewer:${P}@host:x/s?password=secret": "rtsp://viewer:${P}@host:x/s",
	} {
		if got := cameras.RedactURL(in); got != want {
			t.Errorf("RedactURL(%q) = %q, want %q", in, got, want)
		}
	}
}

// A password that is typed into the URL itself can be read on Kafka by everyone.
func TestPlainSecrets(t *testing.T) {
	for raw, want := range map[string]bool{
		"rtsp://host/stream":                               false,
		"rtsp://viewer@host/stream":                        false,
		"rtsp://viewer:@host/stream":                       false,
		"rtsp://viewer:${LOBBY_PASSWORD}@host/stream":      false,
		"rtsp://${U}:${P}@${H}/user=${U}_password=${P}":    false,
		"rtsp://viewer:secret@host/stream":                 true,
		"rtsp://viewer:x${P}@host/stream":                  true,
		"rtsp://viewer:se/cr?et@host/stream":               true,
		"rtsp://viewer:%zz@host/stream":                    true,
		"rtsp://host/user=admin_password=secret_channel=1": true,
		"rtsp://host/user=admin_password=${P}_channel=1":   false,
		"http://host/snap?user=admin&pwd=secret":           true,
		"http://host/snap?user=admin&pwd=&x=1":             false,
		"http://host/snap?user=admin&pwd=${P}":             false,
		"http://host/live?channel=1&subtype=0":             false,
		"file:///videos/key.mp4":                           false,
	} {
		if got := cameras.PlainSecret(raw); got != want {
			t.Errorf("PlainSecret(%q) = %v", raw, got)
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
		if strings.Contains(before, "${") && strings.Contains(after, "}") {
			return // a variable's name, which is shown
		}
		password := scheme + user + ":" + before + secret + after + "@" + host + path
		if out := cameras.RedactURL(password); strings.Contains(out, secret) {
			t.Errorf("RedactURL(%q) = %q shows the password", password, out)
		}
		// Once hidden, nothing more changes: a line may pass two redactors.
		once := cameras.RedactURL(password)
		if twice := cameras.RedactURL(once); strings.Contains(twice, secret) {
			t.Errorf("RedactURL(%q) = %q", once, twice)
		}
		parameter := scheme + host + path + "?" + query + secret
		if strings.Contains(host+path, "#") {
			return // there the query is part of the fragment
		}
		if out := cameras.RedactURL(parameter); strings.Contains(out, secret) {
			t.Errorf("RedactURL(%q) = %q shows the query", parameter, out)
		}
	})
}
