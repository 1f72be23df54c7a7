package topics

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// WorkerEvery is how often a worker writes its record. A worker whose newest
// record is older than three times that is gone, and what it reported about
// streams no longer counts.
const WorkerEvery = 10 * time.Second

// Worker is what a process reports about itself, every WorkerEvery.
type Worker struct {
	Name    string    `json:"worker"`
	Version string    `json:"version,omitempty"`
	Started time.Time `json:"started"`
	At      time.Time `json:"at"` // when the record was written, by the worker's clock
	// Stages are the stages that run in the process, by name.
	Stages map[string]WorkerStage `json:"stages,omitempty"`
	// Model and Vocab are what clips are recognised with; only infer sets them.
	Model string   `json:"model_id,omitempty"`
	Vocab VocabRef `json:"vocabulary,omitzero"`
	// Further are the vocabularies beside the default one that its clips use.
	Further []VocabRef `json:"further_vocabularies,omitempty"`
	// Data is the data directory of `frostwatch up`; nil: nothing bounds it, or there is none.
	Data *DataRoom `json:"data,omitempty"`
	// Problems say why the worker can't work, by part; while there are any, it is
	// not ready. Warnings say what else is wrong, by part.
	Problems map[string]string `json:"problems,omitempty"`
	Warnings map[string]string `json:"warnings,omitempty"`
}

// WorkerStage is the state of a stage in a worker.
type WorkerStage struct {
	Group      string  `json:"group,omitempty"`      // of consumers
	Generation int     `json:"generation,omitempty"` // of the group, in which it was assigned the partitions
	Partitions []int   `json:"partitions,omitempty"`
	Lag        int64   `json:"lag,omitempty"`    // records of its partitions that are not dealt with
	Late       float64 `json:"late_s,omitempty"` // how long the oldest of them has been waiting, seconds
	// Free and Size are the room on the disk that it writes to, bytes; 0: it writes to none.
	Free int64 `json:"disk_free_bytes,omitempty"`
	Size int64 `json:"disk_size_bytes,omitempty"`
}

// DataRoom is how large a folder is and may get, bytes.
type DataRoom struct {
	Bytes int64 `json:"bytes"`
	Bound int64 `json:"bound_bytes"`
}

// EncodeWorker makes the JSON record.
func EncodeWorker(w Worker) ([]byte, error) {
	if w.Name == "" {
		return nil, errors.New("encode worker: it has no name")
	}
	return json.Marshal(w)
}

// DecodeWorker parses a record of the workers topic.
func DecodeWorker(b []byte) (Worker, error) {
	var w Worker
	if err := decodeJSON(b, &w, workerBounds); err != nil {
		return Worker{}, fmt.Errorf("decode worker: %w", err)
	}
	if err := w.check(); err != nil {
		return Worker{}, fmt.Errorf("decode worker: %w", err)
	}
	return w, nil
}

// Bounds on what a worker reports. The topic has at most 10,000 partitions
// (kafka.partitions); each camera may have a warning.
const (
	maxPartitions = 10_000
	maxReports    = 10_000
	maxStages     = 8
	maxHolding    = 6 // stages that hold partitions
	maxFurther    = 64
)

// check refuses what no worker writes.
func (w Worker) check() error {
	switch {
	case !isID(w.Name):
		return fmt.Errorf("its name: want 1 to %d bytes of printable text", maxID)
	case len(w.Stages) == 0:
		return errors.New("it runs no stage")
	case len(w.Version) > maxID || len(w.Model) > maxID || len(w.Vocab.Name) > maxID || len(w.Vocab.Version) > maxID:
		return fmt.Errorf("version, model or vocabulary: want at most %d bytes", maxID)
	case len(w.Further) > maxFurther || slices.ContainsFunc(w.Further, func(v VocabRef) bool { return len(v.Name) > maxID || len(v.Version) > maxID }):
		return fmt.Errorf("further vocabularies: want at most %d, with names and versions of at most %d bytes", maxFurther, maxID)
	case len(w.Problems) > maxReports || len(w.Warnings) > maxReports:
		return fmt.Errorf("problems or warnings: want at most %d", maxReports)
	}
	if w.Data != nil && (w.Data.Bytes < 0 || w.Data.Bound <= 0) {
		return errors.New("data: want bytes, and a bound above 0")
	}
	for name, s := range w.Stages {
		if !isStage(name) {
			return fmt.Errorf("stage %.80q: want 1 to 32 lower-case letters", name)
		}
		if len(s.Group) > maxID || len(s.Partitions) > maxPartitions || s.Lag < 0 || s.Late < 0 || s.Generation < 0 || s.Free < 0 || s.Size < s.Free {
			return fmt.Errorf("stage %s: group, partitions, lag, age, generation or disk is out of bounds", name)
		}
	}
	return nil
}

// isStage reports whether text may name a stage. Those of newer versions are not known
// here.
func isStage(text string) bool {
	return text != "" && len(text) <= 32 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz") == ""
}
