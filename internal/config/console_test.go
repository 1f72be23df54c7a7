package config

import (
	"fmt"
	"strings"
	"testing"
)

const someHash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQxMjM0NTY3OA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func TestWhoMayUseTheConsole(t *testing.T) {
	anna := "  users: [{name: anna, password: '" + someHash + "', role: admin}]\n"
	env := func(name string) (string, bool) {
		return map[string]string{"HASH": someHash, "TOKEN": strings.Repeat("x", 32), "PLAIN": "hunter22"}[name], true
	}
	for text, want := range map[string]string{
		"  listen: 127.0.0.1:8070\n":                                                     "",
		"  listen: '[::1]:8070'\n":                                                       "",
		"  listen: 0.0.0.0:8070\n":                                                       `f.yaml:2: console.listen: "0.0.0.0:8070" with what hosts and tls.mode say lets others in than this machine: want users or tokens`,
		"  listen: ':8070'\n":                                                            "want users or tokens",
		"  hosts: [cams.example]\n":                                                      "want users or tokens",
		"  tls: {mode: proxy}\n":                                                         "want users or tokens",
		"  listen: 10.0.0.7:8070\n" + anna:                                               "console.tls: passwords and pictures would cross the network in the clear: want cert and key; or mode: proxy",
		"  listen: 10.0.0.7:8070\n  tls: {mode: off}\n" + anna:                           "",
		"  listen: 10.0.0.7:8070\n  tls: {cert: a.pem, key: b.pem}\n" + anna:             "",
		"  tls: {cert: a.pem}\n":                                                         "want both cert and key",
		"  tls: {mode: on}\n":                                                            `console.tls.mode: "on": want proxy, off or nothing`,
		"  tls: {mode: proxy}\n  hosts: ['cams.example:80']\n" + anna:                    "console.hosts[0]",
		"  tls: {mode: proxy}\n  hosts: [cams.example, 10.0.0.7]\n" + anna:               "",
		"  proxies: [10.0.0.0/40]\n":                                                     "f.yaml:2: console.proxies[0]",
		"  users: [{name: anna, password: '${HASH}', role: viewer, tags: [ward]}]\n":     "",
		"  users: [{name: anna, password: '${PLAIN}', role: viewer}]\n":                  "console.users[0].password: want an argon2id hash",
		"  users: [{name: anna, role: viewer}]\n":                                        "console.users[0]: want password",
		"  users: [{name: anna, password_file: a, password: '${HASH}', role: viewer}]\n": "console.users[0]: want password",
		"  users: [{name: 'a b', password_file: a, role: viewer}]\n":                     "console.users[0].name",
		"  users: [{name: anna, password_file: a, role: root}]\n":                        `console.users[0].role: "root": want viewer, operator, admin`,
		"  users: [{name: anna, password_file: a, role: viewer, tags: ['']}]\n":          "console.users[0].tags[0]",
		anna + "  tokens: [{name: anna, token: '${TOKEN}', role: viewer}]\n":             `console.tokens[0].name: duplicate name "anna"`,
		"  tokens: [{name: grafana, token: '${PLAIN}', role: viewer}]\n":                 "console.tokens[0].token: want ${NAME}",
		"  tokens: [{name: grafana, token: 'sha256:00', role: viewer}]\n":                "console.tokens[0].token",
		"  tokens: [{name: grafana, token: '${TOKEN}', role: viewer}]\n":                 "",
	} {
		c, err := Parse("f.yaml", []byte("console:\n"+text), env)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s%v, want %q", text, err, want)
		}
		if said := fmt.Sprintf("%v %+v %#v", err, c.Console, c.Console); strings.Contains(said, "hunter22") || strings.Contains(said, "AAAA") || strings.Contains(said, "xxxx") {
			t.Errorf("a secret is repeated: %s", said)
		}
	}
}
