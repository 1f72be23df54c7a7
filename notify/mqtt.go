package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/pause"
)

// MQTT is a broker of MQTT 5, from which Home Assistant learns of cameras and rules by
// its discovery (discovery.go).
type MQTT struct {
	URL      string        `yaml:"url"` // mqtt://host:1883 or mqtts://host:8883
	Username string        `yaml:"username"`
	Password config.Secret `yaml:"password"`
	TLS      config.TLS    `yaml:"tls"`
	// Topic begins the topics of alerts, Discovery those of Home Assistant's discovery.
	Topic     string        `yaml:"topic"`     // empty: frostwatch
	Discovery string        `yaml:"discovery"` // empty: homeassistant
	Timeout   time.Duration `yaml:"timeout"`   // until a broker has accepted something; 0: 10 s
	Private   bool          `yaml:"private"`   // allows private, local and link-local addresses
}

// mqtt is connected while Show runs.
type mqtt struct {
	MQTT
	pictures bool // one of each alert, which the broker keeps until the next one
	address  string
	secure   bool
	topics   haTopics

	mu      sync.Mutex
	link    *mqttLink     // nil: not connected
	why     error         // why not
	changed chan struct{} // closed when the link has changed
	// sensors are the states that are known, by topic: published, or found on the broker.
	sensors map[string]sensorState
}

var mqttPrefix = regexp.MustCompile(`^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$`)

func newMQTT(c MQTT, pictures bool) (Sender, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Path != "" || u.Scheme != "mqtt" && u.Scheme != "mqtts" {
		return nil, errors.New("mqtt.url: want mqtt://host:1883 or mqtts://host:8883, and username and password as keys of their own")
	}
	if c.Username == "" && c.Password != "" {
		return nil, errors.New("mqtt.password: want a username too")
	}
	if u.Scheme == "mqtt" && c.TLS != (config.TLS{}) {
		return nil, errors.New("mqtt.tls: want a URL with mqtts://")
	}
	c.Topic, c.Discovery, c.Timeout = cmp.Or(c.Topic, "frostwatch"), cmp.Or(c.Discovery, "homeassistant"), cmp.Or(c.Timeout, 10*time.Second)
	if c.Timeout < 100*time.Millisecond || c.Timeout > attemptTime {
		return nil, fmt.Errorf("mqtt.timeout: %v: want 100ms to %v", c.Timeout, attemptTime)
	}
	for key, prefix := range map[string]string{"topic": c.Topic, "discovery": c.Discovery} {
		if len(prefix) > 200 || !mqttPrefix.MatchString(prefix) {
			return nil, fmt.Errorf("mqtt.%s: %.80q: want letters, digits, '.', '_' and '-', and '/' between them", key, prefix)
		}
	}
	port := map[string]string{"mqtt": "1883", "mqtts": "8883"}[u.Scheme]
	return &mqtt{
		MQTT: c, pictures: pictures, address: net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port)), secure: u.Scheme == "mqtts",
		topics: haTopics{c.Topic, c.Discovery}, changed: make(chan struct{}), sensors: map[string]sensorState{},
		why: errors.New("not connected yet"),
	}, nil
}

// Send publishes events. They are accepted when the broker has acknowledged them.
func (m *mqtt) Send(ctx context.Context, n Notification) error {
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	l, err := m.connected(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", m.address, err)
	}
	for _, e := range n.Events {
		place := cameraOf(e.Alert)
		if !n.test {
			if err := l.announce(ctx, m.topics.event(place, l.status)); err != nil {
				return fmt.Errorf("%s: %w", m.address, err)
			}
		}
		kind := string(e.Alert.State)
		if e.Key == e.Alert.ID+filmSuffix {
			kind = filmEvent
		}
		body, err := json.Marshal(haEvent{Type: kind, Event: e})
		if err != nil {
			return err
		}
		if err := l.publish(ctx, m.topics.eventTopic(place), body, false); err != nil {
			return fmt.Errorf("%s: %w", m.address, err)
		}
		if n.test {
			continue
		}
		// Of an alert that was open for so short a time that nobody saw it in the table there is
		// a sensor, too.
		s := sensorOn(e)
		m.note(m.topics.state(s), s, false)
		l.wake()
		if m.pictures && e.evidence != nil {
			m.showPicture(ctx, l, e)
		}
	}
	return nil
}

