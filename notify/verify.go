package notify

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// Verify is notify.verify: a model that sees pictures, and is asked about alerts before
// they are delivered.
type Verify struct {
	URL     config.Secret            `yaml:"url"`     // without /chat/completions; secret: it may hold a token
	Key     config.Secret            `yaml:"key"`     // sent as a bearer token; empty: none
	Headers map[string]config.Secret `yaml:"headers"` // sent with each request
	Model   string                   `yaml:"model"`
	When    When                     `yaml:"when"`
	// Question is asked unless the alert's rule has one of its own; {label} is the alert's.
	Question string        `yaml:"question"`
	OnNo     string        `yaml:"on_no"`    // tell or hold; empty: tell
	Timeout  time.Duration `yaml:"timeout"`  // of an alert's delay; 0: 10 s
	Parallel int           `yaml:"parallel"` // questions at a time; 0: 4
	// Private allows private, local and link-local addresses.
	Private bool `yaml:"private"`
}

const (
	usualQuestion = "Does the picture show this: {label}?"
	onNoTell      = "tell"
	onNoHold      = "hold"
)

// Verifier asks for second opinions. nil asks for none.
type Verifier struct {
	Verify
	url     string
	secrets map[string]bool // that nothing may repeat
	client  *http.Client
}

// CompileVerify reads notify.verify of a configuration file; nil where it has no URL.
func CompileVerify(raw config.Raw) (*Verifier, error) {
	var v Verify
	part, err := raw.Decode(&v)
	if err != nil {
		return nil, err
	}
	if v.URL == "" && v.Model == "" && v.Key == "" {
		return nil, nil
	}
	v.OnNo, v.Question = cmp.Or(v.OnNo, onNoTell), cmp.Or(v.Question, usualQuestion)
	v.Timeout, v.Parallel = cmp.Or(v.Timeout, 10*time.Second), cmp.Or(v.Parallel, 4)
	u, err := url.Parse(v.URL.Reveal())
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		part.WrongAt("", "url", "url: want http://host/path or https://host/path, such as https://api.example.com/v1")
		return nil, part.Err()
	}
	if strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/chat/completions") {
		part.WrongAt("", "url", "url: want it without /chat/completions, which is appended")
	}
	for _, err := range v.check() {
		key, text, _ := strings.Cut(err.Error(), ": ")
		part.WrongAt("", key, key+": "+strings.ReplaceAll(text, "\n", "; "))
	}
	if err := part.Err(); err != nil {
		return nil, err
	}
	return &Verifier{
		Verify: v, url: u.JoinPath("chat", "completions").String(), secrets: secretsOf(u, v.Headers, v.Key), client: newHTTPClient(v.Timeout, v.Private),
	}, nil
}

// check returns what is wrong with the keys but url; each error begins with the key.
func (v Verify) check() (errs []error) {
	if v.Model == "" || len(v.Model) > 200 || !topics.Printable(v.Model) {
		errs = append(errs, errors.New("model: want the name of a model that takes pictures"))
	}
	if err := v.When.check(); err != nil {
		errs = append(errs, err)
	}
	if err := cmp.Or(topics.CheckQuestion(v.Question), topics.CheckPlaceholders(v.Question)); err != nil {
		errs = append(errs, fmt.Errorf("question: %w", err))
	}
	if v.OnNo != onNoTell && v.OnNo != onNoHold {
		errs = append(errs, fmt.Errorf("on_no: %q: want tell or hold", v.OnNo))
	}
	if v.Timeout < 100*time.Millisecond || v.Timeout > attemptTime {
		errs = append(errs, fmt.Errorf("timeout: %v: want 100ms to %v", v.Timeout, attemptTime))
	}
	if v.Parallel < 1 || v.Parallel > 100 {
		errs = append(errs, fmt.Errorf("parallel: %d: want 1 to 100", v.Parallel))
	}
	return errs
}

// Same is whether both ask the same.
func (v *Verifier) Same(o *Verifier) bool {
	if v == nil || o == nil {
		return v == o
	}
	return reflect.DeepEqual(v.Verify, o.Verify)
}

// asks is whether a second opinion is asked about an alert: one that is raised, has
// pictures, and is not about what they do not show, unless its rule has a question.
func (v *Verifier) asks(a topics.Alert) bool {
	return v != nil && a.State == topics.AlertRaised && a.Evidence != nil && (!a.Absent || a.Verify != "") && v.When.chooses(a)
}

// holds is whether an alert of which that is said is kept from people.
func (v *Verifier) holds(said topics.Verdict) bool {
	return v != nil && v.OnNo == onNoHold && said.Says == topics.SaysNo
}

// question is what is asked about an alert.
func (v *Verifier) question(a topics.Alert) string {
	return short(a.Question(v.Question), topics.MaxQuestion)
}

// verdict is one on an alert that holds only why nothing is known.
func (v *Verifier) verdict(a topics.Alert, why string) topics.Verdict {
	return topics.Verdict{
		Alert: a.ID, Camera: a.Camera, Rule: a.Rule, Says: topics.SaysUnverified, Reason: short(why, maxReason),
		Question: v.question(a), Model: v.Model, At: time.Now().UTC(),
	}
}

// deadline is how old an alert may be when it is delivered without a verdict. The one
// that is asked for has Timeout; the rest is for its way over Kafka.
func (v *Verifier) deadline() time.Duration { return v.Timeout + 2*time.Second }

// short makes a text fit to be shown, and no longer than so many bytes.
func short(text string, most int) string {
	if text = topics.Clean(text); len(text) > most {
		text = strings.ToValidUTF8(text[:most-len("…")], "") + "…"
	}
	return text
}
