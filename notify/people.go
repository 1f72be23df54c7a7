package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// People are reached through a service that shoutrrr knows: chat, mail, push.
type People struct {
	URL     config.Secret `yaml:"url"`     // shoutrrr's; secret: it holds tokens and passwords
	Timeout time.Duration `yaml:"timeout"` // 0: 20 s
	// Private allows private, local and link-local addresses, and services whose
	// connections can't be checked (unchecked).
	Private bool `yaml:"private"`
}

// unchecked are the services to which shoutrrr connects by dialers of its own, so that
// nothing can refuse private addresses on the way.
var unchecked = []string{"gotify", "mattermost", "ntfy", "smtp"}

// maxPeople bounds what is sent: Pushover takes 1,024 characters, the others more.
const maxPeople = 1000

// people sends by a process of its own for each notification (Relay).
type people struct {
	People
	service string
	takes   int // how large a file may be; 0: it takes none
}

// takers are the services to which shoutrrr sends files, and how large these may be. Discord
// takes 10 MiB from those who do not pay.
var takers = map[string]int{"discord": 8 << 20, "signal": maxFilm}

func newPeople(p People) (Sender, error) {
	service, u, err := serviceOf(p.URL.Reveal())
	if err != nil {
		return nil, fmt.Errorf("people.url: %w", err)
	}
	name := service.GetID()
	if !p.Private && slices.Contains(unchecked, name) {
		return nil, fmt.Errorf("people.url: %s: nothing can check whether the address of its server is a public one: set private: true to allow any", name)
	}
	if name != "matrix" { // which logs in here
		if err := service.Initialize(u, nil); err != nil {
			return nil, fmt.Errorf("people.url: %s: %s", name, topics.Clean(scrub(err.Error(), p.URL.Reveal())))
		}
	}
	if p.Timeout == 0 {
		p.Timeout = 20 * time.Second
	}
	if p.Timeout < 100*time.Millisecond || p.Timeout > attemptTime {
		return nil, fmt.Errorf("people.timeout: %v: want 100ms to %v", p.Timeout, attemptTime)
	}
	return &people{People: p, service: name, takes: takers[name]}, nil
}

// serviceOf is the service of a URL, not yet initialized, and the URL by which it is.
// Its errors hold nothing of the URL.
func serviceOf(text string) (types.Service, *url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" {
		return nil, nil, errors.New("want a URL of shoutrrr's, such as telegram://TOKEN@telegram?chats=CHAT")
	}
	r := &router.ServiceRouter{}
	name, _, custom := strings.Cut(u.Scheme, "+")                                              // generic+https
	known := slices.DeleteFunc(r.ListServices(), func(s string) bool { return s == "logger" }) // it would reach nobody
	if !slices.Contains(known, name) {
		return nil, nil, fmt.Errorf("an unknown service: want a URL that begins with one of %s", strings.Join(slices.Sorted(slices.Values(known)), ", "))
	}
	service, err := r.NewService(name)
	if err != nil || !custom {
		return service, u, err
	}
	from, can := service.(types.CustomURLService)
	if !can {
		return nil, nil, fmt.Errorf("%s: want %s://", name, name)
	}
	if u, err = from.GetConfigURLFromCustom(u); err != nil {
		return nil, nil, fmt.Errorf("%s: want a URL of shoutrrr's", name)
	}
	return service, u, nil
}

// Send says the notification in words.
func (p *people) Send(ctx context.Context, n Notification) error {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	l := letter{URL: p.URL.Reveal(), Text: brief(n.Events, maxPeople), Private: p.Private, Timeout: p.Timeout}
	for _, e := range n.Events { // a message has one file
		switch {
		case len(e.Film) > 0:
			l.Name, l.File = "film.mp4", e.Film
		case len(e.Filmstrip) > 0 && len(l.File) == 0:
			l.Name, l.File = "pictures.jpg", e.Filmstrip
		}
	}
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	answer, err := relay(ctx, body)
	if ctx.Err() != nil {
		return fmt.Errorf("%s: no answer in time", p.service)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.service, err)
	}
	if answer.Error != "" {
		return fmt.Errorf("%s: %s", p.service, answer.Error)
	}
	return nil
}
