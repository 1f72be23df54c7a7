package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// direction is the way of bytes through the proxy.
type direction int

const (
	up   direction = iota // to the broker
	down                  // from it
)

// weather is what the proxy does to connections. The zero value is fair.
type weather struct {
	// held directions pass nothing on, and lose nothing: as packets that a partition drops,
	// which TCP sends again after it. New connections are accepted and say nothing.
	held [2]bool
	// from and to bound how long each connection lives before it is reset; 0: for ever.
	from, to time.Duration
	// delay is added to each piece of at most 16 KB, in both directions.
	delay time.Duration
}

// proxy stands between the broker and all its clients.
type proxy struct {
	listener net.Listener
	target   string
	g        errgroup.Group
	life     context.Context
	end      context.CancelFunc

	mu      sync.Mutex
	weather weather
	changed chan struct{} // closed when the weather changes
	random  *rand.Rand
	open    map[*link]bool
	cut     int // connections that were reset because their time was over
}

// newProxy listens at an address of this machine.
func newProxy(listen, target string, seed uint64) (*proxy, error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("start the proxy: %w", err)
	}
	p := &proxy{listener: l, target: target, changed: make(chan struct{}), random: rand.New(rand.NewPCG(seed, 0)), open: map[*link]bool{}}
	p.life, p.end = context.WithCancel(context.Background())
	p.g.Go(p.accept)
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// close ends all connections and waits for their goroutines.
func (p *proxy) close() error {
	p.end()
	err := p.listener.Close()
	p.mu.Lock()
	for l := range p.open {
		l.reset()
	}
	p.mu.Unlock()
	return errors.Join(err, p.g.Wait())
}

// set changes the weather, for the connections that there are, too.
func (p *proxy) set(w weather) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.weather = w
	close(p.changed)
	p.changed = make(chan struct{})
	for l := range p.open {
		p.limit(l)
	}
}

// resets is how many connections have been reset so far.
func (p *proxy) resets() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cut
}

// limit resets a link once its time is over. p.mu is held.
func (p *proxy) limit(l *link) {
	if l.timer != nil {
		l.timer.Stop()
	}
	if w := p.weather; w.to > 0 {
		l.timer = time.AfterFunc(w.from+time.Duration(p.random.Int64N(int64(w.to-w.from)+1)), func() {
			p.mu.Lock()
			p.cut++
			p.mu.Unlock()
			l.reset()
		})
	}
}

func (p *proxy) accept() error {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return nil //nolint:nilerr // it was closed
		}
		p.g.Go(func() error {
			p.serve(conn)
			return nil
		})
	}
}

// serve passes on what a client and the broker say until one of them ends.
func (p *proxy) serve(client net.Conn) {
	if !p.pass(up) { // whoever can't be reached isn't dialled
		_ = client.Close()
		return
	}
	broker, err := net.DialTimeout("tcp", p.target, time.Second)
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{client: client, broker: broker}
	p.mu.Lock()
	p.open[l] = true
	p.limit(l)
	p.mu.Unlock()
	var g sync.WaitGroup
	g.Go(func() { p.copy(broker, client, up); l.reset() })
	g.Go(func() { p.copy(client, broker, down); l.reset() })
	if p.life.Err() != nil {
		l.reset()
	}
	g.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, l)
	if l.timer != nil {
		l.timer.Stop()
	}
}

// copy passes bytes on until either connection ends.
func (p *proxy) copy(to, from net.Conn, d direction) {
	piece := make([]byte, 16<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 {
			if !p.pass(d) {
				return
			}
			if _, err := to.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass waits until a direction lets bytes through, and for the delay; false: the proxy ends.
func (p *proxy) pass(d direction) bool {
	for {
		p.mu.Lock()
		w, changed := p.weather, p.changed
		p.mu.Unlock()
		if !w.held[d] {
			return w.delay == 0 || pause.For(p.life, w.delay)
		}
		select {
		case <-changed:
		case <-p.life.Done():
			return false
		}
	}
}

// link is a client's connection and ours to the broker for it.
type link struct {
	client, broker net.Conn
	timer          *time.Timer // guarded by proxy.mu
}

// reset ends both connections at once; what is on its way is lost.
func (l *link) reset() {
	for _, c := range []net.Conn{l.client, l.broker} {
		if tcp, is := c.(*net.TCPConn); is {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
}
