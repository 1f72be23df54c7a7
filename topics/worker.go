package topics

import (
	"encoding/json"
	"errors"
	"fmt"
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
	// Stages are those that run in the process, by name.
	Stages map[string]WorkerStage `json:"stages,omitempty"`
	// Model and Vocab are what clips are recognised by; of infer alone.
	Model string   `json:"model_id,omitempty"`
	Vocab VocabRef `json:"vocabulary,omitzero"`
	// Problems say, by part, why it can't work: while there are any it is not
	// ready. Warnings say what is wrong without keeping it from working.
	Problems map[string]string `json:"problems,omitempty"`
	Warnings map[string]string `json:"warnings,omitempty"`
}

// WorkerStage is what a stage of a worker holds.
type WorkerStage struct {
	Group      string  `json:"group,omitempty"`
	Generation int     `json:"generation,omitempty"` // of the group, under which it holds the partitions
	Partitions []int   `json:"partitions,omitempty"`
	Lag        int64   `json:"lag,omitempty"`    // records that wait to be read, over its partitions
	Late       float64 `json:"late_s,omitempty"` // seconds: age of the newest record it has dealt with while others wait
}

// EncodeWorker writes the JSON record.
func EncodeWorker(w Worker) ([]byte, error) {
	if w.Name == "" {
		return nil, errors.New("encode worker: it has no name")
	}
	return json.Marshal(w)
}

// DecodeWorker reads a record of the workers topic.
func DecodeWorker(b []byte) (Worker, error) {
	var w Worker
	if err := json.Unmarshal(b, &w); err != nil {
		return Worker{}, fmt.Errorf("decode worker: %w", err)
	}
	if w.Name == "" || len(w.Name) > maxID {
		return Worker{}, errors.New("decode worker: its name is empty or too long")
	}
	return w, nil
}
