package notify

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/frostwatch/frostwatch/internal/tlsfiles"
)

// mqttLink is a connection to a broker, by paho.golang: of the two Go clients of Eclipse
// it is the one for MQTT 5, in which an acknowledgement says whether a message was
// allowed. Older brokers acknowledge what they throw away.
type mqttLink struct {
	client *paho.Client
	mqtt   *mqtt
	status string        // the topic that says whether this worker is there
	lost   chan error    // gets the reason when the connection is of no use any more
	found  chan struct{} // gets something when there is something of an earlier connection

	// shown is what was published on this connection, by topic. For one goroutine.
	shown map[string]sensorState

	mu        sync.Mutex
	announced map[string]bool // topics of discovery
	stale     []string        // retained topics of workers that are gone
}

// Codes of MQTT 5.
const (
	notAuthorized  = 0x87
	invalidTopic   = 0x90
	tooLarge       = 0x95
	invalidFormat  = 0x99
	endsWithWill   = 0x04
	keepAlive      = 30 // seconds; the broker takes us for gone after 1.5 times that
	maxMQTTMessage = 256 << 10
)

// dial connects. name is what no other connection to the broker has.
func (m *mqtt) dial(ctx context.Context, name string) (*mqttLink, error) {
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	conn, err := newDialer(m.Timeout, m.Private).DialContext(ctx, "tcp", m.address)
	if err != nil {
		return nil, unreached(err, m.address)
	}
	if m.secure {
		t := m.TLS
		c, err := (&tlsfiles.Options{CA: t.CA, Cert: t.Cert, Key: t.Key, ServerName: cmp.Or(t.ServerName, hostOf(m.address))}).Config("mqtt.tls")
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		secured := tls.Client(conn, c)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		conn = secured
	}
	l := &mqttLink{
		mqtt: m, status: m.topics.worker(name), lost: make(chan error, 1), found: make(chan struct{}, 1),
		shown: map[string]sensorState{}, announced: map[string]bool{},
	}
	l.client = paho.NewClient(paho.ClientConfig{
		Conn: packets.NewThreadSafeConn(&framedConn{Conn: conn}), PacketTimeout: m.Timeout, OnClientError: l.fail,
		OnServerDisconnect: func(d *paho.Disconnect) { l.fail(fmt.Errorf("the broker hangs up (code %#x)", d.ReasonCode)) },
		OnPublishReceived:  []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) { l.take(p.Packet); return true, nil }},
	})
	largest := uint32(maxMQTTMessage)
	ack, err := l.client.Connect(ctx, &paho.Connect{
		ClientID: "frostwatch-" + level(name), CleanStart: true, KeepAlive: keepAlive,
		Username: m.Username, UsernameFlag: m.Username != "", Password: []byte(m.Password.Reveal()), PasswordFlag: m.Password != "",
		Properties:  &paho.ConnectProperties{MaximumPacketSize: &largest, RequestProblemInfo: true},
		WillMessage: &paho.WillMessage{Topic: l.status, Payload: []byte("offline"), QoS: 1, Retain: true},
	})
	if err != nil {
		_ = conn.Close() // also where the broker has refused
		if ack != nil {
			return nil, fmt.Errorf("the broker refuses the connection (code %#x)", ack.ReasonCode)
		}
		return nil, fmt.Errorf("connect: %w", err)
	}
	return l, nil
}

// begin asks for what the broker has of earlier connections, and says that we are there.
func (l *mqttLink) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.mqtt.Timeout)
	defer cancel()
	var all []paho.SubscribeOptions
	for _, topic := range l.mqtt.topics.own() {
		all = append(all, paho.SubscribeOptions{Topic: topic, QoS: 1, NoLocal: true})
	}
	if _, err := l.client.Subscribe(ctx, &paho.Subscribe{Subscriptions: all}); err != nil {
		return fmt.Errorf("subscribe to %s: %w", l.mqtt.Topic, err)
	}
	return l.publish(ctx, l.status, []byte("online"), true)
}

// take takes a message of ours from earlier, or of another worker.
func (l *mqttLink) take(p *paho.Publish) {
	if strings.HasPrefix(p.Topic, l.mqtt.topics.worker("")) {
		if p.Retain && p.Topic != l.status && string(p.Payload) == "offline" {
			l.mu.Lock()
			if len(l.stale) < maxOpen {
				l.stale = append(l.stale, p.Topic)
			}
			l.mu.Unlock()
			l.wake()
		}
		return
	}
	var s sensorState
	if json.Unmarshal(p.Payload, &s) != nil || l.mqtt.topics.state(s) != p.Topic {
		return // nobody of ours has written it
	}
	l.mqtt.note(p.Topic, s, false)
	l.wake()
}

func (l *mqttLink) wake() {
	select {
	case l.found <- struct{}{}:
	default: // somebody has to look anyway
	}
}

// forget removes what the broker has of workers that are gone for long: one that comes
// back says so.
func (l *mqttLink) forget(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.mqtt.Timeout)
	defer cancel()
	l.mu.Lock()
	stale := l.stale
	l.stale = nil
	l.mu.Unlock()
	for _, topic := range stale {
		if err := l.publish(ctx, topic, nil, true); err != nil {
			return err
		}
	}
	return nil
}

// announce publishes a message of discovery, once on each connection.
func (l *mqttLink) announce(ctx context.Context, a announcement) error {
	l.mu.Lock()
	done := l.announced[a.topic]
	l.mu.Unlock()
	if done {
		return nil
	}
	body, err := json.Marshal(a.body)
	if err != nil {
		return err
	}
	if err := l.publish(ctx, a.topic, body, true); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.announced[a.topic] = true
	return nil
}

// publish returns once the broker has acknowledged the message.
func (l *mqttLink) publish(ctx context.Context, topic string, body []byte, retain bool) error {
	ack, err := l.client.Publish(ctx, &paho.Publish{QoS: 1, Retain: retain, Topic: topic, Payload: body})
	code := byte(0)
	if ack != nil {
		code = ack.ReasonCode
	}
	switch {
	case err == nil:
		return nil
	case code == notAuthorized:
		return fmt.Errorf("the broker does not let us publish to %s", topic)
	case code == invalidTopic || code == tooLarge || code == invalidFormat, errors.Is(err, paho.ErrInvalidArguments):
		return fmt.Errorf("publish to %s: %w (code %#x)", topic, ErrRefused, code)
	case ctx.Err() != nil:
		err = errors.New("no acknowledgement in time")
		l.fail(err) // what it still holds of the message goes with the connection
	}
	return fmt.Errorf("publish to %s: %w", topic, err)
}

// fail notes why the connection is of no use any more.
func (l *mqttLink) fail(err error) {
	select {
	case l.lost <- err:
	default: // the first reason counts
	}
}

// close hangs up, upon which the broker says that this worker is away.
func (l *mqttLink) close() {
	_ = l.client.Disconnect(&paho.Disconnect{ReasonCode: endsWithWill}) // it may be lost already
	<-l.client.Done()
}
