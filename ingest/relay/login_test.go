package relay

import (
	"net/url"
	"strings"
	"testing"
)

// The examples of the standards.
func TestDigests(t *testing.T) {
	mufasa := answer{user: "Mufasa", password: "Circle of Life", method: "GET", uri: "/dir/index.html", cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", count: 1}
	old := mufasa
	old.password, old.cnonce = "Circle Of Life", "0a4f113b"
	for _, c := range []struct {
		name, header string
		a            answer
		want         []string
	}{
		{"RFC 7616, 3.9.1, SHA-256", `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`, mufasa,
			[]string{`response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"`, "qop=auth, nc=00000001", `opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`, "algorithm=SHA-256"}},
		{"RFC 7616, 3.9.1, MD5", `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"`, mufasa,
			[]string{`response="8ca523f5e9506fed4657c9700eebdbec"`}},
		{"RFC 2617, 3.5", `Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"`, old,
			[]string{`response="6629fae49393a05397450978507c4ef1"`}},
		{"RFC 2069, without qop", `Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"`, old,
			[]string{`response="670fd8c2df070c60b045671b8b24ff02"`}},
		// Worked out with Python's hashlib.
		{"a session's digest", `Digest realm="testrealm@host.com", qop=auth, algorithm=MD5-sess, nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"`, old,
			[]string{`response="8e3825c57e897f5a0dec6c2d4e5059d0"`, "algorithm=MD5-sess", `cnonce="0a4f113b"`}},
	} {
		got := challenges(c.header)[0].digest(c.a)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %s: want %s", c.name, got, want)
			}
		}
	}
}

func TestChallenges(t *testing.T) {
	const md5, sha, basic = `Digest realm="cam", nonce="1"`, `Digest realm="cam", nonce="2", algorithm=SHA-256`, `Basic realm="cam"`
	for _, c := range []struct {
		name    string
		headers []string
		again   bool
		want    string // what the answer begins with, or the error
	}{
		{"the best of several", []string{basic, sha, md5}, false, `Digest username="us\"er", realm="cam", nonce="2"`},
		{"several in one header", []string{basic + ", " + md5 + " , Negotiate"}, false, `Digest username="us\"er", realm="cam", nonce="1"`},
		{"basic alone", []string{basic}, false, "Basic dXMiZXI6cMOkOncvZDolIi8="},
		{"without quotes and with odd blanks", []string{"digest  realm = cam ,nonce= 3"}, false, `Digest username="us\"er", realm="cam", nonce="3"`},
		{"quotes in a realm", []string{`Digest realm="a \"b\" \\c", nonce="4"`}, false, `Digest username="us\"er", realm="a \"b\" \\c", nonce="4"`},
		{"refused once answered", []string{md5}, true, "wrong user name or password"},
		{"stale", []string{`Digest realm="cam", nonce="5", stale=TRUE`}, true, `Digest username="us\"er", realm="cam", nonce="5"`},
		{"an algorithm that nobody knows", []string{`Digest realm="cam", nonce="1", algorithm=SHA-512-256`}, false, "it offers digest with SHA-512-256; we know"},
		{"another quality", []string{`Digest realm="cam", nonce="1", qop="auth-int"`}, false, "it offers digest and qop auth-int"},
		{"another scheme", []string{"Negotiate", "NTLM\x1b[31m"}, false, "it offers negotiate, ntlm [31m; we know"},
		{"nothing", nil, false, "wrong user name or password"},
		{"no scheme", []string{`=,"`, "realm=x"}, false, "wrong user name or password"},
	} {
		l := login{user: url.UserPassword(`us"er`, `pä:w/d:%"/`)}
		err := l.challenged(c.headers, c.again)
		got := l.authorization("DESCRIBE", "rtsp://cam/s")
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if err := (&login{}).challenged([]string{basic}, false); err == nil || !strings.Contains(err.Error(), "its URL has none") {
		t.Errorf("without a password: %v", err)
	}
}

func FuzzChallenges(f *testing.F) {
	f.Add(`Digest realm="a", nonce="b", qop="auth", Basic realm=x`)
	f.Add(`Digest =,,"\`)
	f.Fuzz(func(t *testing.T, header string) {
		l := login{user: url.UserPassword("u", "p")}
		if l.challenged([]string{header}, false) == nil && l.authorization("GET", "/") == "" {
			t.Errorf("%q is taken, and not answered", header)
		}
	})
}
