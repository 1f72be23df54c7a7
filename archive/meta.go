package archive

import (
	"slices"
	"time"
)

// Meta is what a segment's footer says of its content.
type Meta struct {
	Version int   `json:"version"`
	From    int64 `json:"from"` // offsets [From, To)
	To      int64 `json:"to"`
	Rows    int64 `json:"rows"`
	// Skipped records could not be read, or came from a worker that had lost the
	// partition.
	Skipped  int64     `json:"skipped,omitempty"`
	First    time.Time `json:"first,omitzero"` // record times
	Last     time.Time `json:"last,omitzero"`
	Earliest time.Time `json:"earliest,omitzero"` // ends of windows, times of alerts
	Latest   time.Time `json:"latest,omitzero"`
	Cameras  []string  `json:"cameras,omitempty"` // sorted; empty: too many to name
	Models   []string  `json:"models,omitempty"`  // likewise
	Dims     int       `json:"dims,omitempty"`    // of embeddings
	Odd      int64     `json:"odd,omitempty"`     // rows with an embedding of another length, their own or a view's, that is in extra
	Viewed   int64     `json:"viewed,omitempty"`  // rows that have columns of views
}

const metaVersion = 1

func (c codec[T]) describe(n Name, records []Record[T], skipped int64, dims int) Meta {
	m := Meta{Version: metaVersion, From: n.From, To: n.To, Rows: int64(len(records)), Skipped: skipped, Dims: dims}
	cameras, models := map[string]bool{}, map[string]bool{}
	for i, r := range records {
		at := c.when(r.Value).UTC()
		if i == 0 {
			m.First, m.Last, m.Earliest, m.Latest = r.Time, r.Time, at, at
		}
		m.First, m.Last = earlier(m.First, r.Time), later(m.Last, r.Time)
		m.Earliest, m.Latest = earlier(m.Earliest, at), later(m.Latest, at)
		cameras[c.camera(r.Value)] = true
		views, fit := false, true
		if c.viewed != nil {
			views, fit = c.viewed(r.Value, dims)
		}
		if d := c.dims(r.Value); d != 0 && d != dims || !fit {
			m.Odd++
		}
		if views && fit {
			m.Viewed++
		}
		if id := c.model(r.Value); id != "" {
			models[id] = true
		}
	}
	m.Cameras, m.Models = named(cameras), named(models)
	return m
}

func named(set map[string]bool) []string {
	if len(set) > maxNamed {
		return nil
	}
	var names []string
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
