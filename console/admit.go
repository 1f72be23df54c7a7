package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/console/access"
)

// router notes which routes there are, so that each has a rule: those of free are for
// everybody, of all others one must be somebody.
type router struct {
	*http.ServeMux
	patterns []string
	free     map[string]bool
}

func newRouter() *router { return &router{ServeMux: http.NewServeMux(), free: map[string]bool{}} }

func (m *router) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	m.patterns = append(m.patterns, pattern)
	m.ServeMux.HandleFunc(pattern, h)
}

// forAll adds a route for those too who have not shown who they are.
func (m *router) forAll(pattern string, h func(http.ResponseWriter, *http.Request)) {
	m.free[pattern] = true
	m.HandleFunc(pattern, h)
}

// admit lets in who may use the console, and puts who it is into the request's context,
// which ends when they may no longer.
func (c *Console) admit(m *router) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := m.Handler(r); m.free[pattern] {
			m.ServeHTTP(w, r)
			return
		}
		pass, in := c.pass(r)
		if !in {
			refuseUnknown(w, r)
			return
		}
		defer pass.Done()
		if r.Method != http.MethodGet && r.Method != http.MethodHead && pass.Who.Role < operator {
			refuse(w, http.StatusForbidden, "this needs the role operator or admin, "+pass.Who.Name+" is "+pass.Who.Role.String())
			return
		}
		pass.Who.From = c.site.Load().from(r)
		ctx, end := context.WithCancelCause(context.WithValue(r.Context(), whoKey{}, pass.Who))
		var watching sync.WaitGroup
		defer watching.Wait()
		defer end(nil)
		watching.Go(func() { untilOver(ctx, pass); end(errOver) })
		m.ServeHTTP(&leaving{ResponseWriter: w, ctx: ctx}, r.WithContext(ctx))
	})
}

// errOver is why the context of a request ends whose leave is over.
var errOver = errors.New("whoever asks may do so no longer")

// untilOver waits for the end of leave to do a request, or of the request.
func untilOver(ctx context.Context, pass access.Pass) {
	var late <-chan time.Time
	if !pass.Until.IsZero() {
		timer := time.NewTimer(time.Until(pass.Until))
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-ctx.Done():
	case <-pass.Over:
	case <-late:
	}
}

// pass finds out who makes a request. A token counts alone: what a cookie says does not
// make up for one that is wrong.
func (c *Console) pass(r *http.Request) (access.Pass, bool) {
	if pass, local := c.gate.Local(c.local); local {
		return pass, true
	}
	if headers := r.Header.Values("Authorization"); len(headers) > 0 {
		token, ok := bearer(headers)
		if !ok {
			return access.Pass{}, false
		}
		return c.gate.Token(token)
	}
	id, ok := sessionID(r, c.site.Load().cookie())
	if !ok {
		return access.Pass{}, false
	}
	return c.gate.Session(id)
}

// bearer is the token of a header "Authorization: Bearer TOKEN".
func bearer(headers []string) (string, bool) {
	if len(headers) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && token != "" && len(token) <= maxToken
}

const (
	maxToken   = 512
	maxSession = 64
)

// sessionID is what the cookie says. Of several of one name, which another host of the
// domain may have planted, none counts.
func sessionID(r *http.Request, name string) (string, bool) {
	all := r.CookiesNamed(name)
	if len(all) != 1 || all[0].Value == "" || len(all[0].Value) > maxSession {
		return "", false
	}
	return all[0].Value, true
}

// refuseUnknown sends people to the page that logs in, and programs away.
func refuseUnknown(w http.ResponseWriter, r *http.Request) {
	if (r.Method == http.MethodGet || r.Method == http.MethodHead) && !strings.HasPrefix(r.URL.Path, "/api/") && len(r.Header.Values("Authorization")) == 0 {
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, "/login?next="+url.QueryEscape(nextPage(r.URL.RequestURI())), http.StatusSeeOther)
		return
	}
	refuseOver(w)
}

// refuseOver has whoever asks show who they are, as those must too whose leave has ended.
func refuseOver(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="frostwatch"`)
	refuse(w, http.StatusUnauthorized, "log in at /login, or send Authorization: Bearer TOKEN with one of console.tokens")
}

// refuse answers as the API does.
func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Del("Content-Length")
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": why})
}
