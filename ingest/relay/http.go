package relay

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/media"
)

// passed are the headers that go with libav's requests, and come with answers.
var (
	requestHeaders = []string{"Range", "User-Agent", "Accept", "If-None-Match", "If-Modified-Since"}
	answerHeaders  = []string{"Content-Type", "Content-Range", "Accept-Ranges"}
)

// serveHTTP answers one request of libav's with what the camera sends.
func (r *Relay) serveHTTP(ctx context.Context, libav net.Conn) {
	in := bufio.NewReader(io.LimitReader(libav, maxHead))
	q, err := http.ReadRequest(in)
	if err != nil || q.Method != http.MethodGet || q.URL.Path != r.path {
		return
	}
	_ = libav.SetDeadline(time.Time{})
	if r.isClosed() {
		return
	}
	ctx, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer func() { _ = libav.Close() }()
	defer stop()
	watching.Go(func() { // libav sends nothing more: this returns when it hangs up
		_, _ = in.ReadByte()
		stop()
	})
	if r.target.Poll > 0 {
		r.refused(ctx, r.poll(ctx, libav, q.Header))
		return
	}
	answer, err := r.ask(ctx, r.transport(false), q.Header)
	if err != nil {
		r.refused(ctx, err)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	if picture(answer) {
		r.blame(media.NewFault(media.KindNotVideo, "this is a single picture: set poll: 2s to look at it again and again"))
		return
	}
	err = stream(libav, answer)
	if err != nil && !errors.Is(err, errLibav) && ctx.Err() == nil {
		r.blame(brokeOff(err))
	}
}

func (r *Relay) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// ask requests the URL, and logs in where the camera wants that.
func (r *Relay) ask(ctx context.Context, by *http.Transport, of http.Header) (*http.Response, error) {
	for try := 1; ; try++ {
		answer, err := r.request(ctx, by, of)
		if err != nil {
			return nil, err
		}
		if answer.StatusCode == http.StatusUnauthorized && try <= maxTries {
			err := r.login.challenged(answer.Header.Values("WWW-Authenticate"), try > 1)
			_ = answer.Body.Close()
			if err != nil {
				return nil, err
			}
			continue
		}
		if err := verdict(answer); err != nil {
			_ = answer.Body.Close()
			return nil, err
		}
		return answer, nil
	}
}

func (r *Relay) request(ctx context.Context, by *http.Transport, of http.Header) (*http.Response, error) {
	to := *r.target.URL
	to.User, to.Fragment, to.RawFragment = nil, "", ""
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
	if err != nil {
		return nil, errors.New("the URL can't be asked for")
	}
	for _, name := range requestHeaders {
		if v := of.Get(name); v != "" {
			q.Header.Set(name, v)
		}
	}
	if with := r.login.authorization(q.Method, to.RequestURI()); with != "" {
		q.Header.Set("Authorization", with)
	}
	answer, err := by.RoundTrip(q)
	if err != nil && ctx.Err() == nil {
		return nil, unanswered(err)
	}
	return answer, err
}

// transport connects to the camera, for each request anew or once for many.
func (r *Relay) transport(many bool) *http.Transport {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return r.target.Dial(ctx) }
	return &http.Transport{
		DialContext: dial, DialTLSContext: dial, DisableKeepAlives: !many, DisableCompression: true, MaxResponseHeaderBytes: maxHead,
	}
}

// unanswered puts into words why there is no answer.
func unanswered(err error) error {
	var f *media.Fault
	var e net.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return media.NewFault(media.KindEnded, "the camera closed the connection without an answer")
	case errors.As(err, &e):
		return brokeOff(err)
	}
	return media.NewFault(media.KindNotVideo, "it does not answer as an HTTP server does")
}

// picture is whether an answer is a single picture.
func picture(a *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	return a.StatusCode < 300 && strings.HasPrefix(kind, "image/")
}

// verdict is an error where an answer holds nothing.
func verdict(a *http.Response) error {
	code := a.StatusCode
	switch {
	case code < 300, code == http.StatusRequestedRangeNotSatisfiable, code == http.StatusNotModified:
		return nil
	case code < 400:
		return redirect(a.Header.Get("Location"))
	}
	return media.Refusal("", code, "")
}

// brokeOff is for a connection that ended before its time.
func brokeOff(err error) *media.Fault {
	var e net.Error
	if errors.As(err, &e) && e.Timeout() {
		return media.NewFault(media.KindTimeout, "the camera does not answer")
	}
	return media.NewFault(media.KindEnded, "the camera broke the connection off")
}

// errLibav is the error of writing to libav, which explains itself.
var errLibav = errors.New("libav is gone")

// stream hands an answer to libav as it comes. What ends too early breaks off there,
// too.
func stream(libav io.Writer, a *http.Response) error {
	out := bufio.NewWriterSize(libav, 32<<10)
	_, _ = fmt.Fprintf(out, "HTTP/1.1 %d %s\r\nConnection: close\r\n", a.StatusCode, http.StatusText(a.StatusCode))
	for _, name := range answerHeaders {
		if v := a.Header.Get(name); v != "" {
			_, _ = fmt.Fprintf(out, "%s: %s\r\n", name, v)
		}
	}
	var body io.Writer = out
	if a.ContentLength >= 0 {
		_, _ = fmt.Fprintf(out, "Content-Length: %d\r\n\r\n", a.ContentLength)
	} else {
		_, _ = fmt.Fprint(out, "Transfer-Encoding: chunked\r\n\r\n")
		chunks := httputil.NewChunkedWriter(out)
		body = chunks
	}
	if err := pump(out, body, a.Body); err != nil {
		return err
	}
	if a.ContentLength < 0 {
		_, _ = fmt.Fprint(out, "0\r\n\r\n")
	}
	return out.Flush()
}

// pump copies and flushes each piece, for the video is live.
func pump(out *bufio.Writer, body io.Writer, from io.Reader) error {
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			if _, err := body.Write(b[:n]); err != nil {
				return errLibav
			}
		}
		if out.Flush() != nil {
			return errLibav
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
