package console

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/console/access"
	"github.com/frostwatch/frostwatch/console/fleet"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// hash is that of the password "correct horse", at little cost.
	hash   = "$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$dXQfbn5eCfQYLBLqrMJ/A+NBEttEjvQgKlFfMOuGvkA"
	secret = "-token-of-at-least-32-characters-"
)

// people are a token of each role that sees everything, and "limited", an admin who sees
// what has the tag ward; and a user anna.
func people() config.Console {
	c := config.Console{
		Listen: "127.0.0.1:0", Hosts: []string{"cams.example"},
		Users: []config.ConsoleUser{{Name: "anna", Password: hash, Role: "admin"}, {Name: "ben", Password: hash, Role: "viewer", Tags: []string{"ward"}}},
	}
	for _, role := range config.Roles {
		c.Tokens = append(c.Tokens, config.ConsoleToken{Name: role, Role: role, Token: config.Secret(role + secret)})
	}
	c.Tokens = append(c.Tokens, config.ConsoleToken{Name: "limited", Role: "admin", Token: "limited" + secret, Tags: []string{"ward"}})
	return c
}

// guarded is a console with users, a camera in the ward and one that ward's people don't
// see, whose name is in everything about it.
func guarded(t *testing.T, log *slog.Logger) (*Console, *httptest.Server) {
	t.Helper()
	c, server := servedAs(t, people(), log)
	c.wall.setCameras([]cameras.Entry{streaming("lobby", "ward"), streaming("vault", "cellar")})
	for _, name := range []string{"lobby", "vault"} {
		r := recognised(name, 1, topics.LabelScore{Label: "climbing in " + name, Contrast: 0.5})
		c.wall.setRecognition(r)
		a := topics.Alert{ID: name + "/" + name + "-1-1", Rule: name, Camera: name, Label: "falling in " + name, Onset: noon}
		c.wall.setOpen(name+"/fall", &a)
		a.Onset, a.At = time.Now(), time.Now()
		c.queue.add(a, time.Now())
	}
	for _, name := range []string{"lobby", "vault"} {
		if err := c.Cameras.Put(t.Context(), topics.Camera{Name: name, URL: "rtsp://viewer:hunter2@10.0.0.7/" + name}); err != nil {
			t.Fatal(err)
		}
	}
	// Both have shown it, and its id names the one that did so first.
	c.wall.setOpen("crowd", &topics.Alert{ID: "crowd/vault-1-2", Rule: "crowd", Camera: "lobby", Cameras: []string{"lobby", "vault"}, Label: "people running", Onset: noon})
	c.wall.setFault("x", errors.New("a record of vault can't be read"))
	c.loops = newLoops(func(context.Context, topics.RecordRef) (topics.Clip, error) { return topics.Clip{}, archive.ErrGone })
	c.fleet = newRecent(fleetAge, func(context.Context) (fleet.Fleet, error) {
		return fleet.Fleet{
			Workers: []fleet.Worker{{Name: "w", Alive: true, Problems: map[string]string{"camera vault": "vault is away"}, Warnings: map[string]string{"vault": "vault is late"}}},
			Cameras: []fleet.Camera{{Name: "lobby", State: "waiting", Reason: "no route to lobby"}, {Name: "vault", State: "waiting", Reason: "no route to vault"}},
			Open: []fleet.Alert{
				{ID: "lobby/lobby-1-1", Rule: "lobby", Camera: "lobby"}, {ID: "crowd/lobby-1-2", Rule: "crowd", Camera: "lobby", Cameras: []string{"lobby", "vault"}},
				{ID: "vault/vault-1-1", Rule: "vault", Camera: "vault"},
			},
			Wrong:    []fleet.Wrong{{What: "camera vault: waiting"}},
			Silences: []topics.Silence{{ID: "s", Choice: topics.Choice{Cameras: []string{"vault"}}, Note: "vault is being painted"}},
		}, nil
	})
	return c, server
}

// rule says what becomes of a route's requests.
type rule struct {
	role access.Role // that is needed
	body string      // of a request that is right, but for who makes it
	// hidden: of a camera that is not seen the answer is that there is none.
	hidden bool
	// whole: only for who sees every camera.
	whole bool
}

