// Package camsim plays video files as RTSP cameras, for the demo and for tests
// that need cameras which freeze, vanish, ask for a password or send rubbish.
// Packets are sent as they are in the file, without transcoding, in decode
// order and at the pace of their timestamps.
package camsim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"golang.org/x/sync/errgroup"
)

// Options of a Server.
type Options struct {
	Addr   string // host:port to listen on; port 0: any free port
	Logger *slog.Logger
	// NoUDP offers RTP over TCP only.
	NoUDP bool
	// TLS makes the server speak RTSPS, and nothing else.
	TLS *tls.Config
	// SHA256 asks for passwords by Digest with SHA-256 alone.
	SHA256 bool
}

// FileOptions say how a file is played.
type FileOptions struct {
	// Speed multiplies the pace; timestamps stay those of the file. 0: 1.
	Speed float64
	// Loops is how often the file is played; 0: without end. After the last, the
	// connections are closed and the camera answers "not found" until Start.
	Loops int
	// LoopGap is a pause between two loops, in which nothing is sent and the
	// stream's clock runs on. If 0, the next loop's first frame follows the
	// last frame directly.
	LoopGap time.Duration
	// Shift makes loop i begin at the first keyframe at or after i*Shift,
	// modulo the file's length, so that windows fall differently in each loop.
	Shift time.Duration
	// OnDemand starts the file from its beginning when a first reader plays,
	// and stops when the last has left. Otherwise it runs on, and readers join
	// at the next keyframe.
	OnDemand bool
	// User and Password, if set, must be given by readers (Basic or Digest).
	User, Password string
	// FirstRTP is the RTP timestamp of the first frame, at 90 kHz. 0: random, as
	// RFC 3550 wants it.
	FirstRTP uint32
}

// Server is a set of cameras on one port.
type Server struct {
	log      *slog.Logger
	listener net.Listener
	udp      []net.PacketConn // RTP and RTCP; empty without UDP
	rtsp     *gortsplib.Server
	tls      bool

	mu      sync.Mutex
	cameras map[string]*camera
	// playing holds connections that have asked to play and have not been
	// answered yet, with their cameras.
	playing map[*gortsplib.ServerConn]*camera
}

// New binds the ports, so that Addr is known. Clients that connect before Run
// wait.
func New(o Options) (*Server, error) {
	if o.Logger == nil {
		return nil, errors.New("camsim: logger is required")
	}
	listener, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("camsim: %w", err)
	}
	s := &Server{
		log: o.Logger, listener: listener, tls: o.TLS != nil,
		cameras: map[string]*camera{}, playing: map[*gortsplib.ServerConn]*camera{},
	}
	s.rtsp = &gortsplib.Server{
		Handler: (*handler)(s), RTSPAddress: listener.Addr().String(), TLSConfig: o.TLS,
		Listen:         func(string, string) (net.Listener, error) { return listener, nil },
		WriteQueueSize: 4096, // a keyframe of a large picture is hundreds of packets
	}
	if o.SHA256 {
		s.rtsp.AuthMethods = []auth.VerifyMethod{auth.VerifyMethodDigestSHA256}
	}
	if o.NoUDP {
		return s, nil
	}
	if err := s.bindUDP(); err != nil {
		return nil, errors.Join(fmt.Errorf("camsim: %w", err), listener.Close())
	}
	return s, nil
}

// bindUDP finds an even port and the one after it, as RTP requires.
func (s *Server) bindUDP() error {
	host, _, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		return err
	}
	for range 100 {
		rtp, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
		if err != nil {
			return fmt.Errorf("bind a UDP port: %w", err)
		}
		port := rtp.LocalAddr().(*net.UDPAddr).Port
		rtcpAddr := net.JoinHostPort(host, fmt.Sprint(port+1))
		rtcp, err := net.ListenPacket("udp", rtcpAddr)
		if port%2 != 0 || err != nil {
			_ = rtp.Close()
			if err == nil {
				_ = rtcp.Close()
			}
			continue
		}
		s.udp = []net.PacketConn{rtp, rtcp}
		s.rtsp.UDPRTPAddress, s.rtsp.UDPRTCPAddress = rtp.LocalAddr().String(), rtcpAddr
		s.rtsp.ListenPacket = func(_, address string) (net.PacketConn, error) {
			if address == rtcpAddr {
				return rtcp, nil
			}
			return rtp, nil
		}
		return nil
	}
	return errors.New("find two UDP ports in a row")
}

// ErrNameTaken is AddFile's error where another camera has the name.
var ErrNameTaken = errors.New("another has this name")

// AddFile serves a file as the camera /name. It must be called before Run.
func (s *Server) AddFile(name, path string, o FileOptions) error {
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.FirstRTP == 0 {
		o.FirstRTP = rand.Uint32()
	}
	c, err := newCamera(s, name, path, o)
	if err != nil {
		return fmt.Errorf("add camera %s: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cameras[name] != nil {
		return fmt.Errorf("add camera %s: %w", name, ErrNameTaken)
	}
	s.cameras[name] = c
	return nil
}

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	if err := s.rtsp.Start(); err != nil {
		return fmt.Errorf("camsim: start the RTSP server: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	s.mu.Lock()
	for _, c := range s.cameras {
		g.Go(func() error { return c.run(ctx) })
	}
	s.mu.Unlock()
	g.Go(func() error {
		<-ctx.Done()
		s.rtsp.Close()
		return nil
	})
	if err := g.Wait(); err != nil {
		return fmt.Errorf("camsim: %w", err)
	}
	return nil
}

// Addr is host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL is a camera's address, with its user name and password.
func (s *Server) URL(name string) string {
	u := url.URL{Scheme: "rtsp", Host: s.Addr(), Path: "/" + name}
	if s.tls {
		u.Scheme = "rtsps"
	}
	if c := s.camera(name); c != nil && c.options.User != "" {
		u.User = url.UserPassword(c.options.User, c.options.Password)
	}
	return u.String()
}

func (s *Server) camera(name string) *camera {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cameras[name]
}
