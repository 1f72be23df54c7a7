package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// recorder is a sink and a bus: it keeps what a camera gave.
type recorder struct {
	mu     sync.Mutex
	times  map[string][]time.Duration // of the current epoch's frames, by camera
	untils map[string][]time.Duration
	epochs map[string]int
	sizes  map[string]string
	status map[string][]topics.StreamStatus
	gone   map[string]int    // tombstones of statuses
	warned map[string]string // warnings that were reported and not withdrawn, by part
	checks map[string]func() error
	left   []bus.Message     // on the status topic
	tags   map[string]string // of the clips to come
	dead   []bus.Message
	ended  map[string][]string
	broken map[string]string // what the sinks say of it

	pictures map[string]*topics.PictureFaults // what the sinks say of them
}

func newRecorder() *recorder {
	return &recorder{
		times: map[string][]time.Duration{}, untils: map[string][]time.Duration{}, epochs: map[string]int{},
		sizes: map[string]string{}, gone: map[string]int{}, warned: map[string]string{}, checks: map[string]func() error{}, tags: map[string]string{}, status: map[string][]topics.StreamStatus{}, ended: map[string][]string{}, broken: map[string]string{}, pictures: map[string]*topics.PictureFaults{},
	}
}

type recorderSink struct {
	*recorder
	name string
	send bus.SendFunc
}

func (r *recorderSink) Retag(tags []string, vocabulary string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tags[r.name] = strings.Join(tags, ",")
	if vocabulary != "" {
		r.tags[r.name] += " in " + vocabulary
	}
}

func (r *recorderSink) Broken() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken[r.name]
}

func (r *recorderSink) Picture() *topics.PictureFaults {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pictures[r.name]
}

func (r *recorderSink) Run(ctx context.Context) { <-ctx.Done() }

func (r *recorderSink) Connected(i media.StreamInfo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.epochs[r.name]++
	r.times[r.name], r.untils[r.name] = nil, nil
	r.sizes[r.name] = fmt.Sprintf("%s %dx%d", i.Codec, i.Width, i.Height)
}

func (r *recorderSink) Frame(_ context.Context, f *media.Frame) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.times[r.name] = append(r.times[r.name], f.PTS)
	r.untils[r.name] = append(r.untils[r.name], f.Until)
	return nil
}

func (r *recorderSink) Disconnected(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended[r.name] = append(r.ended[r.name], reason)
}

func (r *recorder) Consume(context.Context, bus.GroupOptions, func(context.Context, *bus.Partition) error) error {
	return errors.New("not a broker")
}

func (r *recorder) Send(_ context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range msgs {
		if strings.HasSuffix(m.Topic, "dead-letter") {
			r.dead = append(r.dead, m)
			continue
		}
		if len(m.Value) == 0 {
			r.gone[string(m.Key)]++
			continue
		}
		s, err := topics.DecodeStatus(m.Value)
		if err != nil {
			return nil, err
		}
		r.status[s.Camera] = append(r.status[s.Camera], s)
	}
	return make([]topics.RecordRef, len(msgs)), nil
}

// Replay gives what earlier workers have left: r.left.
func (r *recorder) Replay(_ context.Context, _ string, _ int, _, _ int64, fn func(bus.Message) error) error {
	r.mu.Lock()
	left := r.left
	r.mu.Unlock()
	for _, m := range left {
		if err := fn(m); err != nil {
			return err
		}
	}
	return nil
}

func (r *recorder) PartitionOf(_ context.Context, _ string, key []byte) (int, error) {
	if strings.HasPrefix(string(key), "other") {
		return 1, nil
	}
	return 0, nil
}

func (r *recorder) Problem(string, error) {}

func (r *recorder) Warning(part string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.warned, part)
	if err != nil {
		r.warned[part] = err.Error()
	}
}

func (r *recorder) Incident(part string, err error) { r.Warning(part, err) }

func (r *recorder) Check(part string, ask func() error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checks[part] = ask
}

func (r *recorder) Describe(func(*topics.Worker)) {}

func (r *recorder) warning(part string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.warned[part]
}

func (r *recorder) frames(camera string) []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.times[camera])
}

func (r *recorder) last(camera string) topics.StreamStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	if all := r.status[camera]; len(all) > 0 {
		return all[len(all)-1]
	}
	return topics.StreamStatus{}
}

// saw says whether a status with this state and reason has been published.
func (r *recorder) saw(camera string, state topics.StreamState, reason string) func() bool {
	return func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return slices.ContainsFunc(r.status[camera], func(s topics.StreamStatus) bool {
			return s.State == state && strings.Contains(s.Reason, reason)
		})
	}
}
