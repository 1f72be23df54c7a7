package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/topics"
)

// mqttServer is a real broker, with the user frostwatch, who may publish what we publish.
type mqttServer struct {
	address string
	args    []string
}

const brokersUser, brokersPassword = "frostwatch", "s3cret"

func startMQTT(t *testing.T, more ...string) *mqttServer {
	t.Helper()
	dir := t.TempDir()
	port := redistest.FreePort(t)
	users := filepath.Join(dir, "users")
	if err := os.WriteFile(users, []byte(brokersUser+":"+brokersPassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	runProgram(t, "mosquitto_passwd", "-U", users)
	lines := append([]string{
		fmt.Sprintf("listener %d 127.0.0.1", port), "allow_anonymous false", "password_file " + users, "user root",
		"persistence false", // what is retained is lost with the broker
	}, more...)
	file := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return &mqttServer{address: fmt.Sprintf("127.0.0.1:%d", port), args: []string{"-c", file}}
}

// start starts the broker and returns what kills it.
func (m *mqttServer) start(t *testing.T) (kill func()) {
	t.Helper()
	kill = startServer(t, "mosquitto", m.args...)
	await(t, "the broker", func() bool {
		c, err := net.DialTimeout("tcp", m.address, time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return kill
}

func (m *mqttServer) receiver(more string) string {
	return fmt.Sprintf("- {name: ha, mqtt: {url: 'mqtt://%s', username: %s, password: %s, private: true%s}}", m.address, brokersUser, brokersPassword, more)
}

// homeAssistant listens as Home Assistant does: to all that is retained, and what comes.
type homeAssistant struct {
	mu       sync.Mutex
	retained map[string]string // by topic: the last message
	events   []string          // of the topics of events
}

func listen(t *testing.T, m *mqttServer) *homeAssistant {
	t.Helper()
	h := &homeAssistant{retained: map[string]string{}}
	conn, err := net.Dial("tcp", m.address)
	if err != nil {
		t.Fatal(err)
	}
	client := paho.NewClient(paho.ClientConfig{Conn: conn, OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if strings.HasSuffix(p.Packet.Topic, "/event") {
			h.events = append(h.events, string(p.Packet.Payload))
		} else if h.retained[p.Packet.Topic] = string(p.Packet.Payload); len(p.Packet.Payload) == 0 {
			delete(h.retained, p.Packet.Topic)
		}
		return true, nil
	}}})
	if _, err := client.Connect(t.Context(), &paho.Connect{ClientID: "ha", CleanStart: true, KeepAlive: 30, Username: brokersUser, UsernameFlag: true, Password: []byte(brokersPassword), PasswordFlag: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.Disconnect(&paho.Disconnect{}) // the broker may be gone
		<-client.Done()
	})
	if _, err := client.Subscribe(t.Context(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "#", QoS: 1}}}); err != nil {
		t.Fatal(err)
	}
	return h
}

// state is what Home Assistant would show for a rule on a camera: ON, OFF, unavailable,
// or nothing where it knows no such sensor.
func (h *homeAssistant) state(camera, rule string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for topic, text := range h.retained {
		var config haEntity
		if !strings.HasPrefix(topic, "homeassistant/binary_sensor/") || json.Unmarshal([]byte(text), &config) != nil || config.Name != rule || config.Device.Name != camera {
			continue
		}
		var state sensorState
		if h.retained[config.AvailabilityTopic] != "online" || json.Unmarshal([]byte(h.retained[config.StateTopic]), &state) != nil {
			return "unavailable"
		}
		return state.State
	}
	return ""
}

func (h *homeAssistant) await(t *testing.T, camera, rule, state string) {
	t.Helper()
	await(t, fmt.Sprintf("%s of %s on %s", state, rule, camera), func() bool { return h.state(camera, rule) == state })
}

func (h *homeAssistant) awaitEvents(t *testing.T, n int) []string {
	t.Helper()
	await(t, fmt.Sprintf("%d events", n), func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.events) >= n })
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events)
}

