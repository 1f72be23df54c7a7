package pull

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// get makes one request for the missing bytes and writes them. nil means that
// the server sent all it had.
func (f *fetcher) get(ctx context.Context) error {
	// Ends the request when nothing has come for a while.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(f.Idle, func() { cancel(fmt.Errorf("nothing came for %v", f.Idle)) })
	defer idle.Stop()

	at := f.size()
	response, err := f.ask(ctx, at)
	if err != nil {
		return because(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	flags := os.O_WRONLY | os.O_CREATE
	switch response.StatusCode {
	case http.StatusOK:
		at = 0 // the server has no ranges, or the file has changed
		flags |= os.O_TRUNC
	case http.StatusPartialContent:
		var begin int64
		if n, _ := fmt.Sscanf(response.Header.Get("Content-Range"), "bytes %d-", &begin); n != 1 || begin != at {
			return permanent{fmt.Errorf("asked for bytes from %d, got Content-Range %q", at, response.Header.Get("Content-Range"))}
		}
		if old, now := f.tag(), response.Header.Get("ETag"); old != "" && now != "" && old != now {
			return errors.Join(fmt.Errorf("the file on the server has changed since the last request, from ETag %s to %s", old, now), f.forget())
		}
		flags |= os.O_APPEND
	case http.StatusRequestedRangeNotSatisfiable:
		// We have everything, or too much: verifying the whole file will show
		// which.
		return nil
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return errors.New(response.Status)
	default:
		err := fmt.Errorf("%s answered %s", response.Request.URL.Host, response.Status)
		if response.StatusCode < http.StatusInternalServerError {
			return permanent{&UnreachedError{err}}
		}
		return err
	}
	total, err := f.total(at, response)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(f.part, flags, 0o644)
	if err != nil {
		return permanent{err}
	}
	// Only once the old part is gone: a tag must never be stored next to bytes
	// of another file.
	if response.StatusCode == http.StatusOK {
		if err := f.remember(response.Header.Get("ETag")); err != nil {
			return permanent{errors.Join(err, file.Close())}
		}
	}
	err = f.write(file, response.Body, at, total, func() { idle.Reset(f.Idle) })
	return because(ctx, errors.Join(err, file.Close()))
}

// because returns the cause for which the context was cancelled instead of err,
// if there is one.
func because(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (f *fetcher) ask(ctx context.Context, at int64) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.checkpoint.URL, nil)
	if err != nil {
		return nil, permanent{err}
	}
	request.Header.Set("Accept-Encoding", "identity")
	if at > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", at))
		// If the file has changed since, the server sends all of it.
		if tag := f.tag(); tag != "" {
			request.Header.Set("If-Range", tag)
		}
	}
	response, err := f.Client.Do(request)
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return nil, permanent{&UnreachedError{err}}
	}
	if at := (*url.Error)(nil); errors.As(err, &at) {
		err = at.Err // without the address, which is long and known
	}
	return response, err
}

// tag is the ETag that came with the part, if the server sent one.
func (f *fetcher) tag() string {
	tag, err := os.ReadFile(f.part + ".etag")
	if err != nil {
		return ""
	}
	return string(tag)
}

// remember keeps a strong ETag; a weak one may not be used for ranges.
func (f *fetcher) remember(tag string) error {
	if len(tag) > 1<<10 || len(tag) > 1 && tag[:2] == "W/" {
		tag = ""
	}
	return os.WriteFile(f.part+".etag", []byte(tag), 0o644)
}

// total is the file's final length; 0 if the server does not say.
func (f *fetcher) total(at int64, response *http.Response) (int64, error) {
	if response.ContentLength < 0 {
		return f.checkpoint.Size, nil
	}
	total := at + response.ContentLength
	// A server may send less than was asked for; the rest is asked for next.
	if _, of, ok := strings.Cut(response.Header.Get("Content-Range"), "/"); ok && response.StatusCode == http.StatusPartialContent {
		if n, err := strconv.ParseInt(of, 10, 64); err == nil {
			total = n
		}
	}
	if most := f.most(); total > most {
		return 0, permanent{fmt.Errorf("the server offers %d bytes, more than %d", total, most)}
	}
	return total, nil
}

func (f *fetcher) most() int64 {
	if f.checkpoint.Size > 0 {
		return f.checkpoint.Size
	}
	return maxSize
}

// write copies the body to the file and reports progress.
func (f *fetcher) write(file io.Writer, body io.Reader, at, total int64, alive func()) error {
	buffer := make([]byte, 256<<10)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			alive()
			if at += int64(n); at > f.most() {
				// Then the bytes before are not the beginning of the right file
				// either.
				return errors.Join(permanent{fmt.Errorf("more than %d bytes came; they are deleted", f.most())}, f.forget())
			}
			if _, err := file.Write(buffer[:n]); err != nil {
				return permanent{err}
			}
			f.Progress(at, total)
		}
		if errors.Is(err, io.EOF) {
			if at < total {
				return fmt.Errorf("the connection ended at %d of %d bytes", at, total)
			}
			return nil
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("the connection ended at %d of %d bytes", at, total)
		}
		if err != nil {
			return err
		}
	}
}
