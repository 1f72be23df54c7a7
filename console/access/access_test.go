package access

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/passwords"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	password = "correct horse"
	token    = "0123456789abcdef0123456789abcdef"
	// hash is the password's, and otherHash another's, at little cost.
	hash      = "$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$dXQfbn5eCfQYLBLqrMJ/A+NBEttEjvQgKlFfMOuGvkA"
	otherHash = "$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$n+ozosAAiv3NIMfuXGlre10T9I2SkpRi9ZSqu8m+daU"
)

// clock is a time that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func two() config.Console {
	return config.Console{
		Listen: "127.0.0.1:0",
		Users:  []config.ConsoleUser{{Name: "anna", Password: hash, Role: "operator", Tags: []string{"ward"}}, {Name: "ben", Password: hash, Role: "admin"}},
		Tokens: []config.ConsoleToken{{Name: "grafana", Token: token, Role: "viewer"}},
	}
}

func gate(t *testing.T, c config.Console) (*Gate, *clock) {
	t.Helper()
	at := &clock{at: time.Now()}
	g := NewGate(at.now)
	g.Set(compiled(t, c))
	return g, at
}

func compiled(t *testing.T, c config.Console) *Users {
	t.Helper()
	users, err := Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	return users
}

func login(t *testing.T, g *Gate, name, address string) string {
	t.Helper()
	id, _, err := g.Login(t.Context(), name, password, address)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func in(g *Gate, id string) bool {
	p, ok := g.Session(id)
	p.Done()
	return ok
}

func over(p Pass) bool {
	select {
	case <-p.Over:
		return true
	default:
		return false
	}
}

func TestASessionIsOfWhoLoggedIn(t *testing.T) {
	g, _ := gate(t, two())
	id := login(t, g, "anna", "10.0.0.1")
	p, ok := g.Session(id)
	defer p.Done()
	if w := p.Who; !ok || w.Name != "anna" || w.Role != Operator || !w.Sees([]string{"indoor", "ward"}) || w.Sees([]string{"yard"}) || w.Sees(nil) {
		t.Errorf("%v: %+v", ok, w)
	}
	if in(g, "") || in(g, id+"x") || in(g, strings.ToLower(id)) {
		t.Error("another id leads to a session")
	}
	if other := login(t, g, "anna", "10.0.0.1"); other == id {
		t.Error("two sessions have one id")
	}
	for _, c := range [][2]string{{"anna", "correct horsf"}, {"anna", ""}, {"nobody", password}, {"", ""}, {"grafana", token}} {
		if _, _, err := g.Login(t.Context(), c[0], c[1], "10.0.0.2"); !errors.Is(err, ErrWrong) {
			t.Errorf("%q: %v", c, err)
		}
	}
	if (Who{}).Sees([]string{""}) || (Who{}).Sees(nil) {
		t.Error("nobody sees a camera")
	}
}

// A session survives an edit of somebody else, and nothing that it shouldn't.
func TestASessionEnds(t *testing.T) {
	for name, end := range map[string]func(g *Gate, at *clock, id string){
		"logged out": func(g *Gate, _ *clock, id string) { g.Logout(id) },
		"removed": func(g *Gate, _ *clock, _ string) {
			c := two()
			c.Users = c.Users[1:]
			g.Set(compiled(t, c))
		},
		"password": func(g *Gate, _ *clock, _ string) {
			c := two()
			c.Users[0].Password = otherHash
			g.Set(compiled(t, c))
		},
		"role": func(g *Gate, _ *clock, _ string) {
			c := two()
			c.Users[0].Role = "viewer"
			g.Set(compiled(t, c))
		},
		"tags": func(g *Gate, _ *clock, _ string) {
			c := two()
			c.Users[0].Tags = []string{"yard"}
			g.Set(compiled(t, c))
		},
		"no users": func(g *Gate, _ *clock, _ string) { g.Set(nil) },
	} {
		g, at := gate(t, two())
		id, bens := login(t, g, "anna", "10.0.0.1"), login(t, g, "ben", "10.0.0.1")
		p, _ := g.Session(id)
		end(g, at, id)
		if in(g, id) || !over(p) {
			t.Errorf("%s: the session goes on, a stream of it: %v", name, !over(p))
		}
		p.Done()
		if name != "no users" && !in(g, bens) {
			t.Errorf("%s: ben's session ended too", name)
		}
		g.Set(compiled(t, two()))
		if in(g, id) {
			t.Errorf("%s: the session is back with the old configuration", name)
		}
	}
}

func TestASessionEndsWithTime(t *testing.T) {
	g, at := gate(t, two())
	idle, used, watched := login(t, g, "anna", "a"), login(t, g, "anna", "a"), login(t, g, "anna", "a")
	p, _ := g.Session(watched) // a wall that stays open
	at.pass(sessionIdle - time.Minute)
	if !in(g, used) {
		t.Error("a session ends too early")
	}
	at.pass(2 * time.Minute)
	if in(g, idle) || !in(g, used) || !in(g, watched) {
		t.Errorf("after a day: idle %v, used %v, watched %v", in(g, idle), in(g, used), in(g, watched))
	}
	for range 40 {
		at.pass(sessionIdle - time.Hour)
		_ = in(g, used)
	}
	if in(g, used) || in(g, watched) || !over(p) {
		t.Error("a session goes on for ever")
	}
	p.Done()
}

func TestSessionsAreBounded(t *testing.T) {
	g, at := gate(t, two())
	first, bens := login(t, g, "anna", "a"), login(t, g, "ben", "a")
	for range userSessions {
		at.pass(time.Second)
		g.mu.Lock()
		g.sessions.begin(fmt.Sprint(at.now()), Who{Name: "anna"}, at.now())
		g.mu.Unlock()
	}
	if n := len(g.sessions); n != userSessions+1 || in(g, first) || !in(g, bens) {
		t.Errorf("%d sessions; the first: %v, ben's: %v", n, in(g, first), in(g, bens))
	}
}

func TestATokenIsOfAProgram(t *testing.T) {
	c := two()
	g, _ := gate(t, c)
	p, ok := g.Token(token)
	if !ok || p.Who.Name != "grafana" || p.Who.Role != Viewer || !p.Who.All {
		t.Errorf("%v %+v", ok, p.Who)
	}
	sum := sumOf(token)
	for _, wrong := range []string{"", "x", token + "x", config.TokenHash + fmt.Sprintf("%x", sum[:])} {
		if _, ok := g.Token(wrong); ok {
			t.Errorf("%q is a token", wrong)
		}
	}
	c.Tokens[0].Token = config.Secret(config.TokenHash + fmt.Sprintf("%x", sum[:]))
	g.Set(compiled(t, c))
	if _, ok := g.Token(token); !ok {
		t.Error("a token of which the hash is configured is not known")
	}
	c.Tokens = nil
	if g.Set(compiled(t, c)); !over(p) {
		t.Error("a stream of a token that is gone goes on")
	}
}

// Guesses are few, and cost whom they are aimed at nothing where they log in usually.
func TestLoginsAreLimited(t *testing.T) {
	g, at := gate(t, two())
	login(t, g, "anna", "10.9.9.9")
	at.pass(time.Hour)
	guess := func(name, address string) error {
		_, _, err := g.Login(t.Context(), name, strings.Repeat("x", passwords.Longest+1), address) // costs no hash
		return err
	}
	var soon LimitError
	tried := 0
	for i := range 1000 { // from anywhere
		if !errors.As(guess("anna", fmt.Sprintf("10.1.%d.%d", i/256, i%256)), &soon) {
			tried++
		}
	}
	if tried > nameBurst || tried == 0 || soon.Wait <= 0 {
		t.Errorf("%d guesses of a name, then wait %v", tried, soon.Wait)
	}
	login(t, g, "anna", "10.9.9.9")
	tried = 0
	for i := range 1000 { // of any name, within a network of IPv6
		if !errors.As(guess(fmt.Sprint("user", i), fmt.Sprintf("2001:db8:1:1::%x", i+1)), &soon) {
			tried++
		}
	}
	if tried > addressBurst || tried == 0 {
		t.Errorf("%d guesses from a network", tried)
	}
	at.pass(addressEvery)
	if err := guess("user-late", "2001:db8:1:1::1"); !errors.Is(err, ErrWrong) {
		t.Errorf("after the pause: %v", err)
	}
}

// Whoever sends 10,000 logins at once gets few hashes computed, and no memory.
func TestAFloodOfLoginsIsBounded(t *testing.T) {
	g, _ := gate(t, two())
	var all sync.WaitGroup
	var mu sync.Mutex
	computed, most := 0, 0
	start := make(chan struct{})
	for i := range 10_000 {
		all.Go(func() {
			<-start
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			_, _, err := g.Login(ctx, fmt.Sprint("user", i), "wrong horse", fmt.Sprintf("10.%d.%d.1", i/256, i%256))
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, ErrWrong) {
				computed++
			}
			most = max(most, len(g.turn))
		})
	}
	close(start)
	all.Wait()
	if computed == 10_000 || most > hashesAtOnce || len(g.waiting) != 0 {
		t.Errorf("%d were computed, %d at a time", computed, most)
	}
}

