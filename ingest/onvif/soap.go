package onvif

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // WS-Security's own choice
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/ingest/relay"
)

const (
	soapBytes = 1 << 20 // of an answer
	soapTime  = 8 * time.Second
)

// peer asks one device.
type peer struct {
	address  netip.Addr
	user     string
	password string
	ahead    time.Duration // of its clock before ours
	client   *http.Client
}

// newPeer connects to nothing but the device's address, through no proxy, and follows no
// redirection.
func newPeer(address netip.Addr, user, password string) *peer {
	dial := &net.Dialer{Timeout: soapTime / 2}
	return &peer{address: address, user: user, password: password, client: &http.Client{
		Timeout:       soapTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10, DisableCompression: true,
			DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
				host, err := netip.ParseAddrPort(to)
				if err != nil || host.Addr().Unmap() != address {
					return nil, errors.New("that is not the address that answered")
				}
				return dial.DialContext(ctx, network, to)
			},
		},
	}}
}

// envelope is an answer: what was asked for, or a fault.
type envelope struct {
	Body struct {
		Fault *struct {
			Reason  string `xml:"Reason>Text"`
			Subcode string `xml:"Code>Subcode>Value"`
			String  string `xml:"faultstring"` // of SOAP 1.1
		} `xml:"Fault"`
		Inner []byte `xml:",innerxml"`
	} `xml:"Body"`
}

// call asks a service and reads its answer into out. secret is whether it needs the
// password.
func (p *peer) call(ctx context.Context, service, body string, secret bool, out any) error {
	u, err := at(service, p.address)
	if err != nil {
		return err
	}
	status, challenges, answer, err := p.post(ctx, u, p.message(body, secret), "")
	if err == nil && status == http.StatusUnauthorized && secret && len(challenges) > 0 {
		var login string
		if login, err = relay.Digest(url.UserPassword(p.user, p.password), challenges, http.MethodPost, u.RequestURI()); err != nil {
			return err
		}
		status, _, answer, err = p.post(ctx, u, p.message(body, false), login)
	}
	switch {
	case err != nil:
		return err
	case status >= 300 && status < 400:
		return errors.New("it redirects elsewhere, which is not followed")
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return errors.New("wrong user name or password")
	}
	return read(answer, status, out)
}

// read reads an answer.
func read(answer []byte, status int, out any) error {
	var e envelope
	if err := xml.Unmarshal(answer, &e); err != nil {
		return fmt.Errorf("its answer (status %d) is no message of ONVIF", status)
	}
	if f := e.Body.Fault; f != nil {
		if strings.Contains(f.Subcode, "NotAuthorized") || strings.Contains(f.String, "uthoriz") {
			return errors.New("wrong user name or password")
		}
		return fmt.Errorf("it answers: %s", clean(f.Reason+f.String+" "+f.Subcode))
	}
	if err := xml.Unmarshal(e.Body.Inner, out); err != nil {
		return errors.New("its answer is another than was asked for")
	}
	return nil
}

func (p *peer) post(ctx context.Context, u *url.URL, message, login string) (status int, challenges []string, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(message))
	if err != nil {
		return 0, nil, nil, errors.New("it names a service that can't be asked")
	}
	r.Header.Set("Content-Type", "application/soap+xml; charset=utf-8")
	if login != "" {
		r.Header.Set("Authorization", login)
	}
	a, err := p.client.Do(r)
	if err != nil {
		return 0, nil, nil, fmt.Errorf("it can't be asked: %s", clean(bare(err)))
	}
	defer func() { _ = a.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(a.Body, soapBytes+1))
	if err != nil {
		return 0, nil, nil, fmt.Errorf("its answer breaks off: %s", clean(bare(err)))
	}
	if len(answer) > soapBytes {
		return 0, nil, nil, fmt.Errorf("its answer is longer than %d bytes", soapBytes)
	}
	return a.StatusCode, a.Header.Values("WWW-Authenticate"), answer, nil
}

// bare is an error without the URL that net/http puts in front.
func bare(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	return err.Error()
}

// message is a request with a body; with a digest of the password, if it is needed
// (WS-Security's UsernameToken).
func (p *peer) message(body string, secret bool) string {
	head := ""
	if secret {
		head = p.token(time.Now().Add(p.ahead))
	}
	return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>` + head +
		`</s:Header><s:Body>` + body + `</s:Body></s:Envelope>`
}

func (p *peer) token(now time.Time) string {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // it never fails
	created := now.UTC().Format("2006-01-02T15:04:05.000Z")
	sum := sha1.Sum(append(append(nonce[:len(nonce):len(nonce)], created...), p.password...)) //nolint:gosec // as above
	const ns = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
	return `<w:Security s:mustUnderstand="1" xmlns:w="` + ns + `wssecurity-secext-1.0.xsd" xmlns:u="` + ns + `wssecurity-utility-1.0.xsd"><w:UsernameToken><w:Username>` +
		escaped(p.user) + `</w:Username><w:Password Type="` + ns + `username-token-profile-1.0#PasswordDigest">` + base64.StdEncoding.EncodeToString(sum[:]) +
		`</w:Password><w:Nonce EncodingType="` + ns + `soap-message-security-1.0#Base64Binary">` + base64.StdEncoding.EncodeToString(nonce) +
		`</w:Nonce><u:Created>` + created + `</u:Created></w:UsernameToken></w:Security>`
}

func escaped(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
	return b.String()
}
