package topics

import (
	"fmt"
	"math"
	"time"
)

// Recognition is the result for one clip: its embeddings, and the scores of the
// labels that were in the vocabulary at that moment.
type Recognition struct {
	ClipID   string    `json:"clip_id"`
	Camera   string    `json:"camera"`
	Tags     []string  `json:"camera_tags,omitempty"`
	Epoch    time.Time `json:"epoch"` // wall-clock time of the stream epoch's first frame
	Sequence uint64    `json:"sequence"`
	Start    time.Time `json:"start"` // of the window, wall-clock time
	End      time.Time `json:"end"`
	Clip     RecordRef `json:"clip"` // position of the clip's record
	// Labels are those with the highest scores, and those that a rule for the camera
	// names (topic watched); highest score first. After them come the labels of zones that
	// rules name, each with what was seen in its zone alone.
	Labels     []LabelScore  `json:"labels"`
	Background float64       `json:"background_score"` // sum of the scores of all background labels; of several views the lowest
	Embedding  Float16Vector `json:"embedding"`        // mean of the frames' unit embeddings, of the first view
	First      Float16Vector `json:"embedding_first3"` // mean of the first three frames'
	Last       Float16Vector `json:"embedding_last3"`  // mean of the last three frames'
	Model      string        `json:"model_id"`         // hash of the weights
	// LogitScale is the model's factor for similarities before the softmax; it is
	// needed to score a recorded embedding again. Records of older versions have 0.
	LogitScale float64 `json:"logit_scale,omitempty"`
	// References is what contrasts were taken against; nil: the labels have none.
	References *References `json:"references,omitempty"`
	// Views are the squares of the picture that were seen. None: the camera names no
	// views, and the square in the middle alone was seen.
	Views []SeenView `json:"views,omitempty"`
	// Quiet is whether nothing happened in the window (Clip.Quiet). Then EmbeddedAs may be
	// the id of an earlier clip of the same quiet spell, whose embedding this is: of those,
	// the model sees one in infer.quiet_every.
	Quiet      bool     `json:"quiet,omitempty"`
	EmbeddedAs string   `json:"embedded_as,omitempty"`
	Vocab      VocabRef `json:"vocabulary"` // the one that was scored against
	Timings    Timings  `json:"timings_ms"`
}

// References are the fixed texts that contrasts are taken against, as far as they
// are needed to score a recorded embedding again.
type References struct {
	Hash string `json:"hash"` // of the texts, in their order
	// Logit is the natural logarithm of the sum, over all reference texts, of e to
	// the power of logit_scale times the clip's similarity to the text.
	Logit float64 `json:"logit"`
}

// RecordRef is the position of a record.
type RecordRef struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Offset    int64  `json:"offset"`
}

// VocabRef names a vocabulary and its exact content.
type VocabRef struct {
	Name    string `json:"name"`
	Version string `json:"version"` // hash of the content
}

// LabelScore is one label's result for a clip. Of several views it is that of the one
// with the label's highest contrast; without references, of the highest score.
type LabelScore struct {
	Label string `json:"label"`
	// Similarity is the dot product of the clip's embedding and the label's; Score
	// is its softmax over the vocabulary, in which labels that say the same to the
	// model count once.
	Similarity float64 `json:"similarity"`
	Score      float64 `json:"score"`
	// Contrast is the label's softmax against the reference texts alone, without
	// those that are too close to the label: other labels do not change it. Absent,
	// and 0, where Recognition.References is nil.
	Contrast float64 `json:"contrast,omitempty"`
	// View is the index in Recognition.Views of the view that these are of; absent: 0.
	View int `json:"view,omitempty"`
	// Zone is the zone that the values are of; nil: they are of the whole picture.
	Zone       *ZoneRef `json:"zone,omitempty"`
	Tags       []string `json:"tags,omitempty"`
	Background bool     `json:"background,omitempty"`
	// Threshold is the label's own in the vocabulary, for rules without a score to
	// raise at; 0: none.
	Threshold float64 `json:"threshold,omitempty"`
	// Novel labels are not among the model's base classes. NearestBase is the base
	// class whose embedding is most similar to the label's.
	Novel             bool    `json:"novel"`
	NearestBase       string  `json:"nearest_base,omitempty"`
	NearestSimilarity float64 `json:"nearest_similarity,omitempty"`
}

// MaxLabels bounds the labels of a recognition; infer.top_k is at most as large.
const MaxLabels = 1000

// Timings say where the time went, in milliseconds.
type Timings struct {
	Queue  float64 `json:"queue"`  // from when the clip was cut until infer read it, by the broker's clock
	Decode float64 `json:"decode"` // JPEG decoding, resizing and cropping
	Model  float64 `json:"model"`  // the model's run, for the whole batch; of a clip whose views are in several, all of them
	Score  float64 `json:"score"`
	Batch  int     `json:"batch"` // number of squares in the run: of each clip one for each of its views; in the largest of several
}

// ID is the CloudEvents id, which is the clip's: if infer recognises a clip again
// after a crash, perhaps with a newer vocabulary, the event has the same id.
func (r Recognition) ID() string { return r.ClipID }

// EncodeRecognition makes the CloudEvents record. It refuses what readers would
// refuse.
func EncodeRecognition(r Recognition) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("encode recognition %.80q: %w", r.ClipID, err)
	}
	return encodeEvent(TypeRecognition, r.ID(), r.Camera, r.End, r)
}

