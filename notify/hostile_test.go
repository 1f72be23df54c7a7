package notify

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// A receiver that answers with all that it was sent, as error pages do.
func echo(t *testing.T, code int) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(code)
		_, _ = fmt.Fprintf(w, "Cannot %s %s %s\n", r.Method, r.URL, r.URL.Query())
		_ = r.Header.Write(w)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// What a receiver says is shown, in logs, on topics, and in the status, and it may say what
// it was sent.
func TestAnswersShowNoSecrets(t *testing.T) {
	server := strings.TrimPrefix(echo(t, http.StatusBadRequest), "http://")
	for name, text := range map[string]string{
		"webhook":      fmt.Sprintf(`- {name: ops, webhook: {url: "http://user:paSSw0rd@%s/services/T0KENinPath/x%%2Fesc4ped?key=T0KENinQuery", headers: {Authorization: "Bearer T0KENinHeader", X-Key: "T0KENalone"}, secret: T0KENsigns, private: true}}`, server),
		"alertmanager": fmt.Sprintf(`- {name: ops, alertmanager: {url: "http://user:paSSw0rd@%s/T0KENinPath", headers: {X-Key: "T0KENalone"}, private: true}}`, server),
		"command":      `- {name: ops, command: {run: [sh, -c, 'set -x; echo "to $URL with $WORD"; yes T0KENinPath | head -c 9000; exit 1'], env: {URL: "http://host/T0KENinPath", WORD: "paSSw0rd"}}}`,
	} {
		err := send(t, text)
		if err == nil {
			t.Fatalf("%s: it was accepted", name)
		}
		for _, secret := range []string{"T0KEN", "paSSw0rd", "dXNlcjpwYVNTdzByZA", "esc4ped"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error shows %s: %v", name, secret, err)
			}
		}
		if !strings.Contains(err.Error(), "***") {
			t.Errorf("%s: the error does not show what was said: %v", name, err)
		}
	}
}