// rules are of all routes. A route without one fails the test below.
var rules = map[string]rule{
	"GET /static/":                      {role: access.Nobody},
	"GET /login":                        {role: access.Nobody},
	"POST /login":                       {role: access.Nobody},
	"POST /logout":                      {role: access.Nobody},
	"GET /{$}":                          {role: viewer},
	"GET /cameras/{camera}":             {role: viewer, hidden: true},
	"GET /health":                       {role: viewer},
	"GET /api/v1/events":                {role: viewer},
	"GET /api/v1/cameras":               {role: viewer},
	"GET /api/v1/me":                    {role: viewer},
	"GET /api/v1/cameras/{camera}":      {role: viewer, hidden: true},
	"GET /api/v1/cameras/{camera}/loop": {role: viewer, hidden: true},
	"GET /api/v1/health":                {role: viewer},
	"GET /api/v1/health/hour":           {role: viewer, whole: true},

	"GET /timeline":                         {role: viewer},
	"GET /api/v1/cameras/{camera}/timeline": {role: viewer}, // without its times it is refused
	"GET /words":                            {role: viewer},
	"GET /search":                           {role: viewer},
	"GET /api/v1/cameras/{camera}/clips/{clip}/strip": {role: viewer, hidden: true},
	"GET /api/v1/cameras/{camera}/clips/{clip}/loop":  {role: viewer, hidden: true},

	"GET /api/v1/openapi.json":     {role: viewer},
	"GET /api/v1/openapi-3.0.json": {role: viewer},
	"GET /api/v1/openapi.yaml":     {role: viewer},
	"GET /api/v1/openapi-3.0.yaml": {role: viewer},
	"GET /api/v1/schemas/{schema}": {role: viewer},

	"GET /review":                            {role: viewer},
	"GET /api/v1/alerts":                     {role: viewer},
	"GET /api/v1/alerts/calendar":            {role: viewer},
	"GET /api/v1/alerts/{id}":                {role: viewer, hidden: true},
	"GET /api/v1/alerts/{id}/lead":           {role: viewer, hidden: true},
	"GET /api/v1/alerts/{id}/strip":          {role: viewer, hidden: true},
	"GET /api/v1/alerts/{id}/loop":           {role: viewer, hidden: true},
	"GET /api/v1/alerts/{id}/film":           {role: viewer, hidden: true},
	"GET /api/v1/alerts/{id}/export":         {role: viewer, hidden: true},
	"POST /api/v1/alerts/{id}/mark":          {role: operator, hidden: true, body: `{"mark": "later"}`},
	"POST /api/v1/alerts/marks":              {role: operator, body: `{"mark": "later", "alerts": ["vault/vault-1-1"]}`},
	"POST /api/v1/decisions/{decision}/undo": {role: operator, body: `{}`},
	"POST /api/v1/alerts/{id}/silence":       {role: operator, body: `{"minutes": 0}`},

	"GET /cameras":                          {role: viewer, whole: true},
	"GET /cameras/{camera}/edit":            {role: admin, whole: true},
	"GET /api/v1/camera-table":              {role: viewer, whole: true},
	"GET /api/v1/cameras/{camera}/history":  {role: viewer, hidden: true},
	"GET /api/v1/cameras/{camera}/settings": {role: admin, whole: true},
	"POST /api/v1/cameras":                  {role: admin, whole: true, body: `{"camera": "-"}`},
	"PATCH /api/v1/cameras/{camera}":        {role: admin, whole: true, body: `{"transport": "none"}`},
	"DELETE /api/v1/cameras/{camera}":       {role: admin, whole: true, body: `{}`},
	"POST /api/v1/camera-tries":             {role: admin, whole: true, body: `{"transport": "none"}`},
	"POST /api/v1/camera-discoveries":       {role: admin, whole: true, body: `{"at": "nowhere"}`},

	"GET /rules":                     {role: viewer, whole: true},
	"GET /api/v1/rules":              {role: viewer, whole: true},
	"GET /api/v1/rules/{rule}":       {role: viewer, whole: true},
	"GET /api/v1/rules/{rule}/past":  {role: viewer, whole: true},
	"PUT /api/v1/rules/{rule}":       {role: admin, whole: true, body: `{"text": ""}`},
	"DELETE /api/v1/rules/{rule}":    {role: admin, whole: true, body: `{}`},
	"GET /api/v1/rulebook/alerts":    {role: viewer, whole: true},
	"GET /api/v1/rulebook/names":     {role: viewer, whole: true},
	"GET /api/v1/rulebook/history":   {role: viewer, whole: true},
	"POST /api/v1/rulebook/check":    {role: admin, whole: true, body: `{"rule": "r", "text": ""}`},
	"POST /api/v1/rulebook/try":      {role: admin, whole: true, body: `{"rule": "r", "text": ""}`},
	"POST /api/v1/rulebook/rollback": {role: admin, whole: true, body: `{"version": "x"}`},
	"GET /api/v1/explain":            {role: viewer, whole: true},

	"GET /api/v1/words":          {role: viewer},
	"GET /api/v1/words/try":      {role: viewer},
	"GET /api/v1/words/history":  {role: viewer},
	"GET /api/v1/words/alerts":   {role: viewer},
	"POST /api/v1/words":         {role: operator, whole: true, body: `{"label": "falling"}`},
	"POST /api/v1/words/remove":  {role: operator, whole: true, body: `{"labels": ["falling"]}`},
	"POST /api/v1/words/watch":   {role: admin, whole: true, body: `{"label": "falling", "rule": "fall", "false_alarms": "1 per week"}`},
	"POST /api/v1/words/restore": {role: operator, whole: true, body: `{"version": "0000"}`},
	"GET /api/v1/search":         {role: viewer},
}

