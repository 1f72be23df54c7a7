package console

import (
	"net/http"
	"strings"
)

// policy lets a page load from the console itself and nothing else: names of cameras,
// labels and reasons come from Kafka, where anybody may have written them.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// maxBody bounds what is sent to the console.
const maxBody = 1 << 20

// guard refuses what no page of the console asks for, and says what its pages may do.
func (c *Console) guard(next http.Handler) http.Handler {
	// Refuses edits that another site's page sends from the user's browser.
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(plain http.ResponseWriter, r *http.Request) {
		w := inParts(plain)
		defer w.finish()
		if !c.site.Load().own(r) {
			http.Error(w, "the console does not answer under this name: want an address of this machine, or one of console.hosts", http.StatusMisdirectedRequest)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		// With no-referrer, browsers would hide the origin of the form that logs in too.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Add("Vary", "Cookie, Authorization")
		if foreign(r) {
			http.Error(w, "a page of another site asks for this", http.StatusForbidden)
			return
		}
		if name := secretInURL(r); name != "" {
			http.Error(w, name+" in an address would be written to logs: send Authorization: Bearer TOKEN, or log in at /login", http.StatusBadRequest)
			return
		}
		r.Body = http.MaxBytesReader(plain, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// foreign is whether another site's page asks for something other than to be left for a
// page of the console: it could not read it, but hold streams of events open.
func foreign(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return (site == "cross-site" || site == "same-site") && r.Header.Get("Sec-Fetch-Mode") != "navigate"
}

// secretInURL is the name of a query's key under which somebody sends a secret.
func secretInURL(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	for key := range r.URL.Query() {
		switch strings.ToLower(key) {
		case "token", "access_token", "api_key", "apikey", "bearer", "authorization", "password":
			return strings.ToLower(key)
		}
	}
	return ""
}
