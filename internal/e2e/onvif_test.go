package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// onvifDevice is a device on this machine that answers who looks for cameras and names a
// stream; it returns where it is asked. It takes any password.
func onvifDevice(t *testing.T, stream string) string {
	t.Helper()
	var services *httptest.Server
	services = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
		if err != nil {
			return
		}
		answer := `<GetStreamUriResponse><Uri>` + stream + `</Uri></GetStreamUriResponse>`
		for asked, is := range map[string]string{
			"GetSystemDateAndTime": `<GetSystemDateAndTimeResponse/>`,
			"GetDeviceInformation": `<GetDeviceInformationResponse><Manufacturer>ACME</Manufacturer><Model>X1</Model></GetDeviceInformationResponse>`,
			"GetServices":          `<GetServicesResponse><Service><Namespace>http://www.onvif.org/ver20/media/wsdl</Namespace><XAddr>` + services.URL + `</XAddr></Service></GetServicesResponse>`,
			"GetProfiles":          `<GetProfilesResponse><Profiles token="main"><Name>First</Name><Configurations><VideoEncoder><Encoding>H264</Encoding><Resolution><Width>640</Width><Height>360</Height></Resolution></VideoEncoder></Configurations></Profiles></GetProfilesResponse>`,
		} {
			if strings.Contains(string(body), asked) {
				answer = is
			}
		}
		_, _ = io.WriteString(w, `<e:Envelope xmlns:e="x"><e:Body>`+answer+`</e:Body></e:Envelope>`)
	}))
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	asked := regexp.MustCompile(`<w:MessageID>([^<]*)</w:MessageID>`)
	var answering sync.WaitGroup
	answering.Go(func() {
		for b := make([]byte, 4<<10); ; {
			n, from, err := conn.ReadFromUDP(b)
			if err != nil {
				return
			}
			if id := asked.FindSubmatch(b[:n]); id != nil {
				_, _ = fmt.Fprintf(onvifAsker{conn, from}, `<E><Header><RelatesTo>%s</RelatesTo></Header><Body><ProbeMatches><ProbeMatch><Scopes>onvif://www.onvif.org/name/Gate%%20West</Scopes><XAddrs>%s</XAddrs></ProbeMatch></ProbeMatches></Body></E>`, id[1], services.URL)
			}
		}
	})
	t.Cleanup(func() {
		_ = conn.Close()
		answering.Wait()
		services.Close()
	})
	return conn.LocalAddr().String()
}

// onvifAsker is who has asked; what is written to it is sent there.
type onvifAsker struct {
	conn *net.UDPConn
	to   *net.UDPAddr
}

func (w onvifAsker) Write(b []byte) (int, error) { return w.conn.WriteToUDP(b, w.to) }
