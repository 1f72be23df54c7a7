package notify

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// Alertmanager is one of Prometheus, by its API v2.
type Alertmanager struct {
	URL     config.Secret            `yaml:"url"` // without /api/v2; may hold user and password
	Headers map[string]config.Secret `yaml:"headers"`
	Labels  map[string]string        `yaml:"labels"`  // of each alert, beside its own
	Resend  time.Duration            `yaml:"resend"`  // how often open alerts are sent again; 0: a minute
	Timeout time.Duration            `yaml:"timeout"` // of a request; 0: 10 s
	Private bool                     `yaml:"private"` // allows private, local and link-local addresses
}

const (
	// missed is how many resends may be missed until Alertmanager takes an alert for
	// over: four, as with Prometheus.
	missed = 4
	// maxPosted is how many alerts are in one request.
	maxPosted = 500
)

type alertmanager struct {
	Alertmanager
	url     string
	secrets map[string]bool // that no error may hold
	client  *http.Client
	now     func() time.Time

	mu sync.Mutex // held while alerts are sent, so that none is sent as open after its end
	// over are the ids of alerts whose end was sent, while they are still in the table.
	over map[string]bool
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,63}$`)

func newAlertmanager(a Alertmanager) (Sender, error) {
	u, err := url.Parse(a.URL.Reveal())
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("alertmanager.url: want http://host:9093 or https://host")
	}
	a.Resend, a.Timeout = cmp.Or(a.Resend, time.Minute), cmp.Or(a.Timeout, 10*time.Second)
	if a.Resend < 100*time.Millisecond || a.Resend > time.Hour {
		return nil, fmt.Errorf("alertmanager.resend: %v: want 100ms to 1h", a.Resend)
	}
	if a.Timeout < 100*time.Millisecond || a.Timeout > attemptTime {
		return nil, fmt.Errorf("alertmanager.timeout: %v: want 100ms to %v", a.Timeout, attemptTime)
	}
	for name, value := range a.Labels {
		if !labelName.MatchString(name) || value == "" || !topics.Printable(value) || slices.Contains([]string{"alertname", "camera", "severity"}, name) {
			return nil, fmt.Errorf("alertmanager.labels: %q: %q: want letters, digits and '_', no alertname, camera or severity, and a value that can be printed", name, value)
		}
	}
	return &alertmanager{
		Alertmanager: a, url: u.JoinPath("/api/v2/alerts").String(), secrets: secretsOf(u, a.Headers), client: newHTTPClient(a.Timeout, a.Private), now: time.Now, over: map[string]bool{},
	}, nil
}

func (a *alertmanager) useClock(now func() time.Time) { a.now = now }

// Send sends what has happened.
func (a *alertmanager) Send(ctx context.Context, n Notification) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []posted
	for _, e := range n.Events {
		switch e.Alert.State {
		case topics.AlertCleared:
			a.end(e.Alert.ID)
			all = append(all, a.posted(e, e.Alert.Severity, e.Alert.At))
			continue
		case topics.AlertEscalated:
			// To Alertmanager one of another severity is another alert.
			for _, lower := range topics.Severities()[:max(topics.SeverityRank(e.Alert.Severity), 0)] {
				all = append(all, a.posted(e, lower, e.Alert.At))
			}
		}
		all = append(all, a.posted(e, e.Alert.Severity, a.now().Add(missed*a.Resend)))
	}
	return a.post(ctx, all)
}

// end notes that an alert is over.
func (a *alertmanager) end(id string) {
	if len(a.over) >= maxOpen { // of the table: none of them is needed
		clear(a.over)
	}
	a.over[id] = true
}

// Show sends the open alerts again and again.
func (a *alertmanager) Show(ctx context.Context, v View) {
	tick := time.NewTicker(a.Resend)
	defer tick.Stop()
	for begun := false; ; {
		open, known, changed := v.Open()
		if known && len(open) > 0 {
			v.Report(a.resend(ctx, open))
			begun = true
		} else if known {
			v.Report(nil)
		}
		if begun { // what is new is sent by Send
			changed = nil
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-changed:
		}
	}
}

func (a *alertmanager) resend(ctx context.Context, open []Event) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []posted
	still := map[string]bool{}
	for _, e := range open {
		if a.over[e.Alert.ID] { // the table will follow
			still[e.Alert.ID] = true
			continue
		}
		all = append(all, a.posted(e, e.Alert.Severity, a.now().Add(missed*a.Resend)))
	}
	a.over = still
	var refused error // some, which does not keep the others from being shown
	for some := range slices.Chunk(all, maxPosted) {
		switch err := a.post(ctx, some); {
		case errors.Is(err, ErrRefused):
			refused = err
		case err != nil:
			return err
		}
	}
	return refused
}

func (a *alertmanager) post(ctx context.Context, all []posted) error {
	body, err := json.Marshal(all)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("make the request: the URL is wrong")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "frostwatch")
	for name, value := range a.Headers {
		req.Header.Set(name, value.Reveal())
	}
	return post(a.client, req, a.secrets)
}

// posted is a postableAlert of Alertmanager's api/v2/openapi.yaml.
type posted struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
}

// posted makes an alert that is open until a time. Its labels, by which Alertmanager
// knows it again, are only what is the same in all records of the alert: what was seen
// may differ from raise to clear.
func (a *alertmanager) posted(e Event, severity string, until time.Time) posted {
	p := posted{
		Labels:      map[string]string{"alertname": e.Alert.Rule, "severity": severity},
		Annotations: map[string]string{"summary": e.Text, "label": e.Alert.Label, "alert_id": e.Alert.ID},
		StartsAt:    e.Alert.Onset, EndsAt: until,
	}
	for name, value := range a.Labels {
		p.Labels[name] = value
	}
	if len(e.Alert.Cameras) == 0 {
		p.Labels["camera"] = e.Alert.Camera
	} else {
		p.Annotations["cameras"] = strings.Join(e.Alert.Cameras[:min(len(e.Alert.Cameras), 20)], " ")
	}
	if len(e.Alert.Tags) > 0 {
		p.Annotations["camera_tags"] = strings.Join(e.Alert.Tags, " ")
	}
	if v := e.Alert.Value(); v != 0 {
		p.Annotations["measure"], p.Annotations["value"] = measure(e.Alert), strconv.FormatFloat(v, 'f', 3, 64)
	}
	if e.FilmAt != "" {
		p.Annotations["film"] = e.FilmAt
	}
	if e.Verdict.Says != "" {
		p.Annotations["second_opinion"] = e.Verdict.String()
	}
	if !p.EndsAt.After(p.StartsAt) { // which is refused
		p.EndsAt = p.StartsAt.Add(time.Millisecond)
	}
	return p
}