func TestHomeAssistantShowsWhatIsOpen(t *testing.T) {
	b, m := startBroker(t, 2), startMQTT(t)
	kill := m.start(t)
	h := listen(t, m)
	b.evidence = func(_ context.Context, a topics.Alert) (c topics.Clip, _ error) {
		for i := range 8 {
			c.Frames = append(c.Frames, topics.ClipFrame{JPEG: fmt.Appendf(nil, "JPEG %d at %d", i, a.Evidence.Offset)})
		}
		return c, nil
	}
	p := plan(t, strings.TrimSuffix(m.receiver(""), "}")+", pictures: true, when: {severity: warning}}")
	r := b.run(t, p, 2)
	fall, other, info := alert("ward-1", 1, topics.AlertRaised), alert("ward-2", 1, topics.AlertRaised), alert("ward-3", 1, topics.AlertRaised)
	info.Severity = "info"
	fall.Evidence = &topics.RecordRef{Topic: names.Of(topics.Evidence), Offset: 7}
	for _, a := range []topics.Alert{fall, other, info} {
		b.send(t, a)
		b.list(t, a)
	}
	h.await(t, "ward-1", "fall", "ON")
	h.await(t, "ward-2", "fall", "ON")
	if got := h.state("ward-3", "fall"); got != "" {
		t.Errorf("an alert of no interest is %s", got)
	}
	var event struct {
		Type  string       `json:"event_type"`
		Key   string       `json:"key"`
		Text  string       `json:"text"`
		Alert topics.Alert `json:"alert"`
	}
	first := h.awaitEvents(t, 2)[0]
	if err := json.Unmarshal([]byte(first), &event); err != nil || event.Type != "raised" || event.Key != event.Alert.EventID() || event.Text == "" {
		t.Errorf("%v: event %s", err, first)
	}

	await(t, "the picture", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.retained["frostwatch/ward-1/picture"] == "JPEG 4 at 7"
	})

	fall.State = topics.AlertCleared
	b.send(t, fall)
	b.list(t, fall)
	h.await(t, "ward-1", "fall", "OFF")

	// The worker ends; what it missed is right once it is back, under another name.
	r.stop()
	h.await(t, "ward-2", "fall", "unavailable")
	other.State = topics.AlertCleared
	b.list(t, other)
	r = b.runAs(t, p, 2, "worker-2")
	h.await(t, "ward-2", "fall", "OFF")
	h.await(t, "ward-1", "fall", "OFF")
	await(t, "nothing left of the worker that is gone", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return len(slices.DeleteFunc(slices.Collect(maps.Keys(h.retained)), func(topic string) bool { return !strings.Contains(topic, "@workers") })) == 1
	})

	// The broker is lost with all that it retained.
	kill()
	r.reports.AwaitWarning(t, "receiver ha, what is open", m.address)
	missed := alert("ward-1", 2, topics.AlertRaised)
	b.send(t, missed)
	b.list(t, missed)
	m.start(t)
	h = listen(t, m)
	h.await(t, "ward-1", "fall", "ON")
	h.await(t, "ward-2", "fall", "OFF")
	if got := h.awaitEvents(t, 1); !strings.Contains(got[0], missed.ID) {
		t.Errorf("events %s", got)
	}
	r.reports.AwaitWarning(t, "receiver ha, what is open", "")
	if seen := h.matchesItsSchema(t); seen["binary_sensor"] != 2 || seen["event"] != 2 || seen["image"] != 2 {
		t.Errorf("announced %v", seen)
	}
}

