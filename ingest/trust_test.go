package ingest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// names are what hosts resolve to in these tests.
var names = map[string][]string{
	"cam.example":      {"10.0.0.7"},
	"six.example":      {"2001:db8::7"},
	"two.example":      {"10.0.0.7", "10.0.0.8"},
	"localhost":        {"127.0.0.1", "::1"},
	"rebind.example":   {"10.0.0.7", "127.0.0.1"},
	"metadata.example": {"169.254.169.254"},
	"mapped.example":   {"::ffff:127.0.0.1"},
	"nvr.internal":     {"127.0.0.1"},
}

func lookUp(_ context.Context, host string) ([]netip.Addr, error) {
	switch host {
	case "broken.example":
		return nil, &net.DNSError{Err: "server misbehaving", Name: host, IsTemporary: true}
	case "slow.example":
		return nil, &net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true}
	}
	var out []netip.Addr
	for _, a := range names[strings.ToLower(host)] {
		out = append(out, netip.MustParseAddr(a))
	}
	if out == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return out, nil
}

func newResolver(t testing.TB, o Trust) *resolver {
	t.Helper()
	read, err := o.read()
	if err != nil {
		t.Fatal(err)
	}
	return &resolver{trust: read, schemes: anyScheme, getenv: env, lookUp: lookUp}
}

// opens is what is connected to: user name and password, what requests name, and the
// address.
func opens(a address) string {
	if a.scheme == "file" {
		return "file:" + a.path
	}
	out := a.uri()
	if a.url.User != nil {
		out = a.url.User.String() + " " + out
	}
	if len(a.ips) > 0 {
		out += " at " + a.ips[0].String()
	}
	return out
}