// showPicture publishes the picture of an event that has been delivered. Where that
// fails, the event is not delivered again for it.
func (m *mqtt) showPicture(ctx context.Context, l *mqttLink, e Event) {
	clip, err := e.evidence(ctx)
	if err != nil || len(clip.Frames) == 0 { // which was logged
		return
	}
	jpeg := clip.Frames[len(clip.Frames)/2].JPEG // the ends may show nothing yet, or no more
	camera := cameraOf(e.Alert)
	if err := l.announce(ctx, m.topics.picture(camera, l.status)); err == nil {
		_ = l.publish(ctx, m.topics.pictureTopic(camera), jpeg, true)
	}
}

// connected waits for a connection.
func (m *mqtt) connected(ctx context.Context) (*mqttLink, error) {
	for {
		m.mu.Lock()
		l, why, changed := m.link, m.why, m.changed
		m.mu.Unlock()
		if l != nil {
			return l, nil
		}
		select {
		case <-ctx.Done():
			return nil, why
		case <-changed:
		}
	}
}

// use replaces the link; nil for why there is none.
func (m *mqtt) use(l *mqttLink, why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.link, m.why = l, why
	close(m.changed)
	m.changed = make(chan struct{})
}

// Show holds a connection, and keeps the sensors right.
func (m *mqtt) Show(ctx context.Context, v View) {
	for tries := 1; ; tries++ {
		begun := time.Now()
		err := m.session(ctx, v)
		m.use(nil, err)
		if ctx.Err() != nil {
			return
		}
		v.Report(fmt.Errorf("%s: %w", m.address, err))
		if time.Since(begun) > longWait {
			tries = 1
		}
		if !pause.For(ctx, pause.Backoff(firstWait/4, longWait/4, tries)) {
			return
		}
	}
}

// session is one connection, until it is lost or ctx ends.
func (m *mqtt) session(ctx context.Context, v View) error {
	l, err := m.dial(ctx, v.Name)
	if err != nil {
		return err
	}
	defer l.close()
	if err := l.begin(ctx); err != nil {
		return err
	}
	m.use(l, nil)
	for {
		_, _, changed := v.Open()
		err := m.sync(ctx, l, v)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		v.Report(nil)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-l.lost:
			return err
		case <-l.found:
		case <-changed:
		}
	}
}

// sync publishes the sensors that this worker is in charge of and whose state on the
// broker is not known to be right.
func (m *mqtt) sync(ctx context.Context, l *mqttLink, v View) error {
	if err := l.forget(ctx); err != nil {
		return err
	}
	open, known, _ := v.Open()
	if !known {
		return nil
	}
	want := map[string]sensorState{}
	for _, e := range open {
		s := sensorOn(e)
		want[m.topics.state(s)] = s
	}
	m.mu.Lock()
	sensors := maps.Clone(m.sensors)
	m.mu.Unlock()
	for topic, s := range sensors {
		if _, is := want[topic]; !is && v.Holds(ctx, cmp.Or(s.Camera, s.Rule)) {
			s.State = "OFF"
			want[topic] = s
		}
	}
	maps.DeleteFunc(l.shown, func(topic string, _ sensorState) bool { _, is := want[topic]; return !is })
	for _, topic := range slices.Sorted(maps.Keys(want)) {
		s := want[topic]
		if l.shown[topic] == s {
			continue
		}
		if err := m.show(ctx, l, topic, s); err != nil {
			return err
		}
		l.shown[topic] = s
	}
	return nil
}

// show announces a sensor and publishes its state.
func (m *mqtt) show(ctx context.Context, l *mqttLink, topic string, s sensorState) error {
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	m.note(topic, s, true)
	all := []announcement{m.topics.event(s.Camera, l.status), m.topics.sensor(s, l.status)}
	if m.pictures {
		all = append(all, m.topics.picture(s.Camera, l.status))
	}
	for _, d := range all {
		if err := l.announce(ctx, d); err != nil {
			return err
		}
	}
	return l.publish(ctx, topic, body, true)
}

// note keeps a sensor's state; own: one that is published here.
func (m *mqtt) note(topic string, s sensorState, own bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.sensors[topic]; own || known || len(m.sensors) < maxOpen {
		m.sensors[topic] = s
	}
}
