// Command views measures what the views of a camera see of an action, by how tall it is
// in the picture and where it happens. Films are pasted small into a still, wide scene;
// what comes out goes the way of a camera's frames: the framer, JPEG, the model, contrast.
//
//	go run ./bench/views --model models/frost-mini --films cmd/frostwatch/demo/data
//
// FILMS holds videos and a labels.json, which says when what is to be seen in each:
//
//	{"a.mp4": {"labels": [{"action": "fall", "start_s": 9.3, "end_s": 10.1}]}}
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/frostwatch/frostwatch/infer/froster"
)

type options struct {
	model, films, scene, runtime string
	heights                      []float64 // of the film's square, of the scene's height
	events                       map[string]string
	width, height, threads       int
	zones                        bool
	begins                       int // how many times each film is shown, each time begun a little later
}

func main() {
	o := options{events: map[string]string{}}
	heights := "100,50,33,25,15"
	flag.StringVar(&o.model, "model", "", "folder of the model's bundle")
	flag.StringVar(&o.films, "films", "", "folder of films with a labels.json")
	flag.StringVar(&o.scene, "scene", "", "film whose first picture is the scene (default: yard_empty.mp4 of the films)")
	flag.StringVar(&o.runtime, "runtime", filepath.Join(".native", "onnxruntime", "libonnxruntime.so"), "ONNX Runtime's library")
	flag.StringVar(&heights, "heights", heights, "percent of the scene's height that the films' squares take")
	flag.IntVar(&o.width, "width", 960, "of the scene, pixels")
	flag.IntVar(&o.height, "height", 540, "of the scene, pixels")
	flag.IntVar(&o.begins, "begins", 1, "how many times each film is shown, begun a little later each time")
	flag.BoolVar(&o.zones, "zones", false, "show two films at once, and measure what a zone around one of them tells them apart by")
	flag.IntVar(&o.threads, "threads", 2, "clips that are embedded at the same time")
	flag.Func("event", "KEY=LABEL: an action of labels.json and the label that should find it; repeatable (default: the demo's four)", func(text string) error {
		key, label, ok := strings.Cut(text, "=")
		if !ok {
			return errors.New("want KEY=LABEL")
		}
		o.events[key] = label
		return nil
	})
	flag.Parse()
	if len(o.events) == 0 {
		o.events = map[string]string{"fall": "falling down", "fence": "climbing over a fence", "fight": "two people fighting", "ladder": "climbing a ladder"}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := o.run(ctx, heights)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "views:", err)
		os.Exit(1)
	}
}

func (o options) run(ctx context.Context, heights string) (err error) {
	if o.model == "" || o.films == "" {
		return errors.New("want --model and --films")
	}
	for _, text := range strings.Split(heights, ",") {
		h, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || h < 5 || h > 100 {
			return fmt.Errorf("--heights: %q: want percents from 5 to 100", text)
		}
		o.heights = append(o.heights, h/100)
	}
	if o.scene == "" {
		o.scene = filepath.Join(o.films, "yard_empty.mp4")
	}
	bundle, err := froster.OpenBundle(o.model)
	if err != nil {
		return err
	}
	rt, err := froster.OpenRuntime(froster.RuntimeOptions{Library: o.runtime, Provider: "cpu", Threads: o.threads})
	if err != nil {
		return err
	}
	m, err := rt.Load(bundle)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	films, err := readFilms(o.films)
	if err != nil {
		return err
	}
	b, err := newBench(ctx, o, m, films)
	if err != nil {
		return err
	}
	defer b.close()
	if o.zones {
		return b.measureZones(ctx, os.Stdout)
	}
	return b.measure(ctx, os.Stdout)
}

// film is a video and what it shows when.
type film struct {
	path   string
	Labels []struct {
		Action string  `json:"action"`
		Start  float64 `json:"start_s"`
		End    float64 `json:"end_s"`
	} `json:"labels"`
}

func readFilms(folder string) ([]film, error) {
	raw, err := os.ReadFile(filepath.Join(folder, "labels.json"))
	if err != nil {
		return nil, fmt.Errorf("read what the films show: %w", err)
	}
	of := map[string]film{}
	if err := json.Unmarshal(raw, &of); err != nil {
		return nil, fmt.Errorf("read labels.json: %w", err)
	}
	var out []film
	for _, name := range slices.Sorted(maps.Keys(of)) { // the scene's noise goes on from film to film
		f := of[name]
		f.path = filepath.Join(folder, name)
		out = append(out, f)
	}
	return out, nil
}

// holds is whether a window of span seconds shows an action: all of it, or for half of
// the window. touches is whether any of it is in the window.
func (f film) holds(action string, from, span float64) (holds, touches bool) {
	for _, l := range f.Labels {
		if l.Action != action {
			continue
		}
		overlap := min(l.End, from+span) - max(l.Start, from)
		touches = touches || overlap > 0
		holds = holds || overlap >= min(l.End-l.Start, span/2)-1e-6
	}
	return holds, touches
}
