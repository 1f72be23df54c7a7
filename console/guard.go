package console

import (
	"fmt"
	"net"
	"net/http"
	"strings"
)

// policy lets a page load from the console itself and nothing else: names of cameras,
// labels and reasons come from Kafka, where anybody may have written them.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// guard refuses what no page of the console asks for, and says what its pages may do.
func guard(next http.Handler) http.Handler {
	// Refuses edits that another site's page sends from the user's browser.
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ownHost(r.Host) {
			// Another site's name that was made to resolve to this machine would otherwise
			// read everything here.
			http.Error(w, "the console answers at this machine's own address only: 127.0.0.1 or localhost", http.StatusMisdirectedRequest)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// ownHost is whether a request names this machine: a loopback address or localhost.
func ownHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// CheckListen returns an error if the console may not listen on an address: it has no
// users yet, so it is shown to this machine alone.
func CheckListen(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("console.listen %q: want HOST:PORT, such as 127.0.0.1:8070", address)
	}
	if !ownHost(host) {
		return fmt.Errorf("console.listen %q: want 127.0.0.1, ::1 or localhost: the console asks for no password, so it is shown to this machine alone; reach it from elsewhere by a tunnel, as with `ssh -L`", address)
	}
	return nil
}