// documented are the keys that Home Assistant documents, and what they hold, in
// source/_integrations of github.com/home-assistant/home-assistant.io (binary_sensor.mqtt
// at 04987cb, event.mqtt at 0271d54, image.mqtt at 045f4e6, mqtt at 00db44a). Those with a star are required,
// or, as unique_id is for devices, required together with something that we use.
var documented = map[string]map[string]string{
	"binary_sensor": {
		"availability_topic": "string", "device": "map", "device_class": "string", "json_attributes_topic": "string", "name": "string",
		"origin": "map", "qos": "integer", "state_topic*": "string", "unique_id*": "string", "value_template": "string",
	},
	"image": {
		"availability_topic": "string", "device": "map", "image_topic*": "string", "name": "string", "origin": "map", "unique_id*": "string",
	},
	"event": {
		"availability_topic": "string", "device": "map", "event_types*": "list", "name": "string",
		"origin": "map", "qos": "integer", "state_topic*": "string", "unique_id*": "string",
	},
}

func (h *homeAssistant) matchesItsSchema(t *testing.T) (seen map[string]int) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	// <discovery_prefix>/<component>/[<node_id>/]<object_id>/config
	shape := regexp.MustCompile(`^homeassistant/(binary_sensor|event|image)/[a-zA-Z0-9_-]+/config$`)
	seen = map[string]int{}
	ids := map[any]bool{}
	for topic, text := range h.retained {
		if !strings.HasPrefix(topic, "homeassistant/") {
			continue
		}
		parts := shape.FindStringSubmatch(topic)
		var payload map[string]any
		if parts == nil || json.Unmarshal([]byte(text), &payload) != nil {
			t.Errorf("%s: %s", topic, text)
			continue
		}
		seen[parts[1]]++
		if id := payload["unique_id"]; ids[id] {
			t.Errorf("the id %v is used twice", id)
		} else {
			ids[id] = true
		}
		keys := documented[parts[1]]
		for key, value := range payload {
			want := kindOf(keys, key)
			kind := map[string]string{"string": "string", "float64": "integer", "map[string]interface {}": "map", "[]interface {}": "list"}[fmt.Sprintf("%T", value)]
			if want != kind {
				t.Errorf("%s: %s is a %s, documented is %q", topic, key, kind, want)
			}
		}
		for key := range keys {
			if required, is := strings.CutSuffix(key, "*"); is && payload[required] == nil {
				t.Errorf("%s lacks %s", topic, required)
			}
		}
	}
	return seen
}

func kindOf(keys map[string]string, key string) string {
	if kind, some := keys[key+"*"]; some {
		return kind
	}
	return keys[key]
}