// ask makes a request of a route, as whoever has a token; it reads what comes at once.
func ask(t *testing.T, server *httptest.Server, pattern, camera, token, body string) (int, string) {
	t.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	path = strings.NewReplacer("{$}", "", "{camera}", camera, "{id}", camera+"%2F"+camera+"-1-1", "{decision}", "none", "{clip}", "none").Replace(path)
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token+secret)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	if len(a.Cookies()) > 0 && token != "" {
		t.Errorf("%s: a token gets a cookie", pattern)
	}
	if a.Header.Get("Content-Type") == "text/event-stream" {
		text := ""
		for lines := bufio.NewScanner(a.Body); lines.Scan() && lines.Text() != ""; {
			text += lines.Text()
		}
		return a.StatusCode, text
	}
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(text)
}

func TestEveryRouteHasARuleForEachRole(t *testing.T) {
	c, server := guarded(t, slog.New(slog.DiscardHandler))
	all := c.routes().patterns
	if len(all) < 10 {
		t.Fatalf("%d routes", len(all))
	}
	for _, pattern := range all {
		rule, has := rules[pattern]
		if !has {
			t.Errorf("%s has no rule: say in this test who may use it, and see to it that it asks sees() or tile() of what is about a camera", pattern)
			continue
		}
		if code, body := ask(t, server, pattern, "vault", "", rule.body); rule.role > access.Nobody && code != http.StatusUnauthorized && code != http.StatusSeeOther || strings.Contains(body, "lobby") {
			t.Errorf("%s without a token: %d %.200s", pattern, code, body)
		}
		for _, role := range []access.Role{viewer, operator, admin} {
			code, body := ask(t, server, pattern, "lobby", role.String(), rule.body)
			refused := code == http.StatusForbidden || code == http.StatusUnauthorized
			if refused != (role < rule.role) && rule.role > access.Nobody {
				t.Errorf("%s as %s: %d %.200s", pattern, role, code, body)
			}
		}
		code, body := ask(t, server, pattern, "vault", "limited", rule.body)
		if rule.whole && code != http.StatusForbidden {
			t.Errorf("%s as who sees some cameras only: %d %.200s", pattern, code, body)
		}
		if rule.hidden && code != http.StatusNotFound {
			t.Errorf("%s of a camera that is not seen: %d %.200s", pattern, code, body)
		}
		asked := strings.NewReplacer("There is no camera vault", "", "there is no camera vault", "", "there is no alert vault/vault-1-1", "", `"alert_id":"vault/vault-1-1"`, "")
		if text := asked.Replace(body); strings.Contains(text, "vault") {
			t.Errorf("%s shows a camera that is not seen: %.2000s", pattern, text)
		}
	}
	for pattern := range rules {
		if !slices.Contains(all, pattern) {
			t.Errorf("%s has a rule and is no route", pattern)
		}
	}
}

