// Package relay stands between a camera and libav: it connects to the camera, logs
// in there, and hands libav, by a connection of this machine's own, what the camera
// sends. libav 5.1 checks no certificate of RTSP, knows no digest with SHA-256, cuts
// long passwords, and follows redirections without end; behind a relay it does none
// of these. How streams are read from all the odd cameras there are stays with libav.
package relay

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// Target is the camera that a Relay connects to.
type Target struct {
	// URL of scheme rtsp, rtsps, http or https, with the user name and password.
	URL *url.URL
	// URI is what requests of RTSP name: the URL without user name and password, as
	// the operator has written it. HTTP takes that of URL.
	URI string
	// Dial connects to the camera, with TLS where the scheme asks for it. Its errors
	// are a *media.Fault where it knows what is wrong.
	Dial func(context.Context) (net.Conn, error)
	// Poll asks a URL of HTTP for a single picture, again after each Poll; 0: the URL
	// is that of a video.
	Poll time.Duration
}

// Redirect is the error of a camera that sends its viewer elsewhere.
type Redirect struct{ Location string }

func (r *Redirect) Error() string { return "redirected" } // the location may hold a password

func redirect(location string) error {
	if location == "" {
		return media.NewFault(media.KindOther, "the camera redirects, and does not say where to")
	}
	return &Redirect{location}
}

// Relay passes one camera's stream on to the libav of this process. Its port takes
// connections from this machine alone, and answers none that does not know a name
// that nobody can guess.
type Relay struct {
	target   Target
	login    login
	listener net.Listener
	path     string // what this process' own requests begin with
	calm     calm
	end      context.CancelFunc
	done     sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	conns   map[net.Conn]bool
	claimed bool // by libav's connection, of RTSP
	why     error
}

const (
	// maxConns bounds the connections of strangers, and of libav, which opens another
	// for each jump in a file.
	maxConns = 8
	// helloTime is how long a connection has to say the name.
	helloTime = 5 * time.Second
	// parting is how long a camera has to take what libav sends at the end.
	parting = time.Second
)

// Open makes a Relay. The camera is connected to once libav asks for the URL, and
// until ctx ends. Close ends all of it.
func Open(ctx context.Context, t Target) (*Relay, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, media.NewFault(media.KindOther, "listen on this machine for libav: %s", err)
	}
	r := &Relay{target: t, listener: listener, path: "/" + rand.Text(), conns: map[net.Conn]bool{}, login: login{user: t.URL.User}}
	ctx, r.end = context.WithCancel(ctx)
	r.done.Go(func() { r.accept(ctx) })
	return r, nil
}

// URL is what libav is to open.
func (r *Relay) URL() string {
	return fmt.Sprintf("%s://%s%s", r.kind(), r.listener.Addr(), r.path)
}

// kind is the protocol that libav is to speak: rtsp or http, never with TLS.
func (r *Relay) kind() string { return r.target.URL.Scheme[:4] }

// Err is why the camera's stream can't be had, or broke: a *Redirect or a
// *media.Fault; nil where only libav knows.
func (r *Relay) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.why
}

// blame notes why the stream can't be had; nil takes back what was noted.
func (r *Relay) blame(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.why = err
	}
}

// refused notes why nothing can be had from the camera, unless it is the caller's end.
func (r *Relay) refused(ctx context.Context, err error) {
	var f *media.Fault
	var to *Redirect
	switch {
	case err == nil, ctx.Err() != nil:
	case errors.As(err, &f), errors.As(err, &to):
		r.blame(err)
	default:
		r.blame(media.NewFault(media.KindUnreachable, "%s", topics.Clean(err.Error())))
	}
}

// Close ends all connections and waits for what serves them. What libav has sent
// before, such as its good-bye, still reaches the camera.
func (r *Relay) Close() {
	r.mu.Lock()
	r.closed = true
	_ = r.listener.Close()
	for c := range r.conns {
		_ = c.SetDeadline(time.Now().Add(parting))
	}
	r.mu.Unlock()
	r.end()
	r.done.Wait()
}

// track has a connection ended by Close; it is closed at once where that came first.
func (r *Relay) track(c net.Conn) (untrack func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		_ = c.Close()
		return func() {}
	}
	r.conns[c] = true
	return func() {
		_ = c.Close()
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.conns, c)
	}
}

func (r *Relay) accept(ctx context.Context) {
	var serving sync.WaitGroup
	defer serving.Wait()
	slots := make(chan struct{}, maxConns)
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return
		}
		select {
		case slots <- struct{}{}:
		default:
			_ = c.Close()
			continue
		}
		serving.Go(func() {
			defer func() { <-slots }()
			defer r.track(c)()
			_ = c.SetDeadline(time.Now().Add(helloTime))
			if r.kind() == "http" {
				r.serveHTTP(ctx, c)
			} else {
				r.serveRTSP(ctx, c)
			}
		})
	}
}

// claim is whether a connection of RTSP is the first that knows the name. From then
// on there is no port.
func (r *Relay) claim(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.claimed || r.closed {
		return false
	}
	r.claimed = true
	_ = r.listener.Close()
	_ = c.SetDeadline(time.Time{})
	return true
}