// How long an answer takes does not say whether there is such a user.
func TestAnUnknownNameCostsAsMuch(t *testing.T) {
	c := two()
	c.Users[0].Password = "$argon2id$v=19$m=2048,t=3,p=1$c29tZXNhbHQxMjM0NTY3OA$dXQfbn5eCfQYLBLqrMJ/A+NBEttEjvQgKlFfMOuGvkA"
	g, _ := gate(t, c)
	costs := map[passwords.Cost]bool{}
	for i := range 100 {
		name := fmt.Sprint("nobody", i)
		u, known := g.find(g.users, name)
		if again, _ := g.find(g.users, name); known || again.hash.Cost() != u.hash.Cost() {
			t.Errorf("%s is known (%v), or costs %+v and then %+v", name, known, u.hash.Cost(), again.hash.Cost())
		}
		costs[u.hash.Cost()] = true
	}
	for _, name := range []string{"anna", "ben"} {
		if cost := g.users.byName[name].hash.Cost(); !costs[cost] || len(costs) != 2 {
			t.Errorf("%s costs %+v, unknown names %+v", name, cost, costs)
		}
	}
}

func TestAPasswordMayBeInAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "anna")
	c := two()
	c.Users[0].Password, c.Users[0].PasswordFile = "", file
	if _, err := Compile(c); err == nil || !strings.Contains(err.Error(), "console.users[0].password_file") {
		t.Errorf("without the file: %v", err)
	}
	if err := os.WriteFile(file, []byte("hunter22"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Compile(c); err == nil || strings.Contains(err.Error(), "hunter22") || !strings.Contains(err.Error(), "argon2id") {
		t.Errorf("a password in the file: %v", err)
	}
	if err := os.WriteFile(file, []byte(hash+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g, _ := gate(t, c)
	login(t, g, "anna", "a")
}

// A file that was edited must not open a console that listens to the network.
func TestUsersCanNotAllGoWhileTheNetworkIsListenedTo(t *testing.T) {
	c := two()
	c.Listen, c.TLS.Mode, c.Users, c.Tokens = "10.0.0.7:8070", config.TLSOff, nil, nil
	if _, err := Compile(c); err == nil || !strings.Contains(err.Error(), "want users or tokens") {
		t.Errorf("%v", err)
	}
}