// A record on the topic, which others may write, can have other hosts of the network
// watched, and nothing else. Cameras of the operator's own file, and what the
// operator allows, can do more. The source that a record names is not trusted.
func TestWhatARecordMayAskFor(t *testing.T) {
	operators := []topics.Camera{
		{Name: "own", URL: "rtsp://viewer:${PASSWORD}@127.0.0.1/s"}, {Name: "film", URL: "file:///videos/a.mp4"},
		{Name: "named", URL: "rtsp://localhost/s"},
	}
	for _, c := range []struct {
		name    string
		camera  topics.Camera
		allow   []string
		env     []string
		opens   string // see opens
		refused string
		kind    media.Kind
	}{
		{name: "a host of the network", camera: topics.Camera{URL: "rtsp://10.0.0.7:554/s"}, opens: "rtsp://10.0.0.7:554/s at 10.0.0.7"},
		{name: "a name: the address that was checked", camera: topics.Camera{URL: "rtsp://u:p%40@cam.example:554/s?x=1"}, opens: "u:p%40 rtsp://cam.example:554/s?x=1 at 10.0.0.7"},
		{name: "an IPv6 name", camera: topics.Camera{URL: "http://six.example/s"}, opens: "http://six.example:80/s at 2001:db8::7"},
		{name: "a name, with TLS", camera: topics.Camera{URL: "rtsps://cam.example/s"}, opens: "rtsps://cam.example:322/s at 10.0.0.7"},

		{name: "a secret", camera: topics.Camera{URL: "rtsp://10.0.0.7/${PASSWORD}"}, refused: "its URL uses ${PASSWORD}: add PASSWORD to ingest.env in the configuration file of the ingest workers and restart them", kind: media.KindAddress},
		{name: "a secret that is listed", camera: topics.Camera{URL: "rtsp://u:${PASSWORD}@10.0.0.7/s"}, env: []string{"PASSWORD"}, opens: "u:p%40ss%2Fw%20rd%3F rtsp://10.0.0.7:554/s at 10.0.0.7"},
		{name: "a variable that is not set is refused like one that is", camera: topics.Camera{URL: "rtsp://10.0.0.7/${NONE}"}, refused: "its URL uses ${", kind: media.KindAddress},
		{name: "a host in a secret", camera: topics.Camera{URL: "rtsp://${HOST}/s"}, env: []string{"HOST"}, opens: "rtsp://cam.example:554/s at 10.0.0.7"},

		{name: "a file", camera: topics.Camera{URL: "file:///videos/a.mp4"}, refused: "it is a file on this worker: to allow it, add this camera to cameras in the configuration file of the ingest workers, or add file to ingest.allow there and restart them", kind: media.KindAddress},
		{name: "a plain path", camera: topics.Camera{URL: "/videos/a.mp4"}, refused: "a file on this worker", kind: media.KindAddress},
		{name: "an allowed file", camera: topics.Camera{URL: "file:///videos/a.mp4"}, allow: []string{"file"}, opens: "file:/videos/a.mp4"},

		{name: "loopback", camera: topics.Camera{URL: "rtsp://127.0.0.1:8554/s"}, refused: "127.0.0.1 is this machine itself: to allow it, add this camera to cameras in the configuration file of the ingest workers, or add 127.0.0.1 to ingest.allow there and restart them", kind: media.KindAddress},
		{name: "all of loopback", camera: topics.Camera{URL: "http://127.8.9.1/s"}, refused: "this machine itself", kind: media.KindAddress},
		{name: "IPv6 loopback", camera: topics.Camera{URL: "http://[::1]:6379/s"}, refused: "this machine itself", kind: media.KindAddress},
		{name: "mapped loopback", camera: topics.Camera{URL: "http://[::ffff:7f00:1]/s"}, refused: "this machine itself", kind: media.KindAddress},
		{name: "loopback by a gateway", camera: topics.Camera{URL: "http://[64:ff9b::7f00:1]/s"}, refused: "this machine itself", kind: media.KindAddress},
		{name: "unspecified", camera: topics.Camera{URL: "rtsp://0.0.0.0/s"}, refused: "no address of a host", kind: media.KindAddress},
		{name: "IPv6 unspecified", camera: topics.Camera{URL: "rtsp://[::]/s"}, refused: "no address of a host", kind: media.KindAddress},
		{name: "link-local", camera: topics.Camera{URL: "http://169.254.169.254/latest/meta-data"}, refused: "this machine's own link", kind: media.KindAddress},
		{name: "IPv6 link-local", camera: topics.Camera{URL: "http://[fe80::1%25eth0]/s"}, refused: "this machine's own link", kind: media.KindAddress},
		{name: "IPv6 link-local as people write it", camera: topics.Camera{URL: " http://[fe80::1%eth0]/s"}, refused: "this machine's own link", kind: media.KindAddress},
		{name: "metadata", camera: topics.Camera{URL: "http://[fd00:ec2::254]/latest"}, refused: "a cloud's own service", kind: media.KindAddress},
		{name: "metadata beyond the link", camera: topics.Camera{URL: "http://168.63.129.16/"}, refused: "a cloud's own service", kind: media.KindAddress},
		{name: "a number that is loopback", camera: topics.Camera{URL: "http://2130706433/"}, refused: "no such host", kind: media.KindUnreachable},

		{name: "a name of loopback", camera: topics.Camera{URL: "rtsp://localhost:8554/s"}, refused: "localhost leads to 127.0.0.1, which is this machine itself: to allow it, add this camera to cameras in the configuration file of the ingest workers, or add localhost to ingest.allow there and restart them", kind: media.KindAddress},
		{name: "one address of several", camera: topics.Camera{URL: "rtsp://rebind.example/s"}, refused: "rebind.example leads to 127.0.0.1, which is this machine itself", kind: kindRefused},
		{name: "a name of metadata", camera: topics.Camera{URL: "https://metadata.example/s"}, refused: "this machine's own link", kind: kindRefused},
		{name: "a name of mapped loopback", camera: topics.Camera{URL: "rtsp://mapped.example/s"}, refused: "this machine itself", kind: kindRefused},

		{name: "an allowed address", camera: topics.Camera{URL: "rtsp://127.0.0.1/s"}, allow: []string{"127.0.0.1"}, opens: "rtsp://127.0.0.1:554/s at 127.0.0.1"},
		{name: "beside an allowed address", camera: topics.Camera{URL: "rtsp://127.0.0.2/s"}, allow: []string{"127.0.0.1"}, refused: "this machine itself", kind: media.KindAddress},
		{name: "an allowed network", camera: topics.Camera{URL: "rtsp://localhost/s"}, allow: []string{"127.0.0.0/8", "::1"}, opens: "rtsp://localhost:554/s at 127.0.0.1"},
		{name: "an allowed name", camera: topics.Camera{URL: "rtsp://NVR.internal/s"}, allow: []string{"nvr.internal"}, opens: "rtsp://NVR.internal:554/s at 127.0.0.1"},

		{name: "the operator's own", camera: topics.Camera{Name: "own", URL: "rtsp://viewer:${PASSWORD}@127.0.0.1/s"}, opens: "viewer:p%40ss%2Fw%20rd%3F rtsp://127.0.0.1:554/s at 127.0.0.1"},
		{name: "the operator's own file", camera: topics.Camera{Name: "film", URL: "file:///videos/a.mp4"}, opens: "file:/videos/a.mp4"},
		{name: "the operator's own by name", camera: topics.Camera{Name: "named", URL: "rtsp://localhost/s"}, opens: "rtsp://localhost:554/s at 127.0.0.1"},
		{name: "another URL under an own name", camera: topics.Camera{Name: "own", URL: "rtsp://evil.example/${PASSWORD}", Source: topics.SourceFile}, refused: "its URL uses ${", kind: media.KindAddress},
		{name: "an own camera whose certificate is not asked for", camera: topics.Camera{Name: "film", URL: operators[1].URL, TLSVerify: new(bool)}, refused: "a file on this worker", kind: media.KindAddress},
		{name: "an own camera with another certificate", camera: topics.Camera{Name: "named", URL: operators[2].URL, TLSFingerprint: "sha256:" + strings.Repeat("ab", 32)}, refused: "localhost leads to", kind: media.KindAddress},
		{name: "an own URL under another name", camera: topics.Camera{Name: "x", URL: "file:///videos/a.mp4", Source: topics.SourceUp}, refused: "a file on this worker", kind: media.KindAddress},

		{name: "a resolver at fault", camera: topics.Camera{URL: "rtsp://broken.example/s"}, refused: "looking up host broken.example: server misbehaving", kind: media.KindUnreachable},
		{name: "a password with a slash", camera: topics.Camera{URL: "rtsp://admin:12/34@cam.example/s"}, refused: "no such host: if the password holds a /, ? or #, give it as ${NAME}", kind: media.KindAddress},
		{name: "a resolver that is silent", camera: topics.Camera{URL: "rtsp://slow.example/s"}, refused: "the name server does not answer", kind: media.KindTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			trust := Trust{Own: operators, Env: c.env, Allow: c.allow}
			// What needs no look-up and no environment is known before a worker tries.
			foreseen := trust.Refusal(c.camera)
			certain := c.kind == media.KindAddress && !strings.Contains(c.refused, "its URL uses") && !strings.Contains(c.refused, "no such host")
			if withheld := trust.Withheld(c.camera); (len(withheld) > 0) != strings.Contains(c.refused, "its URL uses") {
				t.Errorf("withheld: %v", withheld)
			}
			if (foreseen != nil) != certain || certain && !strings.Contains(foreseen.Error(), c.refused) {
				t.Errorf("foreseen: %v", foreseen)
			}
			r := newResolver(t, trust)
			a, err := r.resolve(c.camera, c.camera.URL)
			if err == nil {
				a, err = r.reach(t.Context(), a, 0)
			}
			if c.refused == "" {
				if err != nil || opens(a) != c.opens {
					t.Errorf("opens %q, %v; want %q", opens(a), err, c.opens)
				}
				return
			}
			var f *media.Fault
			if !errors.As(err, &f) || f.Kind != c.kind || !strings.Contains(f.Text, c.refused) {
				t.Errorf("got %v, want %s: %s", err, c.kind, c.refused)
			}
		})
	}
}