// What a program starts and leaves is its own affair, if it says that it has succeeded, and
// ends with it, if its time is over.
func TestCommandsThatStartOthers(t *testing.T) {
	if err := send(t, `- {name: ops, command: {run: [sh, -c, 'sleep 3 & exit 0']}}`); err != nil {
		t.Errorf("one that goes on in the background: %v", err)
	}
	file := filepath.Join(t.TempDir(), "pid")
	err := send(t, `- {name: ops, command: {run: [sh, -c, 'trap "" TERM INT HUP; (trap "" TERM; sleep 300) & echo $! > "$FILE"; wait'], env: {FILE: `+file+`}, timeout: 500ms}}`)
	if err == nil || !strings.Contains(err.Error(), "it takes longer than 500ms") {
		t.Errorf("%v", err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	await(t, "end of what it has started", func() bool { return gone(pid) })
}

// gone is whether a process has ended: it may wait for init to notice.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ") || syscall.Kill(pid, 0) != nil
}

// Servers that hang up, never end, say what is no HTTP, or send somewhere else: each attempt
// ends in time, and takes no memory without end.
func TestHostileServers(t *testing.T) {
	raw := func(answer func(net.Conn)) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer func() { _ = conn.Close() }()
					_, _ = conn.Read(make([]byte, 1<<16))
					answer(conn)
				}()
			}
		}()
		return l.Addr().String()
	}
	drip := func(conn net.Conn, begin, each string) {
		_, err := conn.Write([]byte(begin))
		for err == nil {
			_, err = conn.Write([]byte(each))
			time.Sleep(10 * time.Millisecond)
		}
	}
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	for range 1 << 10 {
		_, _ = zip.Write(make([]byte, 1<<16))
	}
	_ = zip.Close()
	for _, c := range []struct {
		name, scheme, address, want string
	}{
		{"a header that never ends", "http", raw(func(c net.Conn) { drip(c, "HTTP/1.1 200 OK\r\n", "X: y\r\n") }), "no answer in time"},
		{"100 without end", "http", raw(func(c net.Conn) { drip(c, "", "HTTP/1.1 100 Continue\r\n\r\n") }), ""},
		{"early hints without end", "http", raw(func(c net.Conn) { drip(c, "", "HTTP/1.1 103 Early Hints\r\n\r\n") }), ""},
		{"a body that never ends", "http", raw(func(c net.Conn) {
			drip(c, "HTTP/1.1 500 no\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\n\x1b[2J\r\n")
		}), "answered 500"},
		{"a gzip bomb", "http", raw(func(c net.Conn) {
			_, _ = fmt.Fprintf(c, "HTTP/1.1 500 no\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", bomb.Len(), bomb.Bytes())
		}), "answered 500"},
		{"no HTTP", "http", raw(func(c net.Conn) { drip(c, "\x00\x1b[2J\xff", "\xff") }), ""},
		{"no TLS", "https", raw(func(c net.Conn) { drip(c, "\x16\x03\x01\xff\xff", "\xff") }), ""},
		{"nothing", "http", raw(func(net.Conn) {}), "EOF"},
		{"another address", "http", raw(func(c net.Conn) {
			_, _ = c.Write([]byte("HTTP/1.1 307 no\r\nLocation: http://169.254.169.254/latest/meta-data/\r\nContent-Length: 0\r\n\r\n"))
		}), "redirects (307), which is not followed"},
		{"a success that never ends", "http", raw(func(c net.Conn) { drip(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n") }), "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			err := send(t, fmt.Sprintf("- {name: ops, webhook: {url: '%s://%s', private: true, timeout: 500ms}}", c.scheme, c.address))
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
			switch {
			case c.want == "-":
			case err == nil || !strings.Contains(err.Error(), c.want):
				t.Errorf("%v, want %q", err, c.want)
			case strings.Contains(err.Error(), "\x1b") || strings.Contains(err.Error(), "\xff") || len(err.Error()) > 2000:
				t.Errorf("it shows %.300q", err)
			}
		})
	}
}

// Addresses behind which other addresses are, or nobody's.
func TestSpecialAddresses(t *testing.T) {
	for _, text := range []string{
		"0.1.2.3", "127.9.9.9", "10.1.1.1", "172.31.0.1", "192.168.0.1", "169.254.169.254", "100.100.100.200", "192.0.0.192", "198.18.0.1", "240.0.0.1", "255.255.255.255", "224.0.0.1",
		"::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:0.1.2.3", "64:ff9b::169.254.169.254", "64:ff9b:1::a", "2002:a9fe:a9fe::1", "2001:0:1::1", "fd00:ec2::254", "fe80::1%eth0", "fec0::1", "ff02::1",
	} {
		if public(netip.MustParseAddr(text)) {
			t.Errorf("%s is taken for a public address", text)
		}
	}
	for _, text := range []string{"1.1.1.1", "::ffff:1.1.1.1", "2606:4700:4700::1111", "100.128.0.1", "192.0.3.1"} {
		if !public(netip.MustParseAddr(text)) {
			t.Errorf("%s is taken for a special address", text)
		}
	}
}

// Anybody may write to the topics: records that nobody can read, of other cameras' alerts,
// or that are not what they say, stop nothing.
func TestHostileRecordsStopNothing(t *testing.T) {
	b, h := startBroker(t, 2), startHook(t)
	r := b.run(t, plan(t, fmt.Sprintf("- {name: ops, webhook: {url: %q, private: true}}\n", h.URL)), 2)
	good := alert("ward-1", 1, topics.AlertRaised)
	value, err := topics.EncodeAlert(good)
	if err != nil {
		t.Fatal(err)
	}
	replaced := func(from, to string) string { return strings.ReplaceAll(string(value), from, to) }
	garbage := []string{
		"", "{", "null", "[]", strings.Repeat("[", 1<<16), strings.Repeat("x", 900<<10), "\xff\xfe\x00",
		replaced("fall/ward-1-1", "fall/\\u001b[2J"), replaced("fall/ward-1-1", "fall/\\u202eevil"), replaced("fall/ward-1-1", "a\\r\\nX-Evil: 1"),
		replaced(good.Label, strings.Repeat("x", 1<<17)), replaced(good.Label, "a\\u0000"), replaced("ward-1", "../../etc"), replaced(`"raised"`, `"gone"`),
		replaced("2026-03-01T12:00:00Z", "9999-12-31T23:59:59-23:59"), replaced(`"contrast":0.93`, `"contrast":1e999`),
	}
	var msgs []bus.Message
	for _, topic := range []topics.Topic{topics.Alerts, topics.OpenAlerts, topics.Silences, topics.Withheld} {
		for i, text := range garbage {
			for _, key := range []string{"ward-1", "notify-ops/fall/ward-1-1", topics.ProfileKey, "\xff\x00", strings.Repeat("k", 1000)} {
				m := bus.Message{Topic: names.Of(topic), Key: []byte(key), Value: []byte(text), PartitionBy: []byte(fmt.Sprint(i))}
				m.Headers = []bus.Header{{Key: topics.HeaderGeneration, Value: []byte("99999999999999999999")}, {Key: topics.HeaderQueued, Value: []byte("-1")}}
				msgs = append(msgs, m)
			}
		}
	}
	if _, err := b.Send(t.Context(), msgs...); err != nil {
		t.Fatal(err)
	}
	// What it says is words, whoever reads them as something else.
	odd := good
	odd.ID, odd.Label, odd.Reason = "fall/{{.Alert}}", "{{template \"x\"}} ${HOME} $(id) <@everyone> '; DROP", "%s%n {{ states }}"
	b.send(t, odd, good)
	await(t, "delivery", func() bool { return len(h.accepted()) == 2 })
	if got := h.accepted(); got[0] != "fall/{{.Alert}}/raised" || got[1] != "fall/ward-1-1/raised" {
		t.Errorf("delivered %q", got)
	}
	if text := h.got[0].Events[0].Text; !strings.Contains(text, odd.Label) || !strings.Contains(text, odd.Reason) {
		t.Errorf("text %s", text)
	}
	r.stop()
	b.run(t, r.Plan, 2) // which reads the tables
	b.send(t, alert("ward-2", 1, topics.AlertRaised))
	await(t, "delivery after a restart", func() bool { return len(h.accepted()) == 3 })
}
