package notify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/internal/changes"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// Plan is a list of receivers that have been checked. It never changes. nil has none.
type Plan struct{ receivers []*receiver }

// receiver is a checked Receiver.
type receiver struct {
	Receiver
	Sender
	zone *time.Location
}

// maxReceivers bounds the receivers: each is a consumer group.
const maxReceivers = 100

// Compile reads the receivers of a configuration file. The error names file, line, key,
// value and what is allowed, for each mistake.
func Compile(raw config.Raw) (*Plan, error) {
	var receivers []Receiver
	part, err := raw.Decode(&receivers)
	if err != nil {
		return nil, err
	}
	plan, seen := &Plan{}, map[string]bool{}
	for i, r := range receivers {
		at := fmt.Sprintf("[%d]", i)
		compiled, err := r.compile()
		if err != nil {
			part.Wrong(at, strings.ReplaceAll(err.Error(), "\n", "; "))
			continue
		}
		if seen[r.Name] {
			part.Wrong(at, fmt.Sprintf("the name %q is used twice", r.Name))
		}
		if i == maxReceivers {
			part.Wrong(at, fmt.Sprintf("want at most %d receivers", maxReceivers))
		}
		seen[r.Name] = true
		plan.receivers = append(plan.receivers, compiled)
	}
	return plan, part.Err()
}

func (r Receiver) compile() (*receiver, error) {
	err := r.check()
	sender, kindErr := r.sender()
	if err := errors.Join(err, kindErr); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(r.Timezone)
	if err != nil {
		return nil, err
	}
	c := &receiver{Receiver: r, Sender: sender, zone: zone}
	if c.Keep == 0 {
		c.Keep = config.Age(usualKeep)
	}
	return c, nil
}

// sender makes the one way of delivery that the receiver names.
func (r Receiver) sender() (Sender, error) {
	var made []Sender
	var errs []error
	add := func(s Sender, err error) {
		made, errs = append(made, s), append(errs, err)
	}
	if r.Webhook != nil {
		add(newWebhook(*r.Webhook))
	}
	if r.Command != nil {
		add(newCommand(*r.Command))
	}
	if r.People != nil {
		add(newPeople(*r.People))
	}
	if r.Alertmanager != nil {
		add(newAlertmanager(*r.Alertmanager))
	}
	if r.MQTT != nil {
		add(newMQTT(*r.MQTT, r.Pictures))
	}
	if len(made) != 1 {
		return nil, fmt.Errorf("want one of %s, found %d", kinds, len(made))
	}
	if p, is := made[0].(*people); r.Pictures && (r.Alertmanager != nil || is && p.takes == 0) {
		errs = append(errs, errors.New("pictures: Alertmanager and this service take none: want a webhook, a command, mqtt, or people on Discord or Signal"))
	}
	return made[0], errors.Join(errs...)
}

// kinds are the keys that say how a receiver is reached.
const kinds = "webhook, command, people, alertmanager or mqtt"

// Names are the receivers' names, in the order of the file.
func (p *Plan) Names() (names []string) {
	for _, r := range p.all() {
		names = append(names, r.Name)
	}
	return names
}

func (p *Plan) all() []*receiver {
	if p == nil {
		return nil
	}
	return p.receivers
}

func (p *Plan) find(name string) *receiver {
	for _, r := range p.all() {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// WantsFilms is whether a receiver of that name is to get films.
func (p *Plan) WantsFilms(name string) bool {
	r := p.find(name)
	return r != nil && r.Film
}

// Since returns how p differs from an older plan, as names of receivers.
func (p *Plan) Since(old *Plan) changes.Names {
	return changes.Between(old.all(), p.all(), func(r *receiver) (string, any) { return r.Name, r.Receiver })
}

// wants is whether such a record of an alert that it chooses is delivered to the receiver.
func (r *receiver) wants(s topics.AlertState) bool {
	return len(r.States) == 0 || slices.Contains(r.States, s)
}

// event is the alert as it is delivered to the receiver.
func (r *receiver) event(a topics.Alert) Event {
	return Event{Key: a.EventID(), Text: sentence(a, r.zone), Alert: a}
}
