package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// usersOf is a part of a configuration. The hash is that of "correct horse", at little cost.
func usersOf(names ...string) string {
	const hash = "$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$dXQfbn5eCfQYLBLqrMJ/A+NBEttEjvQgKlFfMOuGvkA"
	var all []string
	for _, name := range names {
		role, tags, _ := strings.Cut(name, " ")
		all = append(all, fmt.Sprintf(`{name: %s, role: %s, tags: [%s], password: "%s"}`, strings.ToUpper(role), role, tags, hash))
	}
	return "console: {users: [" + strings.Join(all, ", ") + "]}\n"
}

// people log in, see what their tags say, decide what their role lets them, and are out when
// their user is.
func people(t *testing.T, data string, at addresses) {
	write := func(console string) {
		if err := os.WriteFile(filepath.Join(data, "pipeline.yaml"), []byte(console+ownConfig()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	defer write("")
	// What is answered with 401 is written there by the browser itself: a wrong password, and
	// what a page asks for in the moment in which its session ends.
	b := openBrowserBut(t, func(text string) bool { return strings.Contains(text, "401") })
	b.edit("set", "corridor_fall", "--tag", "ward", "--data", data)
	write(usersOf("admin", "operator ward", "viewer ward"))
	const review, rows = "/review?marked=all", `document.querySelectorAll('[data-list] [role=option]')`
	// The page adds the alert that is looked at to its address.
	on := func(path string) string {
		return fmt.Sprintf(`(location.pathname + location.search).startsWith(%q)`, path)
	}
	logIn := func(name, password string) {
		b.do("log in", chromedp.SetValue("[name=name]", name), chromedp.SetValue("[name=password]", password), chromedp.Click("[type=submit]"))
	}
	await(t, "users to be in force", 20*time.Second, func() bool { code, _ := get(t, "http://"+at.Console+"/api/v1/me"); return code == 401 })
	b.do("open review", chromedp.EmulateViewport(1366, 768), chromedp.Navigate("http://"+at.Console+review))
	b.until("one must log in", `location.pathname === '/login'`)
	b.accessible("the page that logs in")
	logIn("OPERATOR", "wrong horse")
	b.until("a wrong password is refused", `document.querySelector('[role=alert]')?.textContent === 'Wrong name or password.'`)
	b.shot("login-wrong")
	logIn("OPERATOR", "correct horse")
	b.until("the page that was asked for comes", on(review)+" && "+rows+`.length > 0`)
	b.until("with the alerts of one's cameras alone", `[...`+rows+`].every((r) => r.querySelector('.camera').textContent === 'corridor_fall')`)
	b.until("and the cameras", `document.querySelector('[data-line-streaming]').textContent === '1 of 1 cameras streaming'`)
	b.keys("t")
	b.until("a key decides", `/: true$/.test(document.querySelector('[data-said]').textContent)`)
	b.until("and the server takes it", `fetch('/api/v1/alerts?marked=true').then((r) => r.json()).then((l) => { window.marked = l.alerts.length }), window.marked === 1`)
	b.shot("review-operator")
	b.do("log out", chromedp.Click("form.me button"))
	b.until("one is out", on("/login"))

	b.do("open review again", chromedp.Navigate("http://"+at.Console+review))
	logIn("VIEWER", "correct horse")
	b.until("a viewer reads", on(review)+" && "+rows+`.length > 0 && !document.querySelector('[data-case]').hidden`)
	b.until("and is offered no decisions", `[...document.querySelectorAll('[data-do]')].map((b) => b.dataset.do).join() === 'export'`)
	b.do("choose all", chromedp.KeyEvent("a", chromedp.KeyModifiers(kb.ModifierCtrl)))
	for _, key := range []string{"t", "f", "l", "u", "s"} {
		b.keys(key)
	}
	b.until("keys do nothing", `document.querySelector('[data-said]').textContent === '' && document.querySelectorAll('[aria-selected=true]').length === 1`)
	b.accessible("review for a viewer")
	b.shot("review-viewer")
	b.keys("?")
	b.until("nor does help name them", `document.querySelector('[data-help]').open && !document.querySelector('[data-help]').textContent.includes('silence')`)

	write(usersOf("admin", "operator ward"))
	b.until("the open page says that the session has ended", `location.pathname === '/login' && document.querySelector('[role=status]')?.textContent.startsWith('The session has ended')`)
	b.shot("login-ended")
	logIn("VIEWER", "correct horse")
	b.until("who is gone can't log in", `document.querySelector('[role=alert]')?.textContent === 'Wrong name or password.'`)
}
