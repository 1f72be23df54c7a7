package notify

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/stagetest"
)

const tested = "test: a test of notification, since 11:59:55, contrast 0.93 (rule test, info): no camera has seen anything"

// sendPeople sends the test notification to a URL, whose HOST is that of server.
func sendPeople(t *testing.T, server, url string, more string) error {
	t.Helper()
	return send(t, "- {name: ops, people: {url: '"+strings.ReplaceAll(url, "HOST", strings.TrimPrefix(server, "http://"))+"'"+more+"}}")
}

// request is what a server of chat or push got.
type request struct{ path, auth, body string }

func chat(t *testing.T, code int, answer string) (address string, got func() []request) {
	t.Helper()
	all := make(chan request, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20)) // what is cut off is not what is looked for
		all <- request{r.URL.Path, r.Header.Get("Authorization") + r.Header.Get("X-Gotify-Key"), string(body)}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() (out []request) {
		for len(all) > 0 {
			out = append(out, <-all)
		}
		return out
	}
}

func TestPeople(t *testing.T) {
	for _, c := range []struct{ name, url, path string }{
		{"ntfy", "ntfy://user:t0k3n-of-mine@HOST/ward?scheme=http", "/ward"},
		{"gotify", "gotify://HOST/AbCdEfGhIjKlMnO?disabletls=yes", "/message"},
		{"generic", "generic://HOST/hook/t0k3n-of-mine?disabletls=yes&template=json", "/hook/t0k3n-of-mine"},
		{"matrix", "matrix://:t0k3n-of-mine@HOST/?rooms=!ward:h&disableTLS=yes", "/_matrix/client/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, got := chat(t, http.StatusOK, `{"id": 1, "room_id": "!ward:h", "joined_rooms": ["!ward:h"], "event_id": "e"}`)
			if err := sendPeople(t, server, c.url, ", private: true"); err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(got(), func(r request) bool {
				return strings.HasPrefix(r.path, c.path) && strings.Contains(r.body, tested)
			}) {
				t.Error("the message did not arrive")
			}
		})
	}
}

// Whatever goes wrong, no part of the URL is in the error.
func TestErrorsAboutPeopleHoldNoSecrets(t *testing.T) {
	refuses, _ := chat(t, http.StatusUnauthorized, `{"error": "no such t0k3n-of-mine, Ab0dEfGhIjKlMnO", "errorDescription": "Ab0dEfGhIjKlMnO p%40ss%20w0rd p@ss w0rd t0k3n-of-mine"}`)
	for _, c := range []struct{ server, url, want string }{
		{"127.0.0.1:1", "ntfy://t0k3n-of-mine:p%40ss%20w0rd@HOST/Ab0dEfGhIjKlMnO?scheme=http", "connection refused"},
		{refuses, "ntfy://t0k3n-of-mine:p%40ss%20w0rd@HOST/Ab0dEfGhIjKlMnO?scheme=http", "no such ***"},
		{"127.0.0.1:1", "gotify://HOST/t0k3n-of-mine/Ab0dEfGhIjKlMnO?disabletls=yes", "connection refused"},
		{refuses, "gotify://HOST/t0k3n-of-mine/Ab0dEfGhIjKlMnO?disabletls=yes", ""},
		{"127.0.0.1:1", "generic://HOST/t0k3n-of-mine?disabletls=yes", "connection refused"},
		{refuses, "generic+http://HOST/t0k3n-of-mine", "401 Unauthorized"},
		{refuses, "matrix://t0k3n-of-mine:Ab0dEfGhIjKlMnO@HOST/?rooms=!ward:h&disableTLS=yes", "no such ***"},
		{"127.0.0.1:1", "smtp://t0k3n-of-mine:p%40ss%20w0rd@HOST/?from=a@example.com&to=Ab0dEfGhIjKlMnO@example.com", "connection refused"},
	} {
		err := sendPeople(t, c.server, c.url, ", private: true")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.url, err, c.want)
			continue
		}
		for _, secret := range []string{"t0k3n", "Ab0dEf", "w0rd", "mine"} {
			if strings.Contains(c.url, secret) && strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error shows %q: %v", c.url, secret, err)
			}
		}
	}
}

