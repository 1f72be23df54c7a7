package bus_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

// The broker of one machine stands in for a real one (TestLogins) here, so that
// this runs everywhere.
func TestAWrongLoginEndsAtOnce(t *testing.T) {
	b := kafkatest.StartFreezable(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "alice", "alice-secret"), kfake.Superuser("SCRAM-SHA-256", "alice", "alice-secret"),
		kfake.Superuser("SCRAM-SHA-512", "alice", "alice-secret"))
	for _, c := range []struct {
		name string
		sasl *bus.SASLOptions
		want string
	}{
		{"plain", &bus.SASLOptions{Mechanism: "PLAIN", Username: "alice", Password: "alice-secret"}, ""},
		{"scram 256", &bus.SASLOptions{Mechanism: "SCRAM-SHA-256", Username: "alice", Password: "alice-secret"}, ""},
		{"scram 512", &bus.SASLOptions{Mechanism: "SCRAM-SHA-512", Username: "alice", Password: "alice-secret"}, ""},
		{"none", nil, "set kafka.sasl"},
		{"wrong", &bus.SASLOptions{Mechanism: "PLAIN", Username: "alice", Password: "hunter2"}, "Authentication"},
		{"wrong by scram", &bus.SASLOptions{Mechanism: "SCRAM-SHA-256", Username: "alice", Password: "hunter2"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out logs
			client, err := bus.New(bus.Options{Brokers: []string{b.Addr()}, SASL: c.sasl, Logger: slog.New(slog.NewTextHandler(&out, nil))})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = client.Close() }()
			ctx := within(t, 15*time.Second)
			err = client.Ensure(ctx, []bus.TopicSpec{spec("login", 1)})
			if c.sasl != nil && c.sasl.Password == "alice-secret" {
				if err := errors.Join(err, client.Ping(ctx)); err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || ctx.Err() != nil || !bus.Permanent(err) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v (permanent: %v), want %q", err, bus.Permanent(err), c.want)
			}
			if text := out.String() + err.Error(); strings.Contains(text, "hunter2") {
				t.Errorf("the password is shown: %s", text)
			}
		})
	}
}
