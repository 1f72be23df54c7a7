package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// haTopics are the topics and messages by which Home Assistant learns of cameras and
// rules. It documents them under https://www.home-assistant.io/integrations/mqtt/
// ("MQTT discovery"), binary_sensor.mqtt/, event.mqtt/ and image.mqtt/.
type haTopics struct{ prefix, discovery string }

// noCamera is the topic level of rules that count cameras; no camera is called so.
const noCamera = "@cameras"

// state is the topic of a sensor's state, which is retained.
func (t haTopics) state(s sensorState) string {
	return t.prefix + "/" + level(cmp.Or(s.Camera, noCamera)) + "/" + level(s.Rule) + "/state"
}

// eventTopic is that of what happens to a camera's alerts.
func (t haTopics) eventTopic(camera string) string {
	return t.prefix + "/" + level(cmp.Or(camera, noCamera)) + "/event"
}

// worker is the topic that says whether a worker is there.
func (t haTopics) worker(name string) string { return t.prefix + "/@workers/" + level(name) }

// own are filters for what workers retain.
func (t haTopics) own() []string {
	return []string{t.prefix + "/+/+/state", t.prefix + "/@workers/+"}
}

// announcement is a message of discovery.
type announcement struct {
	topic string
	body  haEntity
}

// haEntity are the keys of a discovery message that we use.
type haEntity struct {
	Name              string   `json:"name"`
	UniqueID          string   `json:"unique_id"`
	StateTopic        string   `json:"state_topic,omitempty"`
	ValueTemplate     string   `json:"value_template,omitempty"`
	AttributesTopic   string   `json:"json_attributes_topic,omitempty"`
	DeviceClass       string   `json:"device_class,omitempty"`
	EventTypes        []string `json:"event_types,omitempty"`
	ImageTopic        string   `json:"image_topic,omitempty"` // of JPEGs
	AvailabilityTopic string   `json:"availability_topic"`
	QoS               int      `json:"qos,omitempty"`
	Device            haDevice `json:"device"`
	Origin            haOrigin `json:"origin"`
}

type haDevice struct {
	Identifiers  []string `json:"identifiers"`
	Name         string   `json:"name"`
	Manufacturer string   `json:"manufacturer"`
	Model        string   `json:"model"`
}

type haOrigin struct {
	Name string `json:"name"`
}

// sensor announces the sensor of a rule on a camera. status is the topic of the worker
// that is in charge of it.
func (t haTopics) sensor(s sensorState, status string) announcement {
	e := t.entity(s.Camera, status, "sensor", s.Rule)
	e.Name, e.StateTopic, e.AttributesTopic = s.Rule, t.state(s), t.state(s)
	e.ValueTemplate, e.DeviceClass = "{{ value_json.state }}", "problem"
	return announcement{t.discovery + "/binary_sensor/" + e.UniqueID + "/config", e}
}

// filmEvent is the type of an event that a film is there.
const filmEvent = "film"

// event announces the events of a camera.
func (t haTopics) event(camera, status string) announcement {
	e := t.entity(camera, status, "event")
	e.Name, e.StateTopic = "alerts", t.eventTopic(camera)
	for _, s := range []topics.AlertState{topics.AlertRaised, topics.AlertEscalated, topics.AlertCleared} {
		e.EventTypes = append(e.EventTypes, string(s))
	}
	e.EventTypes = append(e.EventTypes, filmEvent)
	return announcement{t.discovery + "/event/" + e.UniqueID + "/config", e}
}

// pictureTopic is that of the picture of a camera's last alert, a JPEG, retained.
func (t haTopics) pictureTopic(camera string) string {
	return t.prefix + "/" + level(cmp.Or(camera, noCamera)) + "/picture"
}

// picture announces the picture of a camera's last alert.
func (t haTopics) picture(camera, status string) announcement {
	e := t.entity(camera, status, "picture")
	e.Name, e.ImageTopic, e.QoS = "last alert", t.pictureTopic(camera), 0 // which pictures do not have
	return announcement{t.discovery + "/image/" + e.UniqueID + "/config", e}
}

func (t haTopics) entity(camera, status string, of ...string) haEntity {
	return haEntity{
		UniqueID: t.id(append([]string{camera}, of...)...), AvailabilityTopic: status, QoS: 1, Origin: haOrigin{"Frostwatch"},
		Device: haDevice{Identifiers: []string{t.id(camera)}, Name: cmp.Or(camera, "all cameras"), Manufacturer: "Frostwatch", Model: "camera"},
	}
}

// id is the same for the same names below a prefix, and of the letters that ids may have.
func (t haTopics) id(names ...string) string {
	return "frostwatch_" + digest(strings.Join(append([]string{t.prefix}, names...), "\x00"))
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

var notInLevel = regexp.MustCompile(`[^A-Za-z0-9._@-]`)

// level makes a topic level of a name: what may mean something in topics is replaced,
// and the name told from others by a hash then.
func level(name string) string {
	out := notInLevel.ReplaceAllString(name, "_")
	if out != name || len(out) > 100 {
		out = out[:min(len(out), 100)] + "-" + digest(name)
	}
	return out
}

// sensorState is the state of a rule on a camera, and what Home Assistant shows with it.
type sensorState struct {
	State    string    `json:"state"`            // ON or OFF
	Camera   string    `json:"camera,omitempty"` // empty: a rule that counts cameras
	Rule     string    `json:"rule"`
	Alert    string    `json:"alert_id"` // the open one, or the last one
	Text     string    `json:"text"`
	Label    string    `json:"label"`
	Severity string    `json:"severity"`
	Onset    time.Time `json:"onset"`

	Verdict topics.Says `json:"verdict,omitempty"` // of a second opinion
	Why     string      `json:"verdict_reason,omitempty"`
}

func sensorOn(e Event) sensorState {
	a := e.Alert
	return sensorState{
		State: "ON", Camera: cameraOf(a), Rule: a.Rule, Alert: a.ID, Text: e.Text, Label: a.Label, Severity: a.Severity, Onset: a.Onset.UTC(),
		Verdict: e.Verdict.Says, Why: e.Verdict.Reason,
	}
}

// cameraOf is the camera that an alert is of; empty where its rule counts cameras.
func cameraOf(a topics.Alert) string {
	if len(a.Cameras) > 0 {
		return ""
	}
	return a.Camera
}

// haEvent is the message of an event: what Home Assistant wants, and all that a
// webhook gets of it.
type haEvent struct {
	Type string `json:"event_type"`
	Event
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
