package bus_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/tlsfiles"
)

func TestLogins(t *testing.T) {
	k := kafkatest.NewSecureKafka(t)
	t.Run("connections", func(t *testing.T) { connections(t, k) })
	t.Run("a denied group ends at once", func(t *testing.T) { denied(t, k) })
}

func connections(t *testing.T, k *kafkatest.SecureKafka) {
	login := func(mechanism, user, password string) *bus.SASLOptions {
		return &bus.SASLOptions{Mechanism: mechanism, Username: user, Password: password}
	}
	trust := &tlsfiles.Options{CA: k.CA}
	for _, c := range []struct {
		name, broker string
		tls          *tlsfiles.Options
		sasl         *bus.SASLOptions
		want         string // of the error; empty: it works
	}{
		{"plain", k.SASL, nil, login("PLAIN", kafkatest.Alice, kafkatest.AlicePassword), ""},
		{"scram 256", k.SASL, nil, login("SCRAM-SHA-256", kafkatest.Alice, kafkatest.AlicePassword), ""},
		{"scram 512 by TLS", k.SASLTLS, trust, login("SCRAM-SHA-512", kafkatest.Alice, kafkatest.AlicePassword), ""},
		{"a certificate of ours", k.TLS, &tlsfiles.Options{CA: k.CA, Cert: k.Cert, Key: k.Key}, nil, ""},
		{"no login", k.SASL, nil, nil, "set kafka.sasl"},
		{"no login by TLS", k.SASLTLS, trust, nil, "set kafka.sasl"},
		{"a wrong password", k.SASL, nil, login("PLAIN", kafkatest.Alice, "hunter2"), "Authentication"},
		{"a wrong password by scram", k.SASL, nil, login("SCRAM-SHA-256", kafkatest.Alice, "hunter2"), "Authentication"},
		{"an unknown authority", k.SASLTLS, &tlsfiles.Options{}, login("PLAIN", kafkatest.Alice, kafkatest.AlicePassword), "certificate"},
		{"no certificate of ours", k.TLS, trust, nil, "certificate"},
		{"TLS where there is none", k.SASL, trust, login("PLAIN", kafkatest.Alice, kafkatest.AlicePassword), "TLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out logs
			b, err := bus.New(bus.Options{Brokers: []string{c.broker}, ClientID: "test", TLS: c.tls, SASL: c.sasl, Logger: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = b.Close() }()
			ctx := within(t, 20*time.Second)
			err = b.Ensure(ctx, []bus.TopicSpec{spec("logins", 1)})
			if c.want == "" {
				if err := errors.Join(err, b.Ping(ctx)); err != nil {
					t.Errorf("with the right credentials: %v", err)
				}
				if _, err := b.Send(ctx, bus.Message{Topic: "logins", Value: []byte("x")}); err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || ctx.Err() != nil || !bus.Permanent(err) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v (permanent: %v), want %q", err, bus.Permanent(err), c.want)
			}
			if ping := b.Ping(ctx); ping == nil {
				t.Error("the ping is answered")
			}
			if text := out.String() + err.Error(); strings.Contains(text, "hunter2") || strings.Contains(text, kafkatest.AlicePassword) {
				t.Errorf("a password is shown: %s", text)
			}
		})
	}
}

// denied is of one who may read the topic, and not as a member of the group.
func denied(t *testing.T, k *kafkatest.SecureKafka) {
	ctx := within(t, 30*time.Second)
	admin := clientOf(t, []string{k.Addr()}, slog.New(slog.DiscardHandler))
	if err := admin.Ensure(ctx, []bus.TopicSpec{spec("denied", 1)}); err != nil {
		t.Fatal(err)
	}
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	acls, err := (&kafka.Client{Addr: kafka.TCP(k.Addr()), Transport: transport}).CreateACLs(ctx, &kafka.CreateACLsRequest{ACLs: []kafka.ACLEntry{
		{ResourceType: kafka.ResourceTypeTopic, ResourceName: "denied", ResourcePatternType: kafka.PatternTypeLiteral, Principal: "User:" + kafkatest.Mallory, Host: "*", Operation: kafka.ACLOperationTypeRead, PermissionType: kafka.ACLPermissionTypeAllow},
	}})
	if err := errors.Join(append(acls.Errors, err)...); err != nil {
		t.Fatal(err)
	}
	c, err := bus.New(bus.Options{Brokers: []string{k.SASL}, ClientID: "test", Logger: slog.New(slog.DiscardHandler),
		SASL: &bus.SASLOptions{Mechanism: "PLAIN", Username: kafkatest.Mallory, Password: kafkatest.MalloryPassword}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	// It may not create, and need not.
	if err := c.Ensure(ctx, []bus.TopicSpec{spec("denied", 1)}); err != nil {
		t.Errorf("a topic that is there: %v", err)
	}
	err = c.Consume(ctx, bus.GroupOptions{Group: "denied", Topic: "denied"}, func(context.Context, *bus.Partition) error {
		t.Error("a partition was given")
		return nil
	})
	if !errors.Is(err, kafka.GroupAuthorizationFailed) || bus.DenialOf(err) != bus.DeniesGroup || ctx.Err() != nil {
		t.Errorf("consuming: %v", err)
	}
	if _, err := c.Send(ctx, bus.Message{Topic: "denied", Value: []byte("x")}); bus.DenialOf(err) != bus.DeniesTopic {
		t.Errorf("sending: %v", err)
	}
}