// A host's addresses are tried in turn.
func TestEachAddressIsTried(t *testing.T) {
	r := newResolver(t, Trust{})
	for turn, want := range []string{"10.0.0.7", "10.0.0.8", "10.0.0.7"} {
		a, err := r.resolve(topics.Camera{URL: "rtsp://two.example/s"}, "rtsp://two.example/s")
		if err != nil {
			t.Fatal(err)
		}
		if a, err = r.reach(t.Context(), a, turn); err != nil || len(a.ips) != 2 || a.ips[0].String() != want {
			t.Errorf("turn %d: %v, %v", turn, a.ips, err)
		}
	}
}

func TestAllowIsChecked(t *testing.T) {
	for entry, want := range map[string]bool{
		"file": true, "FILE": true, "127.0.0.1": true, "127.0.0.0/8": true, "::1": true, "fe80::/10": true, "nvr.internal": true, "localhost": true,
		"": false, "http://localhost": false, "127.0.0.0/33": false, "a b": false, "rtsp://u:p@h": false,
	} {
		if err := CheckAllow(entry); (err == nil) != want {
			t.Errorf("%q: %v", entry, err)
		}
	}
}

// A camera that this worker refuses is tried again when it becomes one of the
// worker's own.
func TestARefusedCameraIsTriedAgainWhenItBecomesOurs(t *testing.T) {
	fence := shared.Path(t, "model", "demo", "yard_fence.mp4")
	r := newRecorder()
	o := testOptions(r)
	o.Trust = Trust{}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	p := newTape(0)
	p.send = r.Send
	p.write("a", `{"name":"a","url":"file://`+fence+`"}`)
	hold(t, s, p)
	until(t, "the refusal", 10*time.Second, func() bool { return r.last("a").State == topics.StreamStopped })
	s.SetOwn([]topics.Camera{{Name: "b", URL: "file://" + fence}})
	s.SetOwn([]topics.Camera{{Name: "a", URL: "file://" + fence}})
	until(t, "frames", 10*time.Second, func() bool { return len(r.frames("a")) > 3 })
}
