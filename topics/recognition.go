package topics

import (
	"fmt"
	"math"
	"time"
)

// Recognition is what the model saw in one clip, scored against the
// vocabulary of that moment.
type Recognition struct {
	ClipID     string        `json:"clip_id"`
	Camera     string        `json:"camera"`
	Tags       []string      `json:"camera_tags,omitempty"`
	Epoch      time.Time     `json:"epoch"` // of the stream
	Sequence   uint64        `json:"sequence"`
	Start      time.Time     `json:"start"` // of the window, wall clock
	End        time.Time     `json:"end"`
	Clip       RecordRef     `json:"clip"`             // where the clip lies
	Labels     []LabelScore  `json:"labels"`           // the best, highest score first
	Background float64       `json:"background_score"` // sum of the scores of background labels
	Embedding  Float16Vector `json:"embedding"`        // mean of the frames' unit embeddings
	First      Float16Vector `json:"embedding_first3"` // mean of the first three
	Last       Float16Vector `json:"embedding_last3"`  // mean of the last three
	Model      string        `json:"model_id"`         // hash of the weights
	// LogitScale is the model's factor of similarities before the softmax, with
	// which a recorded embedding can be scored again. 0: the record is of an
	// older version.
	LogitScale float64  `json:"logit_scale,omitempty"`
	Vocab      VocabRef `json:"vocabulary"` // that the scores refer to
	Timings    Timings  `json:"timings_ms"` // where the time went
}

// RecordRef points at a record.
type RecordRef struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Offset    int64  `json:"offset"`
}

// VocabRef names the exact vocabulary.
type VocabRef struct {
	Name    string `json:"name"`
	Version string `json:"version"` // hash of the content
}

// LabelScore is one label's result for a clip.
type LabelScore struct {
	Label string `json:"label"`
	// Similarity is clip · label; Score its softmax over the vocabulary.
	Similarity float64  `json:"similarity"`
	Score      float64  `json:"score"`
	Tags       []string `json:"tags,omitempty"`
	Background bool     `json:"background,omitempty"`
	// Threshold is the label's own raise score from the vocabulary; 0: none.
	Threshold float64 `json:"threshold,omitempty"`
	// Novel labels are not among the model's base classes.
	Novel             bool    `json:"novel"`
	NearestBase       string  `json:"nearest_base,omitempty"`
	NearestSimilarity float64 `json:"nearest_similarity,omitempty"`
}

// Timings are milliseconds.
type Timings struct {
	Queue  float64 `json:"queue"`  // from the clip's being cut to infer's reading it, by the broker's clock
	Decode float64 `json:"decode"` // JPEG decoding and cropping
	Model  float64 `json:"model"`  // the batch's run
	Score  float64 `json:"score"`
	Batch  int     `json:"batch"` // clips in the run
}

// ID is the CloudEvents id, which is that of the clip: a stage that repeats
// work after a crash, perhaps with a newer vocabulary, repeats the event and
// adds none.
func (r Recognition) ID() string { return r.ClipID }

// EncodeRecognition writes the CloudEvents record.
func EncodeRecognition(r Recognition) ([]byte, error) {
	return encodeEvent(TypeRecognition, r.ID(), r.Camera, r.End, r)
}

// DecodeRecognition reads a record of the actions topic.
func DecodeRecognition(b []byte) (Recognition, error) {
	var r Recognition
	if err := decodeEvent(b, &r, TypeRecognition); err != nil {
		return Recognition{}, err
	}
	if err := r.Validate(); err != nil {
		return Recognition{}, fmt.Errorf("decode recognition %.80q: %w", r.ClipID, err)
	}
	return r, nil
}

// Validate checks what a reader relies on, whatever the record came from.
func (r Recognition) Validate() error {
	switch {
	case !isID(r.ClipID):
		return fmt.Errorf("clip_id: want 1 to %d bytes of printable text", maxID)
	case !cameraName.MatchString(r.Camera):
		return fmt.Errorf("camera %.80q is not a camera name", r.Camera)
	case !areTags(r.Tags):
		return errBadTags
	case r.Start.IsZero() || !r.End.After(r.Start):
		return fmt.Errorf("window from %v to %v", r.Start, r.End)
	}
	for _, l := range r.Labels {
		if !isID(l.Label) {
			return fmt.Errorf("label %.80q: want 1 to %d bytes of printable text", l.Label, maxID)
		}
		if math.IsNaN(l.Score) || l.Score < 0 || l.Score > 1 {
			return fmt.Errorf("label %q: score %v: want 0 to 1", l.Label, l.Score)
		}
	}
	return nil
}
