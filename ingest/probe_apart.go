package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// ProbeCommand is the subcommand of `frostwatch ingest` that calls ProbeFor.
const ProbeCommand = "probe"

const (
	// probeMemory bounds the memory of a process that tries a camera: an 8K stream needs
	// some 800 MB. looksAtMemory is how often it is looked at.
	probeMemory   = 1536 << 20
	looksAtMemory = 50 * time.Millisecond
	// probeRequest and probeReply bound what is said to the process and what it answers,
	// which a stream that took it over may have written.
	probeRequest = 4 << 20
	probeReply   = 4 << 20
)

// probeTask is what such a process is to try.
type probeTask struct {
	Options ProbeOptions
	Camera  topics.Camera
	Env     map[string]string // that the camera's URLs name and may name
}

// probeAnswer is what came of it: one of its fields.
type probeAnswer struct {
	Seen    *Probed    `json:",omitempty"`
	Picture []byte     `json:",omitempty"` // of Seen
	Part    ProbePart  `json:",omitempty"` // of a ProbeFault
	Kind    media.Kind `json:",omitempty"`
	Text    string     `json:",omitempty"`
	Error   string     `json:",omitempty"`
}

// ProbeApart is Probe by a process of its own: a stream that crashes the decoder, or makes
// it grow, ends that process alone. It ends with ctx. Options.LookUp is not used.
func ProbeApart(ctx context.Context, o ProbeOptions, c topics.Camera) (Probed, error) {
	return probeApart(ctx, o, c, probeMemory)
}

func probeApart(ctx context.Context, o ProbeOptions, c topics.Camera, memory int64) (Probed, error) {
	task, err := o.task(c)
	if err != nil {
		return Probed{}, err
	}
	p, err := spawn(ProbeCommand)
	if err != nil {
		return Probed{}, err
	}
	defer context.AfterFunc(ctx, p.kill)()
	grown := make(chan bool, 1)
	watching, enough := context.WithCancel(ctx)
	go func() { grown <- p.outgrows(watching, memory) }()
	var answer probeAnswer
	_, err = p.in.Write(task)
	_ = p.in.Close()
	if err == nil {
		err = json.NewDecoder(io.LimitReader(p.out, probeReply)).Decode(&answer)
	}
	d := p.end()
	enough()
	if tooLarge := <-grown; err != nil || tooLarge {
		if ctx.Err() != nil {
			return Probed{}, ctx.Err()
		}
		return Probed{}, probeDied(d, tooLarge)
	}
	return answer.result()
}

// task is what another process needs to do what Probe does.
func (o ProbeOptions) task(c topics.Camera) ([]byte, error) {
	t, err := o.Trust.read()
	if err != nil {
		return nil, err
	}
	getenv := o.Getenv
	if getenv == nil {
		getenv = os.LookupEnv
	}
	task := probeTask{Options: o, Camera: c, Env: map[string]string{}}
	task.Options.Trust.Own = nil
	if t.owns(c) {
		task.Options.Trust.Own = []topics.Camera{c}
	}
	for _, name := range append(cameras.References(c.URL), cameras.References(c.Watch)...) {
		if value, set := getenv(name); set && (t.owns(c) || t.mayName(name) == nil) {
			task.Env[name] = value
		}
	}
	out, err := json.Marshal(task)
	if err != nil || len(out) > probeRequest {
		return nil, errors.New("try a camera: what is asked of it is too large")
	}
	return out, nil
}

// probeDied is why a process has ended without an answer, for people.
func probeDied(d death, tooLarge bool) error {
	text := "what it sends made the process that looked at it end"
	switch {
	case tooLarge:
		text = "decoding what it sends takes more memory than a camera may have"
	case d.cause == causeCrash:
		text = "what it sends crashes the decoder"
	}
	return &ProbeFault{
		Part: PartVideo, Crash: d.cause + ": " + d.text,
		Fault: media.NewFault(media.KindNotVideo, "%s: nothing else is harmed; see for newer firmware, or choose another codec in the camera", text),
	}
}

func (a probeAnswer) result() (Probed, error) {
	switch {
	case a.Seen != nil:
		a.Seen.Picture = a.Picture
		return *a.Seen, nil
	case a.Part != "":
		return Probed{}, &ProbeFault{Part: a.Part, Fault: media.NewFault(a.Kind, "%s", a.Text)}
	case a.Error != "":
		return Probed{}, errors.New(a.Error)
	}
	return Probed{}, errors.New("try a camera: the process that looks at it gave no answer")
}

// outgrows ends the process when it has more memory than it may, which is returned, and
// looks until ctx ends.
func (p *process) outgrows(ctx context.Context, most int64) (grown bool) {
	looking, stop := context.WithCancel(ctx)
	defer stop()
	pause.Every(looking, looksAtMemory, func() {
		if resident(p.pid) > most {
			grown = true
			p.kill()
			stop()
		}
	})
	return grown
}

// resident is the memory of a process in bytes; 0 where that is not known.
func resident(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := bytes.Fields(b)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// ProbeFor is the other process: it tries what it reads, and writes what came of it.
func ProbeFor(ctx context.Context, in io.Reader, out io.Writer) error {
	var task probeTask
	if err := json.NewDecoder(io.LimitReader(in, probeRequest)).Decode(&task); err != nil {
		return errors.New("try a camera: this command is started by the console alone")
	}
	task.Options.Getenv = func(name string) (string, bool) { value, set := task.Env[name]; return value, set }
	seen, err := Probe(ctx, task.Options, task.Camera)
	var answer probeAnswer
	var fault *ProbeFault
	switch {
	case err == nil:
		answer.Seen, answer.Picture = &seen, seen.Picture
	case errors.As(err, &fault):
		answer.Part, answer.Kind, answer.Text = fault.Part, fault.Fault.Kind, fault.Fault.Text
	default:
		answer.Error = err.Error()
	}
	return json.NewEncoder(out).Encode(answer)
}
