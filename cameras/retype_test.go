package cameras_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/cameras"
)

const stored = "rtsp://viewer:hunter2@10.0.0.7:554/stream1?key=s3cret"

// Whoever edits a camera sees no secret of it, and none goes to another server.
func TestAnAddressIsRetyped(t *testing.T) {
	l := func(user, password string) *cameras.Login { return &cameras.Login{User: user, Password: password} }
	for _, c := range []struct {
		stored, typed string
		login         *cameras.Login
		want          string // "!" first: the error
	}{
		{stored, "rtsp://10.0.0.7:554/stream1?***", nil, stored},
		{stored, "rtsp://10.0.0.7/other?***", nil, "rtsp://viewer:hunter2@10.0.0.7/other?key=s3cret"},
		{stored, "rtsp://10.0.0.7/other", nil, "rtsp://viewer:hunter2@10.0.0.7/other"},
		{stored, "rtsp://10.0.0.8/stream1", nil, "!another host"},
		{stored, "rtsp://10.0.0.7:8554/stream1", nil, "!another host"},
		{stored, "http://10.0.0.7/stream1", nil, "!another host"},
		{stored, "rtsp://10.0.0.7.evil.example/stream1", nil, "!another host"},
		{stored, "rtsp://10.0.0.7:554@evil.example/stream1", nil, "rtsp://10.0.0.7:554@evil.example/stream1"},
		{stored, "rtsp://evil.example/?***", l("a", "b"), "!another host"},
		{stored, "rtsp://10.0.0.8/stream1", l("anna", "p@ss/w:rd$"), "rtsp://anna:p%40ss%2Fw%3Ard%24@10.0.0.8/stream1"},
		{stored, "rtsp://10.0.0.8/s", l("anna", "${LOBBY}"), "rtsp://anna:${LOBBY}@10.0.0.8/s"},
		{stored, "rtsp://10.0.0.8/s", l("", ""), "rtsp://10.0.0.8/s"},
		{stored, "rtsp://x:y@10.0.0.8/s", nil, "rtsp://x:y@10.0.0.8/s"},
		{stored, "rtsp://x:y@10.0.0.8/s", l("a", "b"), "!in the address and beside it"},
		{stored, "rtsps://10.0.0.7:554/s", nil, "rtsps://viewer:hunter2@10.0.0.7:554/s"},
		{"rtsps://a:b@h/s", "rtsp://h/s", nil, "!another host"},
		{"rtsp://a:b@h/s", "RTSP://H/t", nil, "RTSP://a:b@H/t"},
		{"rtsp://a:p/a@ss@h/s", "rtsp://h/t", nil, "rtsp://h/t"},
		{"rtsp://a:p/a@ss@h/s", "rtsp://***", nil, "rtsp://a:p/a@ss@h/s"},
		{"rtsp://a:p/a@ss@h/s", "rtsp://***/x", nil, "!type all of the address"},
		{"rtsp://h/token/abc", "rtsp://h/token/***", l("u", "p"), "rtsp://u:p@h/token/abc"},
		{"rtsp://h/token/abc", "rtsp://evil/token/***", nil, "!another host"},
		{"rtsp://h/token/abc", "rtsp://h/other/***", nil, "!type what *** stands for"},
		{"rtsp://h/s", "rtsp://h/s?***", nil, "!type what *** stands for"},
		{"rtsp://h/s", "rtsp://h/a@b", nil, "!behind its host"},
		{"", "rtsp://h/s", l("u", "p"), "rtsp://u:p@h/s"},
		{"${CAMERA}", "${CAMERA}", nil, "${CAMERA}"},
		{"file:///videos/a.mp4", "file:///videos/b.mp4", nil, "file:///videos/b.mp4"},
	} {
		got, err := cameras.Retyped(c.stored, c.typed, c.login)
		want, fails := strings.CutPrefix(c.want, "!")
		if fails && (err == nil || !strings.Contains(err.Error(), want)) || !fails && (err != nil || got != want) {
			t.Errorf("%s retyped as %s: %q, %v; want %s", c.stored, c.typed, got, err, c.want)
		}
	}
}

func TestASubstreamTakesTheLoginOfItsServer(t *testing.T) {
	const main = "rtsp://u:p@h/main"
	for _, c := range []struct {
		stored, typed string
		login         *cameras.Login
		want          string
	}{
		{"", "rtsp://h/sub", nil, "rtsp://u:p@h/sub"},
		{"", "rtsp://other/sub", nil, "rtsp://other/sub"},
		{"rtsp://x:y@old/sub", "rtsp://h/sub", nil, "rtsp://u:p@h/sub"},
		{"rtsp://h/sub", "rtsp://h/sub", nil, "rtsp://h/sub"},
		{"rtsp://x:y@h/sub", "rtsp://h/sub", &cameras.Login{User: "u", Password: "p"}, "rtsp://u:p@h/sub"},
		{"rtsp://x:y@h/sub", "", nil, ""},
	} {
		if got, err := cameras.RetypedWatch(c.stored, c.typed, main, c.login); err != nil || got != c.want {
			t.Errorf("%s retyped as %s: %q, %v; want %s", c.stored, c.typed, got, err, c.want)
		}
	}
	if _, err := cameras.RetypedWatch("rtsp://x:y@old/sub", "rtsp://new/sub", main, nil); !errors.Is(err, cameras.ErrElsewhere) {
		t.Error(err)
	}
}

// However odd an address is, what is shown of it has neither password nor query.
func FuzzShownURL(f *testing.F) {
	for _, raw := range []string{stored, "rtsp://a:hunter2@h", "rtsp://a:hun/ter2@h/x", "a:hunter2@h", "file://a:hunter2@h/x", "rtsp://h/x?hunter2", "rtsp://h/x#hunter2", "rtsp://h\x00/@hunter2"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		const secret = "hunter2"
		shown := cameras.ShownURL("rtsp://viewer:" + secret + "@10.0.0.7/s?" + raw)
		if strings.Contains(shown, secret) {
			t.Errorf("%q shows %q", raw, shown)
		}
		if strings.Contains(raw, "***") {
			return
		}
		if back, err := cameras.Retyped(raw, cameras.ShownURL(raw), nil); err != nil || back != raw {
			t.Errorf("%q is not kept: %q %v", raw, back, err)
		}
	})
}
