package redact

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"https://u:pa/SECRET9@h/x":     "https://***@h/***",
		"rtsp://u:SEC@RET10@h/":        "rtsp://***@h/",
		"rtsp://u:a?b=SECRET#c@h:554/": "rtsp://***@h:554/",
		"https://SECRET@h":             "https://***@h",
		"u:SECRET@h:1":                 "***@h:1",
		"u:SECRET//x@h:1":              "***@h:1",
		"https://u:SECRET":             "https://***",
		"https://u:SECRET/x":           "https://***/***",
		"https://[::1]:80/SECRET":      "https://[::1]:80/***",
		"SECRET@h:1":                   "***@h:1",
		"//u:SECRET@h/x":               "//***@h/x",
		"https://hooks.example/SECRET": "https://hooks.example/***",
		"s3://past?region=x&token=SECRET&credential=SECRETB&auth=SECRETC&pwd=d&code=e": "s3://past?region=x&token=***&credential=***&auth=***&pwd=***&code=***",
		"s3://past?SECRET":                               "s3://past?***",
		"s3://past?X%2Dkey=SECRET;sig=SECRET":            "s3://past?X%2Dkey=***&sig=***",
		"s3://past?endpoint=http%3A%2F%2Fu:SECRET%40h":   "s3://past?endpoint=***",
		"s3://past?endpoint=http://10.0.0.7:9000#SECRET": "s3://past?endpoint=http://10.0.0.7:9000#***",
		"s3://past/token/SECRET":                         "s3://past/token/***",
		"data/past?password=SECRET":                      "data/past?password=***",
		"host=h password=SECRET, b":                      "host=h password=***",
		"the one https://u:SECRET@h/x":                   "***@h/x",
		// These are shown as they are.
		"s3://past?region=eu-1&use_path_style=true&prefix=a/b": "",
		"https://collector:4318":                               "",
		"/etc/frostwatch/key/redis.pem":                        "",
		"file:///srv/past":                                     "",
		"keydb:6379":                                           "",
		"[::1]:8070":                                           "",
		"anna@example.com":                                     "",
		"":                                                     "",
		"who? nobody":                                          "",
	} {
		if want == "" {
			want = text
		}
		got := Text(text)
		if got != want || strings.Contains(got, "SECRET") {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		if Text(got) != got {
			t.Errorf("%s: got %s, then %s", text, got, Text(got))
		}
	}
}

// FuzzText places a secret where addresses have theirs.
func FuzzText(f *testing.F) {
	f.Add("a@b/?#://")
	f.Fuzz(func(t *testing.T, around string) {
		const secret = "hunter2SECRET"
		for _, text := range []string{"rtsp://u:" + around + secret + "@h/", "https://" + secret + around + "@h", "s3://b?token=" + secret + strings.ReplaceAll(around, "&", "")} {
			if got := Text(text); strings.Contains(got, secret) {
				t.Errorf("%q is shown as %q", text, got)
			}
		}
	})
}
