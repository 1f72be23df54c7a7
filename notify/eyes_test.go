package notify

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/frostwatch/frostwatch/internal/config"
	own "github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

// eyes is a server with the API of a model that sees pictures.
type eyes struct {
	*httptest.Server
	mu        sync.Mutex
	questions []string
	wrong     []string // what a model could not have understood
	// answer writes the answer to a question; nil: yes.
	answer func(w http.ResponseWriter, r *http.Request, question string)
}

func startEyes(t testing.TB) *eyes {
	t.Helper()
	e := &eyes{}
	e.Server = httptest.NewServer(http.HandlerFunc(e.serve))
	t.Cleanup(func() {
		e.CloseClientConnections() // of those that hang
		e.Close()
	})
	return e
}

func (e *eyes) serve(w http.ResponseWriter, r *http.Request) {
	question, err := asked(r)
	e.mu.Lock()
	e.questions = append(e.questions, question)
	if err != nil {
		e.wrong = append(e.wrong, err.Error())
	}
	answer := e.answer
	e.mu.Unlock()
	if answer == nil {
		says(w, `{"verdict": "yes", "reason": "a person lies on the floor"}`)
		return
	}
	answer(w, r, question)
}

// asked is the question of a request, which has to have a JPEG.
func asked(r *http.Request) (string, error) {
	var body struct {
		Model    string
		Messages []message
	}
	b, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(b, &body)
	}
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/chat/completions" || body.Model != "eyes-7b" || len(body.Messages) != 2 || len(body.Messages[1].Content) != 2 {
		return "", fmt.Errorf("%s %s, %w: %.300s", r.Method, r.URL, err, b)
	}
	question, picture := body.Messages[1].Content[0].Text, body.Messages[1].Content[1]
	data, is := strings.CutPrefix(picture.Image.URL, "data:image/jpeg;base64,")
	raw, err := base64.StdEncoding.DecodeString(data)
	if err == nil {
		_, err = jpeg.DecodeConfig(bytes.NewReader(raw))
	}
	if err != nil || !is || picture.Type != "image_url" || body.Messages[0].Role != "system" || body.Messages[1].Role != "user" {
		return question, fmt.Errorf("%w: %.300s", err, b)
	}
	return strings.TrimPrefix(question, "The question, as JSON: "), nil
}

// says answers with what a model has written.
func says(w io.Writer, text string) {
	quoted, _ := json.Marshal(text) // of a string: never fails
	_, _ = fmt.Fprintf(w, `{"id": "1", "object": "chat.completion", "choices": [{"index": 0, "message": {"role": "assistant", "content": %s}, "finish_reason": "stop"}], "usage": {"total_tokens": 9}}`, quoted)
}

// was are the questions so far.
func (e *eyes) was(t testing.TB) []string {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, w := range e.wrong {
		t.Errorf("asked wrongly: %s", w)
	}
	return append([]string(nil), e.questions...)
}

func (e *eyes) answers(with func(w http.ResponseWriter, r *http.Request, question string)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = with
}

// verifier compiles notify.verify for the server, with further keys.
func (e *eyes) verifier(t testing.TB, keys string) *Verifier {
	t.Helper()
	raw, err := config.RawOf("verify", []byte(fmt.Sprintf("{url: %q, model: eyes-7b, private: true, %s}", e.URL+"/v1", keys)))
	if err != nil {
		t.Fatal(err)
	}
	v, err := CompileVerify(raw)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// clips is an Evidence that has pictures of every alert.
func clips(t testing.TB) func(context.Context, topics.Alert) (topics.Clip, error) {
	t.Helper()
	e, err := own.NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	picture, err := e.Encode(make([]byte, 3*64*48), 64, 48, 90, own.Full)
	if err != nil {
		t.Fatal(err)
	}
	picture = bytes.Clone(picture)
	return func(_ context.Context, a topics.Alert) (topics.Clip, error) {
		return topics.Clip{ID: a.Clip, Width: 64, Height: 48, Frames: []topics.ClipFrame{{JPEG: picture}, {JPEG: picture}}}, nil
	}
}

// pictured is an alert that has pictures.
func pictured(camera string, n int, state topics.AlertState) topics.Alert {
	a := alert(camera, n, state)
	a.Evidence = &topics.RecordRef{}
	return a
}

// seeing is a stage that runs and asks the server, with further keys of notify.verify.
func (b broker) seeing(t *testing.T, p *Plan, e *eyes, keys string) *running {
	t.Helper()
	b.evidence, b.verifier = clips(t), e.verifier(t, keys)
	r := b.run(t, p, 1)
	await(t, "partitions of the asker", func() bool {
		at, err := b.CommittedOffsets(t.Context(), GroupOf("notify", askerName), names.Of(topics.Alerts))
		return err == nil && len(at) == 1
	})
	return r
}
