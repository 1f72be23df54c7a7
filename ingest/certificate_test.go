package ingest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// signer is an authority for tests, or a certificate that it has signed.
type signer struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// sign makes a certificate of 127.0.0.1 and cam.example that by has signed; nil: it
// signs itself.
func sign(t *testing.T, by *signer, from, until time.Time) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "made for a test"}, NotBefore: from, NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"cam.example"},
		IsCA: by == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	issuer, with := about, key
	if by != nil {
		issuer, with = by.certificate, by.key
		about.Subject.CommonName = "camera"
	}
	der, err := x509.CreateCertificate(rand.Reader, about, issuer, &key.PublicKey, with)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return signer{made, key}
}

func (s signer) server() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{s.certificate.Raw}, PrivateKey: s.key}}}
}

func (s signer) fingerprint() string {
	sum := sha256.Sum256(s.certificate.Raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func TestCertificatesAreChecked(t *testing.T) {
	now := time.Now()
	authority := sign(t, nil, now.Add(-time.Hour), now.Add(time.Hour))
	known := x509.NewCertPool()
	known.AddCert(authority.certificate)
	good := sign(t, &authority, now.Add(-time.Hour), now.Add(time.Hour))
	old := sign(t, &authority, now.Add(-48*time.Hour), now.Add(-24*time.Hour))
	early := sign(t, &authority, now.Add(24*time.Hour), now.Add(48*time.Hour))
	lone := sign(t, nil, now.Add(-time.Hour), now.Add(time.Hour))
	pin := "; it is " + good.fingerprint() + ": if that is the camera's, set its tls_fingerprint to it"
	for _, c := range []struct {
		name  string
		check certificate
		shown signer
		host  string
		want  string
	}{
		{"signed by a known authority", certificate{verify: true, authorities: known}, good, "127.0.0.1", ""},
		{"for a name", certificate{verify: true, authorities: known}, good, "cam.example", ""},
		{"for another name", certificate{verify: true, authorities: known}, good, "cam2.example", "its certificate is for cam.example, 127.0.0.1, and not for cam2.example" + pin},
		{"expired", certificate{verify: true, authorities: known}, old, "127.0.0.1", "its certificate expired on " + old.certificate.NotAfter.Format("2006-01-02") + "; it is " + old.fingerprint()},
		{"not valid yet", certificate{verify: true, authorities: known}, early, "127.0.0.1", "its certificate is valid only from " + early.certificate.NotBefore.Format("2006-01-02") + " on"},
		{"signed by itself", certificate{verify: true, authorities: known}, lone, "127.0.0.1", "its certificate is signed by itself and by no authority that is known here"},
		{"signed by a stranger", certificate{verify: true, authorities: x509.NewCertPool()}, good, "127.0.0.1", "its certificate is signed by made for a test, which is no authority that is known here" + pin},
		{"signed by a stranger, whom the system does not know", certificate{verify: true}, good, "127.0.0.1", "no authority that is known here"},
		{"not asked for", certificate{}, lone, "cam2.example", ""},
		{"pinned", certificate{verify: true, authorities: known, fingerprint: lone.fingerprint()}, lone, "cam2.example", ""},
		{"pinned and expired", certificate{verify: true, fingerprint: old.fingerprint()}, old, "127.0.0.1", ""},
		{"another than the pinned one", certificate{verify: true, authorities: known, fingerprint: lone.fingerprint()}, good, "127.0.0.1", "its certificate is another than the camera's tls_fingerprint says: it is " + good.fingerprint()},
		{"another than the pinned one, where others are not asked for", certificate{fingerprint: lone.fingerprint()}, good, "127.0.0.1", "its certificate is another"},
	} {
		err := c.check.check([]*x509.Certificate{c.shown.certificate}, c.host, now)
		var f *media.Fault
		if (err == nil) != (c.want == "") || err != nil && (!errors.As(err, &f) || f.Kind != kindCertificate || !strings.Contains(f.Text, c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Over a network, from the camera to its status.
func TestStreamsWithTLS(t *testing.T) {
	film := cut(t, shared.Path(t, "model", "demo", "yard_fence.mp4"), 2, "mp4")
	now := time.Now()
	authority := sign(t, nil, now.Add(-time.Hour), now.Add(time.Hour))
	known := x509.NewCertPool()
	known.AddCert(authority.certificate)
	shown := sign(t, &authority, now.Add(-time.Hour), now.Add(time.Hour))
	secure := simulate(t, camsim.Options{TLS: shown.server()}, func(s *camsim.Server) {
		addFile(t, s, "cam", film, camsim.FileOptions{User: "viewer", Password: "right"})
	})
	web := httptest.NewUnstartedServer(http.FileServer(http.Dir(filepath.Dir(film))))
	web.TLS = shown.server()
	web.StartTLS()
	t.Cleanup(web.Close)
	file := web.URL + "/" + filepath.Base(film)
	plain := simulate(t, camsim.Options{}, func(s *camsim.Server) { addFile(t, s, "cam", film, camsim.FileOptions{}) })
	never := false
	for _, c := range []struct {
		name   string
		camera topics.Camera
		roots  *x509.CertPool
		state  topics.StreamState
		reason string
	}{
		{"rtsps of a known authority", topics.Camera{URL: secure.URL("cam")}, known, topics.StreamStreaming, ""},
		{"rtsps of an unknown authority", topics.Camera{URL: secure.URL("cam")}, nil, topics.StreamWaiting, "no authority that is known here; it is " + shown.fingerprint()},
		{"rtsps by fingerprint", topics.Camera{URL: secure.URL("cam"), TLSFingerprint: strings.ToUpper(shown.fingerprint())}, nil, topics.StreamStreaming, ""},
		{"rtsps unasked", topics.Camera{URL: secure.URL("cam"), TLSVerify: &never}, nil, topics.StreamStreaming, ""},
		{"https of a known authority", topics.Camera{URL: file}, known, topics.StreamStopped, "end of file"},
		{"https of an unknown authority", topics.Camera{URL: file}, nil, topics.StreamWaiting, "no authority that is known here"},
		{"rtsps at a server without TLS", topics.Camera{URL: strings.Replace(plain.URL("cam"), "rtsp:", "rtsps:", 1)}, known, topics.StreamWaiting, "does not answer in TLS"},
		{"rtsp at a server with TLS", topics.Camera{URL: strings.Replace(secure.URL("cam"), "rtsps:", "rtsp:", 1)}, known, topics.StreamWaiting, "closed the connection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRecorder()
			o := testOptions(r)
			o.AnyPace, o.Authorities = true, c.roots
			c.camera.Name = "cam"
			watch(t, o, c.camera)
			until(t, string(c.state)+": "+c.reason, 20*time.Second, r.saw("cam", c.state, c.reason))
		})
	}
}

// Passwords that libav 5.1 can't log in with.
func TestPasswordsBeyondLibav(t *testing.T) {
	film := cut(t, shared.Path(t, "model", "demo", "yard_fence.mp4"), 2, "mp4")
	long := strings.Repeat(`x@ß"\ `, 40)
	sim := simulate(t, camsim.Options{SHA256: true}, func(s *camsim.Server) {
		addFile(t, s, "cam", film, camsim.FileOptions{User: "viewer", Password: "right"})
		addFile(t, s, "long", film, camsim.FileOptions{User: "viewer", Password: long})
	})
	for _, c := range []struct {
		url, transport string
		state          topics.StreamState
		reason         string
	}{
		{sim.URL("cam"), "tcp", topics.StreamStreaming, ""},
		{sim.URL("cam"), "udp", topics.StreamStreaming, ""},
		{sim.URL("long"), "tcp", topics.StreamStreaming, ""},
		{strings.Replace(sim.URL("cam"), "right", "wrong", 1), "tcp", topics.StreamWaiting, "wrong user name or password"},
		{strings.Replace(sim.URL("cam"), "viewer:right@", "", 1), "tcp", topics.StreamWaiting, "wrong user name or password: the camera wants them, and its URL has none"},
	} {
		r := newRecorder()
		watch(t, testOptions(r), topics.Camera{Name: "cam", URL: c.url, Transport: c.transport})
		until(t, string(c.state)+": "+c.reason, 20*time.Second, r.saw("cam", c.state, c.reason))
	}
}
