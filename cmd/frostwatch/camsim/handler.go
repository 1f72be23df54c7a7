package camsim

import (
	"strings"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
)

// handler answers RTSP requests; gortsplib calls it from its connections'
// goroutines.
type handler Server

// OnDescribe returns the description of what a camera sends.
func (h *handler) OnDescribe(c *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return h.open(c.Conn, c.Request, c.Path)
}

// OnSetup is called for each media. Credentials are checked here too, because a
// client need not send DESCRIBE first.
func (h *handler) OnSetup(c *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return h.open(c.Conn, c.Request, c.Path)
}

func (h *handler) open(conn *gortsplib.ServerConn, req *base.Request, path string) (*base.Response, *gortsplib.ServerStream, error) {
	cam := (*Server)(h).camera(strings.Trim(path, "/"))
	if cam == nil {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	o := cam.options
	if o.User != "" && !conn.VerifyCredentials(req, o.User, o.Password) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	stream := cam.current()
	if stream == nil {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, stream, nil
}

// OnPlay notes the reader. It receives packets only once gortsplib has finished
// the request; OnResponse is called then.
func (h *handler) OnPlay(c *gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	cam := (*Server)(h).camera(strings.Trim(c.Path, "/"))
	if cam == nil {
		return &base.Response{StatusCode: base.StatusNotFound}, nil
	}
	c.Session.SetUserData(cam)
	cam.join(c.Session)
	h.mu.Lock()
	h.playing[c.Conn] = cam
	h.mu.Unlock()
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnResponse lets an on-demand camera begin: from here on the reader misses no
// packet.
func (h *handler) OnResponse(conn *gortsplib.ServerConn, _ *base.Response) {
	h.mu.Lock()
	cam := h.playing[conn]
	delete(h.playing, conn)
	h.mu.Unlock()
	if cam != nil {
		cam.begin()
	}
}

// OnSessionClose forgets the reader.
func (h *handler) OnSessionClose(c *gortsplib.ServerHandlerOnSessionCloseCtx) {
	if cam, ok := c.Session.UserData().(*camera); ok {
		cam.leave(c.Session)
	}
}

// OnStreamWriteError is called for packets that a slow reader did not get.
func (h *handler) OnStreamWriteError(c *gortsplib.ServerHandlerOnStreamWriteErrorCtx) {
	h.log.Debug("camsim: packet lost", "error", c.Error)
}
