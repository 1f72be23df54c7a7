package onvif

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // WS-Security's own choice
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/ingest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// local lets devices of tests be on this machine.
func local() ingest.Trust { return ingest.Trust{Allow: []string{"127.0.0.0/8"}} }

var messageID = regexp.MustCompile(`<w:MessageID>([^<]*)</w:MessageID>`)

// listen answers each question with what answers make of its id, and returns where.
func listen(t *testing.T, answers func(id string) []string) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		b := make([]byte, 4<<10)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			m := messageID.FindSubmatch(b[:n])
			if m == nil {
				continue
			}
			for _, a := range answers(string(m[1])) {
				_, _ = conn.WriteToUDPAddrPort([]byte(a), from)
			}
		}
	})
	t.Cleanup(func() {
		_ = conn.Close()
		done.Wait()
	})
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// match is an answer to the question of an id.
func match(id, scopes, services string) string {
	return `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><s:Header><a:RelatesTo>` + id +
		`</a:RelatesTo></s:Header><s:Body><d:ProbeMatches xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:1</a:Address></a:EndpointReference>` +
		`<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>` + scopes + `</d:Scopes><d:XAddrs>` + services + `</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`
}

func find(t *testing.T, answers func(id string) []string) []Device {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	found, err := Discover(ctx, Options{At: listen(t, answers), For: 400 * time.Millisecond, Trust: local()})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// What devices say is cleaned and bounded; what is no answer, or none to this question, is
// passed over.
func TestDiscover(t *testing.T) {
	found := find(t, func(id string) []string {
		return []string{
			match("urn:uuid:other", "onvif://www.onvif.org/name/Stranger", ""),
			"rubbish", `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>`,
			match(id, "onvif://www.onvif.org/name/Lobby%20%1b[31mEast onvif://www.onvif.org/hardware/P3245 onvif://www.onvif.org/location/Berlin "+
				"http://elsewhere/x "+strings.Repeat("onvif://www.onvif.org/x/y ", 1000), "http://127.0.0.1:80/onvif/device_service http://169.254.169.254/latest http://cam.local/onvif ftp://127.0.0.1/x http://[fe80::1]/onvif"),
		}
	})
	if len(found) != 1 {
		t.Fatalf("found %+v", found)
	}
	d := found[0]
	if d.Address.String() != "127.0.0.1" || d.Name == "" || strings.ContainsRune(d.Name, '\x1b') || d.Hardware != "P3245" || len(d.Scopes) > scopesMost || d.Scopes[0] != "location/Berlin" {
		t.Errorf("%+v", d)
	}
	if len(d.Services) != 1 || d.Services[0] != "http://127.0.0.1:80/onvif/device_service" {
		t.Errorf("services %v", d.Services)
	}
	if refused := strings.Join(d.Refused, "\n"); len(d.Refused) != 4 || !strings.Contains(refused, "169.254.169.254, which is not the address that answered (127.0.0.1)") || !strings.Contains(refused, "cam.local") {
		t.Errorf("refused %s", refused)
	}
}

// However many answers come, so many devices are kept, and the rules for addresses count.
func TestAnswersAreBounded(t *testing.T) {
	found := find(t, func(id string) (all []string) {
		for i := range 2 * DevicesMost {
			all = append(all, match(id, "", fmt.Sprintf("http://127.0.0.1:%d/x", i+1)))
		}
		return all
	})
	if len(found) == 0 || len(found) > DevicesMost {
		t.Errorf("%d devices", len(found))
	}
	d := readAnswer([]byte(match("1", "", "http://169.254.169.254/x")), "1", netip.MustParseAddr("169.254.169.254"), local())
	if len(d) != 1 || len(d[0].Services) != 0 || !strings.Contains(d[0].Refused[0], "own link") {
		t.Errorf("an answer from where clouds have their secrets: %+v", d)
	}
}

// camera is a device that asks for a password.
type camera struct {
	t       *testing.T
	url     string
	offset  time.Duration // of its clock
	digest  bool          // it wants HTTP's digest rather than WS-Security's
	old     bool          // it knows only the older service
	streams []string      // URLs: of the main stream and of the sub
	media   string        // URL of its media service; empty: its own
}

const secret = "pass&word"

var security = regexp.MustCompile(`(?s)<w:Username>(.*?)</w:Username>.*PasswordDigest">(.*?)</w:Password>.*Base64Binary">(.*?)</w:Nonce><u:Created>(.*?)</u:Created>`)

func (c *camera) knows(body string) bool {
	m := security.FindStringSubmatch(body)
	if m == nil {
		return false
	}
	nonce, _ := base64.StdEncoding.DecodeString(m[3])
	sum := sha1.Sum([]byte(string(nonce) + m[4] + secret)) //nolint:gosec // as above
	made, err := time.Parse(time.RFC3339, m[4])
	late := time.Since(made) + c.offset
	return err == nil && m[1] == "viewer" && m[2] == base64.StdEncoding.EncodeToString(sum[:]) && late.Abs() < 5*time.Second
}

func (c *camera) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	body := string(b)
	if strings.Contains(body, secret) || strings.Contains(fmt.Sprint(r.Header), secret) {
		c.t.Error("the password was sent")
	}
	open := strings.Contains(body, "GetSystemDateAndTime")
	switch {
	case !open && c.digest && !strings.Contains(r.Header.Get("Authorization"), `Digest username="viewer"`):
		w.Header().Set("WWW-Authenticate", `Digest realm="cam", nonce="n", qop="auth"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	case !open && !c.digest && !c.knows(body):
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `<e:Envelope xmlns:e="x"><e:Body><e:Fault><e:Code><e:Subcode><e:Value>ter:NotAuthorized</e:Value></e:Subcode></e:Code><e:Reason><e:Text>Sender not authorized</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>`)
		return
	}
	_, _ = io.WriteString(w, `<e:Envelope xmlns:e="x"><e:Body>`+c.answer(body)+`</e:Body></e:Envelope>`)
}

func (c *camera) answer(body string) string {
	service := c.media
	if service == "" {
		service = c.url
	}
	switch {
	case strings.Contains(body, "GetSystemDateAndTime"):
		now := time.Now().UTC().Add(c.offset)
		return fmt.Sprintf(`<GetSystemDateAndTimeResponse><SystemDateAndTime><UTCDateTime><Time><Hour>%d</Hour><Minute>%d</Minute><Second>%d</Second></Time><Date><Year>%d</Year><Month>%d</Month><Day>%d</Day></Date></UTCDateTime></SystemDateAndTime></GetSystemDateAndTimeResponse>`,
			now.Hour(), now.Minute(), now.Second(), now.Year(), now.Month(), now.Day())
	case strings.Contains(body, "GetDeviceInformation"):
		return `<GetDeviceInformationResponse><Manufacturer>ACME</Manufacturer><Model>X1</Model></GetDeviceInformationResponse>`
	case strings.Contains(body, "GetServices") && c.old:
		return `<Fault><Reason><Text>not known</Text></Reason></Fault>`
	case strings.Contains(body, "GetServices"):
		return `<GetServicesResponse><Service><Namespace>http://www.onvif.org/ver20/media/wsdl</Namespace><XAddr>` + service + `</XAddr></Service></GetServicesResponse>`
	case strings.Contains(body, "GetCapabilities"):
		return `<GetCapabilitiesResponse><Capabilities><Media><XAddr>` + service + `</XAddr></Media></Capabilities></GetCapabilitiesResponse>`
	case strings.Contains(body, "GetProfiles") && c.old:
		return `<GetProfilesResponse><Profiles token="sub"><Name>Second</Name><VideoEncoderConfiguration><Encoding>H264</Encoding><Resolution><Width>640</Width><Height>360</Height></Resolution></VideoEncoderConfiguration></Profiles>` +
			`<Profiles token="main"><Name>First</Name><VideoEncoderConfiguration><Encoding>H264</Encoding><Resolution><Width>2560</Width><Height>1440</Height></Resolution><RateControl><FrameRateLimit>25</FrameRateLimit><BitrateLimit>4096</BitrateLimit></RateControl><H264><GovLength>50</GovLength></H264></VideoEncoderConfiguration></Profiles></GetProfilesResponse>`
	case strings.Contains(body, "GetProfiles"):
		return `<GetProfilesResponse><Profiles token="sub"><Name>Second</Name><Configurations><VideoEncoder GovLength="20"><Encoding>H264</Encoding><Resolution><Width>640</Width><Height>360</Height></Resolution></VideoEncoder></Configurations></Profiles>` +
			`<Profiles token="main"><Name>First</Name><Configurations><VideoEncoder GovLength="50"><Encoding>H265</Encoding><Resolution><Width>2560</Width><Height>1440</Height></Resolution><RateControl><FrameRateLimit>25</FrameRateLimit><BitrateLimit>4096</BitrateLimit></RateControl></VideoEncoder></Configurations></Profiles></GetProfilesResponse>`
	case strings.Contains(body, ">main<"):
		return `<GetStreamUriResponse><Uri>` + c.streams[0] + `</Uri><MediaUri><Uri>` + c.streams[0] + `</Uri></MediaUri></GetStreamUriResponse>`
	}
	return `<GetStreamUriResponse><Uri>` + c.streams[1] + `</Uri></GetStreamUriResponse>`
}

func serve(t *testing.T, c *camera) Device {
	t.Helper()
	c.t = t
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	c.url = s.URL
	return Device{Address: netip.MustParseAddr("127.0.0.1"), Services: []string{s.URL}}
}

// A device that knows the user names its streams, whichever way it wants the password and
// however wrong its clock is.
func TestDescribe(t *testing.T) {
	for name, c := range map[string]*camera{
		"WS-Security": {}, "wrong clock": {offset: -40 * 24 * time.Hour}, "HTTP's digest": {digest: true}, "older service": {old: true},
	} {
		c.streams = []string{"rtsp://admin:x@127.0.0.1:554/main?a=1&amp;b=$&#123;HOME}'", "rtsp://127.0.0.1/sub"}
		d := serve(t, c)
		d.Describe(t.Context(), "viewer", secret)
		main, sub := d.Main(), d.Sub()
		if d.Failed != "" || d.Maker != "ACME" || d.Model != "X1" || main == nil || sub == nil {
			t.Errorf("%s: %+v", name, d)
			continue
		}
		if main.URL != "rtsp://127.0.0.1:554/main?a=1&b=%24%7BHOME%7D%27" || main.Width != 2560 || main.FPS != 25 || main.KBits != 4096 || main.Group != 50 || sub.URL != "rtsp://127.0.0.1/sub" {
			t.Errorf("%s: main %+v, sub %+v", name, main, sub)
		}
		d.Describe(t.Context(), "viewer", "another")
		if !c.digest && d.Failed != "wrong user name or password" {
			t.Errorf("%s: with a wrong password: %q", name, d.Failed)
		}
	}
}

// Nothing is asked of another address than the one that answered, wherever the device leads
// to, and no answer is read without end.
func TestHostileDevices(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	_, port, err := net.SplitHostPort(other.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	led := "http://127.0.0.2:" + port + "/" // this server, at another address
	d := serve(t, &camera{media: led, streams: []string{"", ""}})
	d.Describe(t.Context(), "viewer", secret)
	if !strings.Contains(d.Failed, "127.0.0.2:"+port+", which is not the address that answered") {
		t.Errorf("a media service elsewhere: %q", d.Failed)
	}
	d = serve(t, &camera{streams: []string{"rtsp://169.254.169.254/x", "rtsp://cam.example/x"}})
	d.Describe(t.Context(), "viewer", secret)
	if d.Main() != nil || len(d.Streams) != 2 || !strings.Contains(d.Streams[0].Refused, "169.254.169.254, which is not the address") {
		t.Errorf("streams elsewhere: %+v", d)
	}
	for name, answer := range map[string]http.HandlerFunc{
		"redirects":   func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, led, http.StatusTemporaryRedirect) },
		"longer than": func(w http.ResponseWriter, _ *http.Request) { endless(w) },
		"no message":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, bomb()) },
		"clear text": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		},
		"another than": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<e><Body></Body></e>") },
		"it answers: no": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<e><Body><Fault><Reason><Text>no</Text></Reason></Fault></Body></e>")
		},
	} {
		s := httptest.NewServer(answer)
		d := Device{Address: netip.MustParseAddr("127.0.0.1"), Services: []string{s.URL}}
		d.Describe(t.Context(), "viewer", secret)
		if s.Close(); !strings.Contains(d.Failed, name) {
			t.Errorf("%s: %q", name, d.Failed)
		}
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("another address was asked %d times", n)
	}
}

// endless is an answer that does not end.
func endless(w io.Writer) {
	piece := bytes.Repeat([]byte("x"), 64<<10)
	for range 1000 {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
}

// bomb is XML that would be enormous if its entities were replaced, and deep.
func bomb() string {
	return `<!DOCTYPE x [<!ENTITY a "` + strings.Repeat("a", 1000) + `"><!ENTITY b "` + strings.Repeat("&a;", 1000) + `">]><e><Body><x>` + strings.Repeat("&b;", 1000) + strings.Repeat("<y>", 50_000) + `</x></Body></e>`
}

func FuzzReadAnswer(f *testing.F) {
	f.Add([]byte(match("1", "onvif://www.onvif.org/name/x", "http://10.0.0.7/x")))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, d := range readAnswer(data, "1", netip.MustParseAddr("10.0.0.7"), ingest.Trust{}) {
			for _, s := range d.Services {
				u, err := url.Parse(s)
				if err != nil {
					t.Fatal(err)
				}
				if host, err := netip.ParseAddr(u.Hostname()); err != nil || host.Unmap().String() != "10.0.0.7" {
					t.Errorf("service %q", s)
				}
			}
		}
	})
}