// DecodeRecognition parses and validates a record of the actions topic.
func DecodeRecognition(b []byte) (Recognition, error) {
	var r Recognition
	if err := decodeEvent(b, &r, recognitionBounds, TypeRecognition); err != nil {
		return Recognition{}, err
	}
	if err := r.Validate(); err != nil {
		return Recognition{}, fmt.Errorf("decode recognition %.80q: %w", r.ClipID, err)
	}
	return r, nil
}

// Validate checks everything that readers rely on. Anyone may write records.
func (r Recognition) Validate() error {
	if err := r.ValidateCamera(); err != nil {
		return err
	}
	for i := range r.Labels {
		if err := r.Labels[i].Validate(); err != nil {
			return err
		}
	}
	return r.ValidateClip()
}

// ValidateCamera is the part of Validate about what clips of one camera have in common.
func (r *Recognition) ValidateCamera() error {
	switch {
	case !cameraName.MatchString(r.Camera):
		return fmt.Errorf("camera %.80q is not a camera name", r.Camera)
	case !areTags(r.Tags):
		return errBadTags
	case r.References != nil && !isID(r.References.Hash):
		return fmt.Errorf("references: want a hash of at most %d bytes of printable text", maxID)
	}
	return checkIDs(map[string]string{
		"model_id": r.Model, "vocabulary name": r.Vocab.Name, "vocabulary version": r.Vocab.Version,
	})
}

// ValidateClip is the part of Validate that clips of one camera differ in: the clip's
// id, its window and the labels' values, not their names. It takes no time to speak of.
func (r *Recognition) ValidateClip() error {
	switch {
	case !isTopic(r.Clip.Topic):
		return fmt.Errorf("clip: %w", errBadTopic)
	case !isID(r.ClipID):
		return fmt.Errorf("clip_id: want 1 to %d bytes of printable text", maxID)
	case r.Start.IsZero() || !r.End.After(r.Start):
		return fmt.Errorf("window from %v to %v", r.Start, r.End)
	case len(r.Labels) > MaxLabels:
		return fmt.Errorf("labels: %d elements, want at most %d", len(r.Labels), MaxLabels)
	case len(r.Views) > maxSeenViews:
		return fmt.Errorf("views: %d elements, want at most %d", len(r.Views), maxSeenViews)
	case r.EmbeddedAs != "" && !isID(r.EmbeddedAs):
		return fmt.Errorf("embedded_as: want at most %d bytes of printable text", maxID)
	case r.References != nil && (math.IsNaN(r.References.Logit) || math.IsInf(r.References.Logit, 0)):
		return fmt.Errorf("references: logit %v: want a finite one", r.References.Logit)
	}
	for i := range r.Views {
		if err := r.Views[i].validate(); err != nil {
			return err
		}
	}
	for i := range r.Labels {
		l := &r.Labels[i]
		if l.View < 0 || l.View >= max(len(r.Views), 1) {
			return fmt.Errorf("label %.80q: view %d of %d", l.Label, l.View, len(r.Views))
		}
		if err := l.validateValues(); err != nil {
			return err
		}
	}
	return nil
}

// SeenIn is the view that the result is of, of those of its recognition; nil where it
// names none.
func (l *LabelScore) SeenIn(views []SeenView) *SeenView {
	if l.View < 0 || l.View >= len(views) {
		return nil
	}
	return &views[l.View]
}

// Validate refuses the name and the like of a label that no alert could carry; its
// values are checked with the recognition.
func (l *LabelScore) Validate() error {
	switch {
	case !isID(l.Label):
		return fmt.Errorf("label %.80q: want 1 to %d bytes of printable text", l.Label, maxID)
	case len(l.Tags) > maxTags:
		return fmt.Errorf("label %q: %d tags, want at most %d", l.Label, len(l.Tags), maxTags)
	case l.NearestBase != "" && !isID(l.NearestBase):
		return fmt.Errorf("label %q: nearest_base: want at most %d bytes of printable text", l.Label, maxID)
	}
	return l.Zone.check()
}

// check checks all of a label.
func (l *LabelScore) check() error {
	if err := l.Validate(); err != nil {
		return err
	}
	return l.validateValues()
}

// validateValues is asked of each label of the past, and so is short enough to need no call.
func (l *LabelScore) validateValues() error {
	if l.Score >= 0 && l.Score <= 1 && l.Contrast >= 0 && l.Contrast <= 1 && l.Similarity-l.Similarity == 0 {
		return nil
	}
	return l.wrongValues()
}

func (l *LabelScore) wrongValues() error {
	switch {
	case math.IsNaN(l.Score) || l.Score < 0 || l.Score > 1:
		return fmt.Errorf("label %.80q: score %v: want 0 to 1", l.Label, l.Score)
	case math.IsNaN(l.Contrast) || l.Contrast < 0 || l.Contrast > 1:
		return fmt.Errorf("label %.80q: contrast %v: want 0 to 1", l.Label, l.Contrast)
	case math.IsNaN(l.Similarity) || math.IsInf(l.Similarity, 0):
		return fmt.Errorf("label %.80q: similarity %v", l.Label, l.Similarity)
	}
	return nil
}
