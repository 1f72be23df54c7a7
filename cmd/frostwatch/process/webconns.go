package process

import (
	"container/list"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// webConns bounds the connections of a web server. Beyond the bound, the one ends that has
// waited longest for a request, among those of the address that has most: whoever opens
// thousands and asks nothing keeps nobody out, and answers that are under way are not cut.
type webConns struct {
	most int
	log  *slog.Logger
	now  func() time.Time

	mu      sync.Mutex
	all     map[net.Conn]*webConn
	of      map[string]int // connections by address
	waiting list.List      // of those without a request, the longest first
	said    time.Time      // when the log had it last
}

type webConn struct {
	conn net.Conn
	from string
	wait *list.Element // nil: it has a request
}

// webConnsMost bounds the connections of a server, where the system lets it open as many.
const webConnsMost = 2000

func newWebConns(most int, log *slog.Logger) *webConns {
	return &webConns{most: most, log: log, now: time.Now, all: map[net.Conn]*webConn{}, of: map[string]int{}}
}

// webConnsOf is the bound of this process: half of what it may open at most.
func webConnsOf() int {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur/2 > webConnsMost {
		return webConnsMost
	}
	return int(files.Cur / 2) //nolint:gosec // it is less than webConnsMost
}

// state follows http.Server.ConnState.
func (w *webConns) state(c net.Conn, s http.ConnState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := w.all[c]
	if known == nil && s != http.StateNew {
		return // it was ended for others
	}
	switch s {
	case http.StateNew:
		from := hostOnly(c.RemoteAddr())
		known = &webConn{conn: c, from: from}
		w.all[c], known.wait = known, w.waiting.PushBack(known)
		w.of[from]++
		w.makeRoom(known)
	case http.StateActive:
		w.busy(known)
	case http.StateIdle:
		if known.wait == nil {
			known.wait = w.waiting.PushBack(known)
		}
	default:
		w.forget(known)
	}
}

func (w *webConns) busy(c *webConn) {
	if c.wait != nil {
		w.waiting.Remove(c.wait)
		c.wait = nil
	}
}

func (w *webConns) forget(c *webConn) {
	w.busy(c)
	delete(w.all, c.conn)
	if w.of[c.from]--; w.of[c.from] <= 0 {
		delete(w.of, c.from)
	}
}

// makeRoom ends a connection if there are too many: fresh is the newest. One address keeps
// at most three quarters busy, so that others come in.
func (w *webConns) makeRoom(fresh *webConn) {
	full := len(w.all) > w.most
	if !full && w.of[fresh.from] <= w.most-w.most/4 {
		return
	}
	of := fresh.from
	if full {
		for e := w.waiting.Front(); e != nil; e = e.Next() {
			if from := e.Value.(*webConn).from; w.of[from] > w.of[of] {
				of = from
			}
		}
	}
	end := fresh
	for e := w.waiting.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*webConn); c.from == of {
			end = c
			break
		}
	}
	w.forget(end)
	// TLS would wait to say good-bye.
	if t, is := end.conn.(*tls.Conn); is {
		_ = t.NetConn().Close()
	} else {
		_ = end.conn.Close()
	}
	if now := w.now(); now.Sub(w.said) > time.Minute {
		w.said = now
		w.log.Warn("the web server has as many connections as it may: the longest without a request end", "most", w.most, "from", topics.Clean(of), "of_it", w.of[of])
	}
}

func hostOnly(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
}
