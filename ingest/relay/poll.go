package relay

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/frostwatch/frostwatch/media"
)

// maxPicture bounds one picture that is polled.
const maxPicture = 16 << 20 // bytes

// poll asks for a picture again and again, and hands libav what comes as a stream of
// JPEGs, which has the times of arrival. A picture that has not changed comes again.
// It ends with libav, or with the first poll that fails.
func (r *Relay) poll(ctx context.Context, libav io.Writer, of http.Header) error {
	by := r.transport(true)
	defer by.CloseIdleConnections()
	of.Del("Range") // of a film
	out := bufio.NewWriter(libav)
	ticks := time.NewTicker(r.target.Poll) // it leaves out what a slow camera misses
	defer ticks.Stop()
	const boundary = "picture"
	var last []byte
	for first := true; ; first = false {
		next, err := r.snapshot(ctx, by, of, last)
		if err != nil {
			return err
		}
		if last = next; first {
			_, _ = fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: multipart/x-mixed-replace; boundary=%s\r\n\r\n", boundary)
		}
		_, _ = fmt.Fprintf(out, "--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", boundary, len(last))
		_, _ = out.Write(last)
		_, _ = out.WriteString("\r\n")
		if out.Flush() != nil {
			return nil // libav is gone
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// snapshot asks for the picture once; last is the one before, which is returned where
// the camera says that it has not changed. of keeps what the camera says of its age.
func (r *Relay) snapshot(ctx context.Context, by *http.Transport, of http.Header, last []byte) ([]byte, error) {
	answer, err := r.ask(ctx, by, of)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode == http.StatusNotModified && last != nil {
		return last, nil
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxPicture+1))
	switch {
	case err != nil && len(b) <= maxPicture:
		return nil, brokeOff(err)
	case !bytes.HasPrefix(b, []byte("\xff\xd8")):
		return nil, media.NewFault(media.KindNotVideo, "what comes is not a JPEG: poll is for a URL that answers with a single picture")
	case len(b) > maxPicture:
		return nil, media.NewFault(media.KindNotVideo, "the picture takes more than %d MB", maxPicture>>20)
	}
	for asked, said := range map[string]string{"If-None-Match": "Etag", "If-Modified-Since": "Last-Modified"} {
		of.Del(asked)
		if v := answer.Header.Get(said); v != "" {
			of.Set(asked, v)
		}
	}
	return b, nil
}
