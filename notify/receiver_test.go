package notify

import (
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/config"
)

// A mistake is named with its line and what is allowed, and no secret is shown.
func TestMistakesInReceivers(t *testing.T) {
	const hook = "webhook: {url: 'https://h/s3cret'}"
	for _, c := range []struct{ name, text, want string }{
		{"no kind", "- {name: a}", "receivers:1: [0]: want one of webhook"},
		{"two kinds", "- {name: a, " + hook + ", command: {run: [ls]}}", "found 2"},
		{"name", "- {name: 'a b', " + hook + "}", `name: "a b": want 1 to 64 letters`},
		{"twice", "- {name: a, " + hook + "}\n- {name: a, " + hook + "}", `receivers:2: [1]: the name "a" is used twice`},
		{"url", "- {name: a, webhook: {url: 'ftp://s3cret'}}", "webhook.url: want http://host/path or https://host/path"},
		{"severity", "- {name: a, when: {severity: high}, " + hook + "}", `when.severity: "high": want info, warning or critical`},
		{"state", "- {name: a, states: [open], " + hook + "}", `states: "open": want raised, escalated or cleared`},
		{"group", "- {name: a, group: 30s by label, " + hook + "}", "such as 30s, 30s by camera or 1m by rule"},
		{"limit", "- {name: a, limit: 20, " + hook + "}", "such as 20 per 1m"},
		{"zone", "- {name: a, timezone: Mars, " + hook + "}", "want a name such as Europe/Berlin"},
		{"template", "- {name: a, webhook: {url: 'https://h/', template: '{{.Nothing}}'}}", "there is no .Nothing: want one of .Events, .Key, .Receiver, .Text"},
		{"command", "- {name: a, command: {run: []}}", "command.run: want a program and its arguments"},
		{"slack", "- {name: a, people: {url: 'slack://s3cret/wrong'}}", "people.url: slack: "},
		{"telegram", "- {name: a, people: {url: 'telegram://s3cret@wrong'}}", "people.url: telegram: "},
		{"no service", "- {name: a, people: {url: 's3cret'}}", "people.url: want a URL of shoutrrr's"},
		{"unknown service", "- {name: a, people: {url: 'https://s3cret'}}", "want a URL that begins with one of bark, discord"},
		{"unchecked service", "- {name: a, people: {url: 'ntfy://s3cret@ntfy.sh/ward'}}", "people.url: ntfy: nothing can check"},
		{"pictures for those who take none", "- {name: a, pictures: true, people: {url: 'ntfy://h/t', private: true}}", "pictures: Alertmanager and this service take none"},
		{"pictures for nobody", "- {name: a, pictures: true, alertmanager: {url: 'http://h'}}", "pictures: Alertmanager and this service take none: want a webhook, a command, mqtt, or people on Discord or Signal"},
		{"alertmanager", "- {name: a, alertmanager: {url: 's3cret'}}", "alertmanager.url: want http://host:9093"},
		{"label", "- {name: a, alertmanager: {url: 'http://h', labels: {camera: x}}}", `alertmanager.labels: "camera": "x": want letters`},
		{"mqtt", "- {name: a, mqtt: {url: 'mqtt://user:s3cret@h'}}", "mqtt.url: want mqtt://host:1883"},
		{"topic", "- {name: a, mqtt: {url: 'mqtt://h', topic: 'a/#'}}", `mqtt.topic: "a/#": want letters`},
		{"unknown key", "- {name: a, webhook: {link: x}}", "unknown key: want one of url, secret, headers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, err := config.RawOf("receivers", []byte(c.text))
			if err == nil {
				_, err = Compile(raw)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func FuzzCompile(f *testing.F) {
	f.Add("- {name: a, group: 30s by camera, limit: 20 per 1m, webhook: {url: 'https://h/', template: '{{json .Events}}'}}")
	f.Add("- {name: a, command: {run: [ls, -l], env: {A: b}}, when: {rules: ['*']}}")
	f.Add("- {name: a, people: {url: 'telegram://12345:abc@telegram?chats=1'}}")
	f.Fuzz(func(t *testing.T, text string) {
		raw, err := config.RawOf("receivers", []byte(text))
		if err != nil {
			return
		}
		if p, err := Compile(raw); err == nil && len(p.Names()) > maxReceivers {
			t.Errorf("%d receivers", len(p.Names()))
		}
	})
}