// The stream follows who sees what: a camera that gets or loses a tag comes or goes.
func TestAStreamShowsWhatItsReaderSees(t *testing.T) {
	c, server := guarded(t, slog.New(slog.DiscardHandler))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "bearer limited"+secret)
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	lines := bufio.NewScanner(a.Body)
	data := func() string {
		for lines.Scan() {
			if after, is := strings.CutPrefix(lines.Text(), "data: "); is {
				return after
			}
		}
		return "over"
	}
	if first := data(); !strings.Contains(first, `"lobby"`) || strings.Contains(first, "vault") || !strings.Contains(first, `"cameras":1,"open_alerts":1,"left":1,`) {
		t.Errorf("first: %s", first)
	}
	c.wall.setRecognition(recognised("vault", 2))
	c.wall.setCameras([]cameras.Entry{streaming("lobby", "ward"), streaming("vault", "cellar", "ward")})
	if next := data(); !strings.Contains(next, `"camera":"vault"`) {
		t.Errorf("with the tag: %s", next)
	}
	c.wall.setCameras([]cameras.Entry{streaming("lobby", "ward"), streaming("vault", "cellar")})
	if next := data(); !strings.Contains(next, `"gone":["vault"]`) || strings.Contains(next, `"camera":"vault"`) {
		t.Errorf("without it: %s", next)
	}
	c.wall.setCameras([]cameras.Entry{streaming("lobby")})
	if next := data(); !strings.Contains(next, `"gone":["lobby"]`) || strings.Contains(next, "vault") {
		t.Errorf("all are gone: %s", next)
	}
	without := people()
	without.Tokens = without.Tokens[:3]
	commit, err := c.Prepare(without)
	if err != nil {
		t.Fatal(err)
	}
	if said := commit(); len(said) != 1 {
		t.Errorf("the edit: %q", said)
	}
	for next := data(); next != "over"; next = data() {
		if strings.Contains(next, "vault") {
			t.Errorf("after the end: %s", next)
		}
	}
}

