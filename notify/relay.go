package notify

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"github.com/frostwatch/frostwatch/topics"
)

// shoutrrr takes no context, reads answers whole, has services without a time-out, and
// connects by the process's default HTTP client. So each notification is sent by a
// process of its own: what hangs or grows is ended with it, and its default client
// can be one that keeps to public addresses.

// letter is what such a process is to send.
type letter struct {
	URL     string        `json:"url"`
	Text    string        `json:"text"`
	Private bool          `json:"private"`
	Timeout time.Duration `json:"timeout"`
	Name    string        `json:"name,omitempty"` // of a file that goes with it
	File    []byte        `json:"file,omitempty"`
}

// maxLetter bounds what is read of a letter: a film in base64, and the rest.
const maxLetter = maxFilm/3*4 + maxBody

// reply is what has become of it. Its error is fit to be shown.
type reply struct {
	Error string `json:"error"`
}

// relay sends a letter by another process of this program.
func relay(ctx context.Context, body []byte) (reply, error) {
	own, err := os.Executable()
	if err != nil {
		return reply{}, fmt.Errorf("find this program: %w", err)
	}
	if runtime.GOOS == "linux" {
		own = "/proc/self/exe" // also while an upgrade replaces the file
	}
	out := &tail{}
	cmd := exec.CommandContext(ctx, own, "notify", RelayCommand)
	cmd.Stdin, cmd.Stdout, cmd.WaitDelay = bytes.NewReader(body), out, time.Second
	var answer reply
	if err := cmd.Run(); err != nil { // what it writes to standard error may hold secrets
		return reply{}, fmt.Errorf("the process that sends: %w", err)
	}
	if err := json.Unmarshal(out.b, &answer); err != nil {
		return reply{}, errors.New("the process that sends has ended without an answer")
	}
	return answer, nil
}

// RelayCommand is the subcommand of `frostwatch notify` that calls Relay.
const RelayCommand = "relay"

// Relay is the other process: it sends the letter that it reads, and writes what has
// become of it. It changes the default HTTP client of its process.
func Relay(in io.Reader, out io.Writer) error {
	var l letter
	if err := json.NewDecoder(io.LimitReader(in, maxLetter)).Decode(&l); err != nil {
		return errors.New("read what is to be sent: it is not from `frostwatch notify`")
	}
	http.DefaultTransport = &guarded{newHTTPClient(l.Timeout, l.Private).Transport}
	http.DefaultClient.Timeout = l.Timeout
	sent := make(chan error, 1)
	go func() { sent <- shout(l) }()
	var answer reply
	select {
	case err := <-sent:
		if err != nil {
			answer.Error = scrub(err.Error(), l.URL)
			answer.Error = topics.Clean(answer.Error[:min(len(answer.Error), maxSaid/8)]) // relay keeps maxSaid of JSON
		}
	case <-time.After(l.Timeout): // the process ends
		answer.Error = "no answer in time"
	}
	return json.NewEncoder(out).Encode(answer)
}

func shout(l letter) error {
	service, u, err := serviceOf(l.URL)
	if err != nil {
		return err
	}
	if err := service.Initialize(u, nil); err != nil {
		return err
	}
	switch rich, is := service.(interface {
		SendItems(items []types.MessageItem, params *types.Params) error
	}); {
	case len(l.File) == 0:
		return service.Send(l.Text, nil)
	case is: // Discord
		return rich.SendItems([]types.MessageItem{{Text: l.Text, File: &types.File{Name: l.Name, Data: l.File}}}, nil)
	default: // Signal, which has a parameter for it
		return service.Send(l.Text, &types.Params{"attachments": base64.StdEncoding.EncodeToString(l.File)})
	}
}

// guarded is a transport that follows no redirects, whatever its client does, and bounds
// answers.
type guarded struct{ http.RoundTripper }

func (g *guarded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := g.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 == 3 {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("it redirects (%d), which is not followed", resp.StatusCode)
	}
	resp.Body = limited{io.LimitReader(resp.Body, maxBody), resp.Body}
	return resp, nil
}

type limited struct {
	io.Reader
	io.Closer
}
