package console

import (
	"bytes"
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/frostwatch/frostwatch/console/access"
	"github.com/frostwatch/frostwatch/topics"
)

// maxLogin bounds the form that logs in, maxNext the address one comes back to.
const (
	maxLogin = 8 << 10
	maxNext  = 1 << 10
)

// loginView is what the page that logs in is made of.
type loginView struct {
	Next, Name, Fault string
	Clear             bool // nothing is encrypted
	Ended             bool // there was a session
}

func (c *Console) loginPage(w http.ResponseWriter, r *http.Request) {
	next := nextPage(r.URL.Query().Get("next"))
	if pass, in := c.pass(r); in {
		pass.Done()
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	c.showLogin(w, http.StatusOK, loginView{Next: next, Ended: r.URL.Query().Has("ended")})
}

func (c *Console) showLogin(w http.ResponseWriter, status int, v loginView) {
	s := c.site.Load()
	v.Clear = !s.secure() && !s.OnLoopback()
	var b bytes.Buffer
	if err := c.pages["login"].ExecuteTemplate(&b, "login.html", v); err != nil {
		c.Logger.Error("the page that logs in can't be made", "error", err)
		http.Error(w, "the page can't be made; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // where the browser is gone nobody needs the page
}

func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxLogin)
	if err := r.ParseForm(); err != nil {
		c.showLogin(w, http.StatusBadRequest, loginView{Next: "/", Fault: "The form can't be read."})
		return
	}
	s := c.site.Load()
	name, from := r.PostForm.Get("name"), s.from(r)
	next := nextPage(r.PostForm.Get("next"))
	id, who, err := c.gate.Login(r.Context(), name, r.PostForm.Get("password"), from)
	if err != nil {
		c.loginRefused(w, r, loginView{Next: next, Name: shownName(name)}, from, err)
		return
	}
	// Whatever session the browser had, or was made to have, is not gone on with.
	for _, old := range r.CookiesNamed(s.cookie()) {
		c.gate.Logout(old.Value)
	}
	http.SetCookie(w, s.sessionCookie(id, int(access.SessionAge.Seconds())))
	who.From = from
	c.audit(context.WithValue(r.Context(), whoKey{}, who), "log in")
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// loginRefused says that a login was wrong, or too soon. One that was too soon is not
// logged: there may be any number.
func (c *Console) loginRefused(w http.ResponseWriter, r *http.Request, v loginView, from string, err error) {
	status := http.StatusUnauthorized
	v.Fault = "Wrong name or password."
	var soon access.LimitError
	if errors.As(err, &soon) {
		status = http.StatusTooManyRequests
		seconds := int(math.Ceil(soon.Wait.Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		v.Fault = "Too many logins were tried. Try again in " + strconv.Itoa(seconds) + " s."
	} else {
		c.Logger.WarnContext(r.Context(), "audit", "who", v.Name, "from", from, "what", "login refused: wrong name or password")
	}
	c.showLogin(w, status, v)
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) {
	s := c.site.Load()
	if id, has := sessionID(r, s.cookie()); has {
		if pass, in := c.gate.Session(id); in {
			pass.Done()
			pass.Who.From = s.from(r)
			c.audit(context.WithValue(r.Context(), whoKey{}, pass.Who), "log out")
		}
		c.gate.Logout(id)
	}
	if len(r.CookiesNamed(s.cookie())) > 0 {
		http.SetCookie(w, s.sessionCookie("", -1))
	}
	if s.secure() {
		w.Header().Set("Clear-Site-Data", `"cache"`) // pictures
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (s *site) sessionCookie(id string, age int) *http.Cookie {
	// Lax, so that a link in a message opens what it leads to.
	return &http.Cookie{Name: s.cookie(), Value: id, Path: "/", MaxAge: age, HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode}
}

// nextPage is an address of the console to which one comes after logging in; of another
// site's, or of none, the wall.
func nextPage(text string) string {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxNext || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" ||
		!strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") || strings.ContainsAny(text, "\\\r\n\t") ||
		strings.HasPrefix(u.Path, "//") || strings.HasPrefix(u.Path, "/login") || strings.HasPrefix(u.Path, "/logout") {
		return "/"
	}
	return text
}

// shownName is a name that somebody typed, fit to be shown and logged.
func shownName(name string) string {
	const most = 64
	if len(name) > most {
		name = name[:most]
	}
	return topics.Clean(strings.ToValidUTF8(name, ""))
}