// browserOf follows redirects and keeps cookies.
func browserOf(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

func logIn(t *testing.T, b *http.Client, server *httptest.Server, name, password, next string) (status int, at, body string) {
	t.Helper()
	a, err := b.PostForm(server.URL+"/login", url.Values{"name": {name}, "password": {password}, "next": {next}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, a.Request.URL.RequestURI(), string(text)
}

func TestPeopleLogInAndOut(t *testing.T) {
	var said strings.Builder
	_, server := guarded(t, slog.New(slog.NewTextHandler(&said, nil)))
	b := browserOf(t)
	a, err := b.Get(server.URL + "/cameras/lobby?x=1")
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Body.Close()
	if got := a.Request.URL.RequestURI(); got != "/login?next=%2Fcameras%2Flobby%3Fx%3D1" {
		t.Errorf("sent to %s", got)
	}
	if code, _, body := logIn(t, b, server, "anna", "wrong horse", "/"); code != http.StatusUnauthorized || !strings.Contains(body, "Wrong name or password") || strings.Contains(body, "wrong horse") {
		t.Errorf("%d %s", code, body)
	}
	code, came, body := logIn(t, b, server, "anna", "correct horse", "/cameras/lobby?x=1")
	if code != http.StatusOK || came != "/cameras/lobby?x=1" || !strings.Contains(body, "Log out") {
		t.Errorf("after logging in: %d %s %s", code, came, body)
	}
	home, _ := url.Parse(server.URL)
	id := b.Jar.Cookies(home)[0]
	if a, err = b.Post(server.URL+"/logout", "", nil); err != nil {
		t.Fatal(err)
	}
	_ = a.Body.Close()
	if code, _ := get(t, server.URL+"/", "Cookie", id.String()); code != http.StatusSeeOther {
		t.Errorf("after logging out the session still counts: %d", code)
	}
	text := said.String()
	for _, want := range []string{`what="log in"`, `what="log out"`, `what="login refused: wrong name or password"`, "who=anna role=admin from=127.0.0.1"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %s: %s", want, text)
		}
	}
	for _, no := range []string{"horse", id.Value, "argon2id", secret} {
		if strings.Contains(text, no) {
			t.Errorf("the log has the secret %s", no)
		}
	}
}

// TestTricks are ways past the login that are known from elsewhere.
func TestTricks(t *testing.T) {
	_, server := guarded(t, slog.New(slog.DiscardHandler))
	cookie := func(name, password string, set ...string) *http.Cookie {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/login", strings.NewReader(url.Values{"name": {name}, "password": {password}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i < len(set); i += 2 {
			r.Header.Set(set[i], set[i+1])
		}
		a, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		for _, c := range a.Cookies() {
			return c
		}
		return nil
	}
	planted := "frostwatch=PLANTED"
	mine := cookie("anna", "correct horse", "Cookie", planted)
	if mine == nil || mine.Value == "PLANTED" || !mine.HttpOnly || mine.SameSite != http.SameSiteLaxMode || mine.Path != "/" {
		t.Fatalf("a session that was planted is gone on with, or its cookie is open: %+v", mine)
	}
	id := "frostwatch=" + mine.Value
	form := "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		method, path string
		set          []string
		want         int
	}{
		"it works":                    {"GET", "/api/v1/me", []string{"Cookie", id}, 200},
		"by a name of the console":    {"GET", "/api/v1/me", []string{"Cookie", id, "Host", "CAMS.example.:443"}, 200},
		"planted":                     {"GET", "/api/v1/me", []string{"Cookie", planted}, 401},
		"two cookies":                 {"GET", "/api/v1/me", []string{"Cookie", planted + "; " + id}, 401},
		"other case":                  {"GET", "/api/v1/me", []string{"Cookie", "Frostwatch=" + mine.Value}, 401},
		"a long cookie":               {"GET", "/api/v1/me", []string{"Cookie", "frostwatch=" + strings.Repeat("x", 60_000)}, 401},
		"a wrong token and a session": {"GET", "/api/v1/me", []string{"Cookie", id, "Authorization", "Bearer x"}, 401},
		"a session as a token":        {"GET", "/api/v1/me", []string{"Authorization", "Bearer " + mine.Value}, 401},
		"another scheme":              {"GET", "/api/v1/me", []string{"Authorization", "Basic admin" + secret}, 401},
		"a token as a cookie":         {"GET", "/api/v1/me", []string{"Cookie", "frostwatch=admin" + secret}, 401},
		"a token in the address":      {"GET", "/api/v1/me?access_token=admin" + secret, nil, 400},
		"a password in the address":   {"GET", "/login?name=anna&PassWord=x", nil, 400},
		"another name":                {"GET", "/api/v1/me", []string{"Cookie", id, "Host", "evil.example"}, 421},
		"another address":             {"GET", "/api/v1/me", []string{"Cookie", id, "Host", "10.0.0.7"}, 421},
		"a page of another site":      {"GET", "/api/v1/events", []string{"Cookie", id, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"}, 403},
		"of another port":             {"GET", "/api/v1/events", []string{"Cookie", id, "Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors"}, 403},
		"a link of another site":      {"GET", "/api/v1/me", []string{"Cookie", id, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 200},
		"log out from elsewhere":      {"POST", "/logout", []string{"Cookie", id, "Origin", "http://evil.example"}, 403},
		"log in from elsewhere":       {"POST", "/login", []string{"Content-Type", form, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 403},
		"an origin that is hidden":    {"POST", "/login", []string{"Content-Type", form, "Origin", "null"}, 403},
		"dots":                        {"GET", "/static/../api/v1/me", nil, 303},
		"dots in code":                {"GET", "/static/%2e%2e/api/v1/me", nil, 404},
		"a slash in code":             {"GET", "/static%2f..%2fapi/v1/me", nil, 303},
		"two slashes":                 {"GET", "//api/v1/me", nil, 303},
		"another method":              {"PUT", "/api/v1/cameras", nil, 401},
		"a method of proxies":         {"OPTIONS", "/api/v1/cameras", nil, 401},
	} {
		code, body := send(t, c.method, server.URL+c.path, c.set...)
		if code != c.want || strings.Contains(body, "vault") {
			t.Errorf("%s: %d %.200s, want %d", name, code, body, c.want)
		}
	}
	for _, next := range []string{"//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/%0d%0aX: y\r\n", "", "/login?next=/", "/" + strings.Repeat("x", 2000), "/..//evil.example/%2e"} {
		if got := nextPage(next); got != "/" && !strings.HasPrefix(got, "/..//evil.example") {
			t.Errorf("%.40q leads to %q", next, got)
		}
	}
	if got := nextPage("/cameras/lobby?tag=a%26b"); got != "/cameras/lobby?tag=a%26b" {
		t.Errorf("a page of the console leads to %q", got)
	}
}

func TestGuessesAreRefusedForAWhile(t *testing.T) {
	_, server := guarded(t, slog.New(slog.DiscardHandler))
	code, body := 0, ""
	for range 30 {
		code, _, body = logIn(t, browserOf(t), server, "anna", "wrong horse", "/")
	}
	if code != http.StatusTooManyRequests || !strings.Contains(body, "Try again in") {
		t.Errorf("after 30 guesses: %d %s", code, body)
	}
	if code, _, _ := logIn(t, browserOf(t), server, "anna", "correct horse", "/"); code != http.StatusTooManyRequests {
		t.Errorf("the right password at once after them: %d", code)
	}
}

func TestATooLargeFormIsNotRead(t *testing.T) {
	_, server := guarded(t, slog.New(slog.DiscardHandler))
	a, err := http.PostForm(server.URL+"/login", url.Values{"name": {"anna"}, "password": {strings.Repeat("x", 100_000)}})
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Body.Close()
	if a.StatusCode != http.StatusBadRequest {
		t.Errorf("%d", a.StatusCode)
	}
}

// Where TLS is, no other host of the domain can plant the cookie, and none is sent without.
func TestTheCookieIsBoundToTheHostWithTLS(t *testing.T) {
	c := people()
	c.TLS.Mode = config.TLSByProxy
	s, err := newSite(c)
	if err != nil {
		t.Fatal(err)
	}
	if k := s.sessionCookie("x", 1); k.Name != "__Host-frostwatch" || !k.Secure || !k.HttpOnly || k.Path != "/" || k.Domain != "" {
		t.Errorf("%+v", k)
	}
}

// Whoever sends X-Forwarded-For is believed where they are a proxy that is named.
func TestTheAddressIsNotWhatSomebodySays(t *testing.T) {
	c := people()
	c.Proxies = []string{"10.0.0.0/24", "::1"}
	s, err := newSite(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct{ from, said, want string }{
		{"192.0.2.1:5", "198.51.100.7", "192.0.2.1"},
		{"10.0.0.5:5", "198.51.100.7", "198.51.100.7"},
		{"10.0.0.5:5", "1.1.1.1, 198.51.100.7", "198.51.100.7"},
		{"10.0.0.5:5", "198.51.100.7, 10.0.0.9", "198.51.100.7"},
		{"10.0.0.5:5", "lies\n", "10.0.0.5"},
		{"10.0.0.5:5", "", "10.0.0.5"},
		{"[::1]:5", "2001:db8::1", "2001:db8::1"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = k.from
		r.Header.Set("X-Forwarded-For", k.said)
		if got := s.from(r); got != k.want {
			t.Errorf("%+v: %s", k, got)
		}
	}
}

// A configuration that is read again can't open what the network reaches.
func TestUsersStayWhileOthersReachTheConsole(t *testing.T) {
	c := people()
	c.Listen, c.TLS.Mode = "10.0.0.7:8070", config.TLSOff
	k, _ := servedAs(t, c, slog.New(slog.DiscardHandler))
	if _, err := k.Prepare(config.Console{Listen: "127.0.0.1:8070"}); err == nil || !strings.Contains(err.Error(), "want users or tokens") {
		t.Errorf("%v", err)
	}
	if who := k.whoOf(t.Context()); who.Role != access.Nobody || who.All {
		t.Errorf("without the gate everybody is %+v", who)
	}
}

func FuzzWhoAsks(f *testing.F) {
	f.Add("Bearer admin"+secret, "frostwatch=x", "10.0.0.1")
	f.Add("bearer  ", `frostwatch="a b"; frostwatch=`, ",,::1%eth0,")
	f.Add("Basic", "=;;frostwatch", "\x00")
	c := people()
	c.Proxies = []string{"0.0.0.0/0"}
	s, err := newSite(c)
	if err != nil {
		f.Fatal(err)
	}
	k := &Console{gate: access.NewGate(nil)}
	k.site.Store(s)
	k.gate.Set(s.users)
	f.Fuzz(func(t *testing.T, authorization, cookie, forwarded string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"], r.Header["Cookie"], r.Header["X-Forwarded-For"] = []string{authorization}, []string{cookie}, []string{forwarded}
		if authorization == "" {
			delete(r.Header, "Authorization")
		}
		if p, in := k.pass(r); in && !strings.Contains(authorization, secret) {
			t.Errorf("%q %q is %+v", authorization, cookie, p.Who)
		}
		if from := s.from(r); from == "" || strings.ContainsAny(from, "\n% ") {
			t.Errorf("from %q", from)
		}
	})
}