// A broker says whether it lets us publish: what it throws away is not delivered.
func TestWhatABrokerDoesNotAllowIsNotAccepted(t *testing.T) {
	rights := filepath.Join(t.TempDir(), "rights")
	if err := os.WriteFile(rights, []byte("user frostwatch\ntopic write frostwatch/@workers/#\ntopic read #\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := startMQTT(t, "acl_file "+rights)
	m.start(t)
	for _, c := range []struct{ name, text, want string }{
		{"no right", m.receiver(""), "the broker does not let us publish to frostwatch/test/event"},
		{"password", strings.Replace(m.receiver(", timeout: 1s"), brokersPassword, "wr0ng", 1), "the broker refuses the connection (code 0x87)"},
		{"private", strings.Replace(m.receiver(", timeout: 1s"), "private: true", "private: false", 1), errPrivate.Error()},
		{"down", "- {name: ha, mqtt: {url: 'mqtt://127.0.0.1:1', private: true, timeout: 1s}}", "connection refused"},
		{"no TLS", "- {name: ha, mqtt: {url: 'mqtts://" + m.address + "', private: true, timeout: 1s}}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // each waits for its time-out
			err := plan(t, c.text).Test(t.Context(), "ha", noon)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "wr0ng") || errors.Is(err, ErrRefused) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// Over TLS, with a certificate of an authority of one's own. A test announces nothing.
func TestMQTTOverTLS(t *testing.T) {
	certs := redistest.MakeCertificates(t)
	m := startMQTT(t, "cafile "+certs.CA, "certfile "+certs.ServerCert, "keyfile "+certs.ServerKey)
	m.start(t)
	text := strings.Replace(m.receiver(fmt.Sprintf(", timeout: 2s, tls: {ca: %s, server_name: %s}", certs.CA, redistest.ServerName)), "mqtt://", "mqtts://", 1)
	if err := plan(t, text).Test(t.Context(), "ha", noon); err != nil {
		t.Fatal(err)
	}
	if err := plan(t, strings.Replace(text, certs.CA, "/nonexistent", 1)).Test(t.Context(), "ha", noon); err == nil || !strings.Contains(err.Error(), "mqtt.tls.ca") {
		t.Error(err)
	}
}

// Names that would mean something in topics are replaced, and stay apart.
func TestNamesInTopics(t *testing.T) {
	topics := haTopics{"frostwatch", "homeassistant"}
	seen := map[string]bool{}
	for _, rule := range []string{"fall", "a/b", "a+b", "a#b", "a b", "stürzt", strings.Repeat("x", 300), strings.Repeat("x", 301)} {
		s := sensorState{Camera: "ward-1", Rule: rule}
		topic, a := topics.state(s), topics.sensor(s, "status")
		if seen[topic] || seen[a.topic] || strings.Count(topic, "/") != 3 || strings.ContainsAny(topic, "+# ") || len(topic) > 200 {
			t.Errorf("%s: %s", rule, topic)
		}
		seen[topic], seen[a.topic] = true, true
	}
	if one, other := topics.sensor(sensorState{Camera: "a", Rule: "b"}, ""), topics.sensor(sensorState{Rule: "a"}, ""); one.body.Device.Name != "a" || other.body.Device.Name != "all cameras" {
		t.Errorf("devices %v, %v", one.body.Device, other.body.Device)
	}
}

func runProgram(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s: deploy/setup.sh test installs it", name, err, out)
	}
}

// A broker that is killed again and again in a storm, with and without a disk of its own: in
// the end each sensor is as its alert is, each event has come at least once to those who
// listened, and a film's is of its own type.
func TestABrokerIsRestartedInAStorm(t *testing.T) {
	for _, persistence := range []string{"false", "true"} {
		t.Run("persistence "+persistence, func(t *testing.T) {
			t.Parallel() // it mostly waits
			b := startBroker(t, 2)
			m := startMQTT(t, "persistence_location "+t.TempDir()+"/", "autosave_interval 1")
			text, err := os.ReadFile(m.args[1])
			if err == nil {
				err = os.WriteFile(m.args[1], []byte(strings.Replace(string(text), "persistence false", "persistence "+persistence, 1)), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			kill := m.start(t)
			shelf := &filmShelf{films: map[string][]byte{}}
			b.films = shelf
			b.run(t, plan(t, strings.TrimSuffix(m.receiver(""), "}")+", film: true}"), 2)
			const cameras = 12
			last := map[string]topics.AlertState{}
			for n := range 120 {
				a := alert(fmt.Sprint("ward-", n%cameras), n/cameras/2, []topics.AlertState{topics.AlertRaised, topics.AlertCleared}[n/cameras%2])
				if n >= 108 && n%2 == 1 { // these stay open
					continue
				}
				b.send(t, a)
				b.list(t, a)
				last[a.Camera] = a.State
				if n == 30 || n == 90 {
					kill()
					kill = m.start(t)
				}
			}
			h := listen(t, m)
			for camera, state := range last {
				h.await(t, camera, "fall", map[topics.AlertState]string{topics.AlertRaised: "ON", topics.AlertCleared: "OFF"}[state])
			}
			film := alert("ward-0", 4, topics.AlertRaised)
			shelf.put(film.ID, []byte("the film"))
			await(t, "the film's event", func() bool {
				h.mu.Lock()
				defer h.mu.Unlock()
				return slices.ContainsFunc(h.events, func(text string) bool {
					return strings.Contains(text, `"event_type":"film"`) && strings.Contains(text, `"film_at":"file:///films/`+film.ID) && !strings.Contains(text, "film_mp4")
				})
			})
			if seen := h.matchesItsSchema(t); seen["binary_sensor"] != cameras || seen["event"] != cameras {
				t.Errorf("announced %v", seen)
			}
		})
	}
}
