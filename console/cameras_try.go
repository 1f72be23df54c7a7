package console

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/console/cameraedit"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// triesAtOnce bounds the streams that are tried at a time, each of which may take a core;
	// triesWaiting those that wait for their turn besides.
	triesAtOnce  = 2
	triesWaiting = 8
	// tryFor is how long video is watched, tryTime how long a try may take in all.
	tryFor  = 4 * time.Second
	tryTime = 45 * time.Second
	// tryConnect bounds how long is waited for an answer, whatever the configuration says.
	tryConnect = 10 * time.Second
	// trySide is the shorter side of the picture, pictureMost its bytes.
	trySide     = 360
	pictureMost = 512 << 10
	// reasonMost bounds what is shown of an error.
	reasonMost = 400
)

// CameraTry is what is tried.
type CameraTry struct {
	Camera    string       `json:"camera,omitempty" maxLength:"64" doc:"its stored secrets may be used, on the same server"`
	URL       string       `json:"url,omitempty" maxLength:"8192" doc:"empty: what is stored of the camera"`
	Login     *CameraLogin `json:"login,omitempty"`
	Transport string       `json:"transport,omitempty" enum:",tcp,udp"`
}

// Tried is what came of it. Its texts are cleaned.
type Tried struct {
	URL    string   `json:"url" doc:"without secrets"`
	Name   string   `json:"name,omitempty" doc:"a name for the camera that no other has"`
	Seen   *Seen    `json:"seen,omitempty"`
	Part   string   `json:"part,omitempty" doc:"which part is wrong: URL, host, connection, TLS, login, path, answer, video or not allowed"`
	Reason string   `json:"reason,omitempty" doc:"what is wrong with it"`
	Advice []string `json:"advice,omitempty"`
}

// Seen is what a stream is.
type Seen struct {
	Transport string  `json:"transport"`
	Codec     string  `json:"codec"`
	Profile   string  `json:"profile,omitempty"`
	Width     int     `json:"width"`
	Height    int     `json:"height"`
	FPS       float64 `json:"fps,omitempty"`
	Interval  float64 `json:"keyframe_interval_s,omitempty"`
	MBits     float64 `json:"mbit_s,omitempty"`
	Watched   float64 `json:"watched_s"`
	Audio     bool    `json:"audio,omitempty"`
	Picture   []byte  `json:"picture,omitempty" doc:"its first one, a JPEG"`
}

type tryCameraInput struct{ Body CameraTry }

type tryCameraOutput struct{ Body Tried }

func (c *Console) tryCamera(ctx context.Context, in *tryCameraInput) (*tryCameraOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	done, err := c.tries.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	camera, err := c.tried(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	out := &tryCameraOutput{}
	out.Body.URL = cameras.ShownURL(cmp.Or(camera.URL, in.Body.URL))
	c.audit(ctx, "try camera", "camera", topics.Clean(in.Body.Camera), "url", out.Body.URL)
	if camera.URL, err = c.address(camera, in.Body); err != nil {
		out.Body.Part, out.Body.Reason = string(ingest.PartURL), reason(err)
		return out, nil
	}
	out.Body.URL = cameras.ShownURL(camera.Looked())
	if in.Body.Camera == "" {
		out.Body.Name = c.newName(camera.URL)
	}
	if err := c.see(ctx, camera, &out.Body); err != nil {
		return nil, err
	}
	return out, nil
}

// tried is the camera to try, as it is stored; one that is not has no name.
func (c *Console) tried(ctx context.Context, t CameraTry) (topics.Camera, error) {
	if t.Camera == "" {
		return topics.Camera{Source: topics.SourcePerson, Transport: t.Transport}, nil
	}
	camera, err := c.stored(ctx, t.Camera)
	camera.Transport = cmp.Or(t.Transport, camera.Transport)
	return camera, err
}

// address is where to connect.
func (c *Console) address(camera topics.Camera, t CameraTry) (string, error) {
	if t.URL == "" && t.Login == nil {
		if camera.URL == "" {
			return "", errors.New("want a URL")
		}
		return camera.URL, nil
	}
	return cameras.Retyped(camera.URL, cmp.Or(t.URL, cameras.ShownURL(camera.URL)), t.Login.login())
}

// see connects and looks. The error is of this console; the camera's own is in what was tried.
func (c *Console) see(ctx context.Context, camera topics.Camera, out *Tried) error {
	editor := c.editor()
	checked := camera
	checked.Name = cmp.Or(camera.Name, "it")
	if err := editor.Limits.Validate(checked); err != nil {
		out.Part, out.Reason = string(ingest.PartURL), reason(errors.New(strings.TrimPrefix(err.Error(), "camera it: ")))
		return nil
	}
	o := cameraedit.Probing(c.Config, editor.Trust, tryFor, trySide)
	o.OpenTimeout, o.ReadTimeout = min(o.OpenTimeout, tryConnect), min(o.ReadTimeout, tryConnect)
	seen, err := c.Probe(ctx, o, camera)
	var fault *ingest.ProbeFault
	switch {
	case errors.As(err, &fault):
		if fault.Crash != "" {
			c.Logger.WarnContext(ctx, "a camera that was tried has crashed the process that looked at it", "url", out.URL, "crash", topics.Clean(fault.Crash))
		}
		out.Part, out.Reason = string(fault.Part), reason(fault.Fault)
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		out.Part, out.Reason = string(ingest.PartAnswer), "nothing that can be seen came within "+tryTime.String()
		return nil
	case err != nil:
		return huma.Error503ServiceUnavailable(topics.Clean(err.Error()))
	}
	out.Seen, out.Advice = seenOf(seen), cleaned(seen.Advice)
	return nil
}

func seenOf(p ingest.Probed) *Seen {
	s := &Seen{
		Transport: topics.Clean(p.Transport), Codec: topics.Clean(p.Codec), Profile: topics.Clean(p.Profile), Width: p.Width, Height: p.Height,
		FPS: p.FPS, Interval: p.Interval, MBits: p.BitRate, Watched: p.Watched, Audio: p.Audio,
	}
	if len(p.Picture) <= pictureMost {
		s.Picture = p.Picture
	}
	return s
}

// reason is an error for the page: what a stranger answered may be in it.
func reason(err error) string {
	text := []rune(topics.Clean(err.Error()))
	if len(text) > reasonMost {
		return string(text[:reasonMost]) + "…"
	}
	return string(text)
}

// newName proposes a name that no camera has.
func (c *Console) newName(url string) string {
	all, _ := c.cameras.List() // an older list does
	taken := map[string]bool{}
	for _, e := range all {
		taken[e.Name] = true
	}
	return cameraedit.ProposeName(url, taken)
}

// places let a few through at a time, and a few more wait.
type places struct{ inside, waiting chan struct{} }

func newPlaces(inside, waiting int) places {
	return places{make(chan struct{}, inside), make(chan struct{}, inside+waiting)}
}

// enter waits for a place until ctx ends; done leaves it.
func (p places) enter(ctx context.Context) (done func(), err error) {
	select {
	case p.waiting <- struct{}{}:
	default:
		return nil, huma.Error429TooManyRequests("too many are tried at once: try again in a minute")
	}
	select {
	case p.inside <- struct{}{}:
		return func() { <-p.inside; <-p.waiting }, nil
	case <-ctx.Done():
		<-p.waiting
		return nil, huma.Error503ServiceUnavailable("others that are tried take too long: try again soon")
	}
}
