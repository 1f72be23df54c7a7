// Package fleet reads the state of all workers, cameras and open alerts from the
// tables on Kafka, for `frostwatch status`.
package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/notify"
	"github.com/frostwatch/frostwatch/topics"
)

// Fleet is the state of everything at one time. Its texts are cleaned.
type Fleet struct {
	At      time.Time `json:"at"`
	Workers []Worker  `json:"workers"`
	Cameras []Camera  `json:"cameras"`
	Open    []Alert   `json:"open_alerts"`
	Wrong   []Wrong   `json:"wrong"`
	// Silences are those in force, Profile what people have put in force of
	// notify.profiles; empty: none.
	Silences []topics.Silence `json:"silences,omitempty"`
	Profile  string           `json:"profile,omitempty"`
	// Unreadable are records on the workers topic that no worker has written.
	Unreadable []Unreadable `json:"unreadable_workers,omitempty"`
}

// Worker is a process that runs stages.
type Worker struct {
	Name    string                        `json:"worker"`
	Alive   bool                          `json:"alive"`
	Heard   time.Time                     `json:"heard"` // of its newest record
	Started time.Time                     `json:"started"`
	Version string                        `json:"version,omitempty"`
	Stages  map[string]topics.WorkerStage `json:"stages"`
	Model   string                        `json:"model_id,omitempty"`
	Data    *topics.DataRoom              `json:"data,omitempty"` // of `frostwatch up --size`

	Problems map[string]string `json:"problems,omitempty"`
	Warnings map[string]string `json:"warnings,omitempty"`
}

// Unreadable is a record that can't be read.
type Unreadable struct {
	Key    string `json:"key"`
	Reason string `json:"reason"`
}

// Camera is a camera and its stream.
type Camera struct {
	Name   string    `json:"camera"`
	State  string    `json:"state"` // empty if unknown, for the given reason
	Since  time.Time `json:"since,omitzero"`
	Reason string    `json:"reason,omitempty"`
	Worker string    `json:"worker,omitempty"`
	// NoFilms is why no films of its alerts are made, where its main stream can't be read.
	NoFilms string `json:"no_films,omitempty"`
}

// Alert is an alert that is open.
type Alert struct {
	ID       string    `json:"alert_id"`
	Camera   string    `json:"camera"`
	Cameras  []string  `json:"cameras,omitempty"` // of a rule that counts cameras: those that showed it
	Rule     string    `json:"rule"`
	Severity string    `json:"severity"`
	Label    string    `json:"label"`
	Absent   bool      `json:"absent,omitempty"` // the label has not been seen
	Onset    time.Time `json:"onset"`
}

// Wrong describes something that is wrong, and what to do about it.
type Wrong struct {
	What string `json:"what"`
	Do   string `json:"do,omitempty"`
	// Warning is the part of a worker that warns of something in spite of which it works;
	// empty: something does not work.
	Warning string `json:"warning_of,omitempty"`
}

const (
	// gone is the age of its newest record at which a worker counts as gone.
	gone = 3 * topics.WorkerEvery
	// forgotten is the age at which a worker that is gone is no longer shown.
	forgotten = 24 * time.Hour
)

// Read reads the tables.
func Read(ctx context.Context, c *bus.Client, n topics.Names) (Fleet, error) {
	f := Fleet{At: time.Now(), Workers: []Worker{}, Cameras: []Camera{}, Open: []Alert{}}
	if err := f.readWorkers(ctx, c, n); err != nil {
		return f, err
	}
	if err := f.readCameras(ctx, c, n); err != nil {
		return f, err
	}
	if err := f.readOpen(ctx, c, n); err != nil {
		return f, err
	}
	all, profile, err := notify.OpenSilences(c, n).List(ctx)
	if err != nil {
		return f, err
	}
	f.Silences, f.Profile = topics.ActiveSilences(all, f.At), profile.Name
	f.Wrong = f.wrong()
	return f, nil
}

// Runs is whether a worker that is alive runs a stage.
func Runs(ctx context.Context, c *bus.Client, n topics.Names, stage string) (bool, error) {
	f := Fleet{At: time.Now()}
	err := f.readWorkers(ctx, c, n)
	return f.runs(stage), err
}

func (f *Fleet) readWorkers(ctx context.Context, c *bus.Client, n topics.Names) error {
	rows, err := c.Table(n.Of(topics.Workers)).List(ctx)
	if err != nil {
		return fmt.Errorf("read the workers: %w", err)
	}
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		age := c.Age(rows[key])
		if age > forgotten {
			continue
		}
		w, err := readWorker(key, rows[key].Value, age, f.At)
		if err != nil {
			f.Unreadable = append(f.Unreadable, Unreadable{fmt.Sprintf("%.80s", topics.Clean(key)), topics.Clean(err.Error())})
			continue
		}
		f.Workers = append(f.Workers, newWorker(w, f.At.Add(-age), age < gone))
	}
	return nil
}

// ahead is how far a worker's clock, or the time of its record, may be ahead of
// ours. Anyone may write to the topic: a record from the future would live on
// after its worker.
const ahead = 10 * time.Minute

// readWorker refuses what no worker writes.
func readWorker(key string, value []byte, age time.Duration, now time.Time) (topics.Worker, error) {
	w, err := topics.DecodeWorker(value)
	switch {
	case err != nil:
		return w, err
	case w.Name != key:
		return w, fmt.Errorf("its name is %q", w.Name)
	case age < -ahead || w.At.Sub(now) > ahead || w.Started.Sub(now) > ahead:
		return w, errors.New("it is from the future")
	}
	return w, nil
}

func newWorker(w topics.Worker, heard time.Time, alive bool) Worker {
	out := Worker{
		Name: topics.Clean(w.Name), Alive: alive, Heard: heard.Truncate(time.Millisecond), Started: w.Started, Version: topics.Clean(w.Version),
		Stages: map[string]topics.WorkerStage{}, Model: topics.Clean(w.Model), Data: w.Data, Problems: clean(w.Problems), Warnings: clean(w.Warnings),
	}
	for name, s := range w.Stages {
		s.Group = topics.Clean(s.Group)
		out.Stages[topics.Clean(name)] = s
	}
	return out
}

func clean(texts map[string]string) map[string]string {
	out := make(map[string]string, len(texts))
	for k, v := range texts {
		out[topics.Clean(k)] = topics.Clean(v)
	}
	return out
}

func (f *Fleet) readCameras(ctx context.Context, c *bus.Client, n topics.Names) error {
	table, err := cameras.Open(c, n, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	all, err := table.List(ctx)
	if err != nil {
		return err
	}
	for _, e := range all {
		s := e.Status
		f.Cameras = append(f.Cameras, Camera{Name: e.Name, State: string(s.State), Since: s.Since, Reason: s.Reason, Worker: s.Worker, NoFilms: s.NoFilms()})
	}
	return nil
}

func (f *Fleet) readOpen(ctx context.Context, c *bus.Client, n topics.Names) error {
	open, err := alertlog.OpenAlerts(ctx, c, n)
	if err != nil {
		return err
	}
	for _, a := range open {
		f.Open = append(f.Open, Alert{
			ID: topics.Clean(a.ID), Camera: a.Camera, Cameras: a.Cameras, Rule: topics.Clean(a.Rule), Severity: topics.Clean(a.Severity),
			Label: topics.Clean(a.Label), Absent: a.Absent, Onset: a.Onset,
		})
	}
	slices.SortFunc(f.Open, func(a, b Alert) int {
		return cmp.Or(a.Onset.Compare(b.Onset), cmp.Compare(a.ID, b.ID))
	})
	return nil
}