// Services whose connections can't be checked are refused at once, and the others when
// they connect to an address that is not public, or are redirected.
func TestPeopleKeepToPublicAddresses(t *testing.T) {
	server, got := chat(t, http.StatusOK, "{}")
	for _, url := range []string{"generic://HOST/hook?disabletls=yes", "matrix://:token@HOST/?rooms=!ward:h&disableTLS=yes", "rocketchat://HOST/a/b", "bark://:key@HOST/?scheme=http"} {
		if err := sendPeople(t, server, url, ""); err == nil || !strings.Contains(err.Error(), errPrivate.Error()) {
			t.Errorf("%s: %v, want it refused", url, err)
		}
	}
	if all := got(); len(all) > 0 {
		t.Errorf("sent %v", all)
	}
	away := httptest.NewServer(http.RedirectHandler(server, http.StatusTemporaryRedirect))
	defer away.Close()
	if err := sendPeople(t, away.URL, "generic://HOST/hook?disabletls=yes", ", private: true"); err == nil || !strings.Contains(err.Error(), "redirects (307)") {
		t.Errorf("%v, want no redirect followed", err)
	}
}

func TestPeopleWhoHang(t *testing.T) {
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	defer server.Close()
	defer close(over)
	if err := sendPeople(t, server.URL, "generic://HOST/hook?disabletls=yes", ", private: true, timeout: 1s"); err == nil || !strings.Contains(err.Error(), "no answer in time") {
		t.Error(err)
	}
}

// mail plays a server of SMTP that takes one letter.
func TestMail(t *testing.T) {
	letters := make(chan string, 1)
	address := stagetest.Serve(t, "127.0.0.1", func(c net.Conn) {
		conn := textproto.NewConn(c)
		_ = conn.PrintfLine("220 mail.test ESMTP")
		for {
			line, err := conn.ReadLine()
			if err != nil {
				return
			}
			switch verb, _, _ := strings.Cut(strings.ToUpper(line), " "); verb {
			case "DATA":
				_ = conn.PrintfLine("354 go on")
				text, _ := io.ReadAll(bufio.NewReader(conn.DotReader()))
				letters <- string(text)
			case "QUIT":
				_ = conn.PrintfLine("221 bye")
				return
			}
			_ = conn.PrintfLine("250 ok")
		}
	})
	if err := sendPeople(t, address, "smtp://HOST/?from=cameras@example.com&to=ward@example.com&subject=Alert", ", private: true"); err != nil {
		t.Fatal(err)
	}
	if letter := <-letters; !strings.Contains(letter, "To: ward@example.com") || !strings.Contains(letter, "\n\n"+tested) {
		t.Errorf("got %s", letter)
	}
}

// What is too long for a service is cut, and what is left out is counted.
func TestPeopleGetNoMoreThanTheyCanRead(t *testing.T) {
	var events []Event
	for n := range 100 {
		events = append(events, Event{Text: fmt.Sprintf("event %d of a camera whose name is ward-2", n)})
	}
	text := brief(events, maxPeople)
	last := text[strings.LastIndex(text, "\n")+1:]
	shown := strings.Count(text, "\nevent ")
	if len(text) > maxPeople || !strings.HasPrefix(text, "100 events\nevent 0 ") || last != fmt.Sprintf("and %d more", 100-shown) || shown < 10 {
		t.Errorf("%d bytes: %s", len(text), text)
	}
	if text := brief([]Event{{Text: strings.Repeat("ä", maxPeople)}}, maxPeople); len(text) > maxPeople || !strings.HasSuffix(text, "ä…") {
		t.Errorf("%d bytes: %s", len(text), text)
	}
}
