package process

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/infer"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/tlsfiles"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// What the configuration says of TLS and logins reaches the clients.
func TestServersAreReachedAsConfigured(t *testing.T) {
	files := config.TLS{Enabled: true, ServerName: "server.example"}
	want := &tlsfiles.Options{ServerName: "server.example"}
	client, err := Kafka(config.Kafka{
		Brokers: []string{"127.0.0.1:1"}, TLS: files, SASL: config.SASL{Mechanism: "SCRAM-SHA-512", Username: "u", Password: "p"},
	}, "test", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if !reflect.DeepEqual(client.TLS, want) || !reflect.DeepEqual(client.SASL, &bus.SASLOptions{Mechanism: "SCRAM-SHA-512", Username: "u", Password: "p"}) {
		t.Errorf("Kafka: TLS %+v, SASL %+v", client.TLS, client.SASL)
	}
	sentinel := config.Sentinel{Master: "m", Addresses: []string{"127.0.0.1:2"}, Username: "su", Password: "sp"}
	got := RedisOptions(config.Redis{Address: "127.0.0.1:1", Username: "u", Password: "p", Database: 3, TLS: files, Sentinel: sentinel})
	if w := (vocab.RedisOptions{
		Address: "127.0.0.1:1", Username: "u", Password: "p", Database: 3, TLS: want,
		Sentinel: &vocab.SentinelOptions{Master: "m", Addresses: sentinel.Addresses, Username: "su", Password: "sp"},
	}); !reflect.DeepEqual(got, w) {
		t.Errorf("Redis: %+v, want %+v", got, w)
	}
}

// go-redis has messages of its own, which would break a log in JSON.
func TestMessagesOfRedisAreInTheLog(t *testing.T) {
	r := newRig(t, "127.0.0.1:1")
	defer func() { _ = r.Close(context.Background()) }()
	c := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MinIdleConns: 1})
	defer func() { _ = c.Close() }()
	await(t, "a message of go-redis", func() bool {
		_ = c.Ping(t.Context()).Err()
		return strings.Contains(r.log.String(), "go-redis: ")
	})
}

// A password that is written into a URL is a warning, which doesn't repeat it.
func TestAPlainPasswordIsAWarning(t *testing.T) {
	broker := kafkatest.StartEmbedded(t)
	r := newRig(t, broker.Addr())
	defer func() { _ = r.Close(context.Background()) }()
	if err := r.EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	owner := cameras.Owner{Source: topics.SourceFile, ID: "/etc/pipeline.yaml"}
	if _, err := r.SyncCameras(t.Context(), owner, []topics.Camera{{Name: "lobby", URL: "rtsp://viewer:hunter2@10.0.0.7/s"}}); err != nil {
		t.Fatal(err)
	}
	if text := r.log.String(); !strings.Contains(text, "camera lobby: its URL holds a password") || strings.Contains(text, "hunter2") {
		t.Errorf("log:\n%s", text)
	}
}

// A previous model that can't be closed does not mean that the new one is refused.
func TestAPreviousModelThatCannotBeClosed(t *testing.T) {
	r := newRig(t, "127.0.0.1:1")
	defer func() { _ = r.Close(context.Background()) }()
	reload, err := newFileReload(r.tel.Meter("infer"))
	if err != nil {
		t.Fatal(err)
	}
	b := &bundles{Process: r.Process, reload: reload, dir: "new", current: &loaded{bundle: &froster.Bundle{Name: "new", ID: "2"}}}
	b.report(t.Context(), errors.New("no such folder"))
	if w := r.reporter.look().Warnings[partBundle]; !strings.Contains(w, "no such folder") {
		t.Errorf("a refused bundle: warning %q", w)
	}
	b.report(t.Context(), &infer.CloseError{Model: "1", Err: errors.New("busy")})
	if w := r.reporter.look().Warnings[partBundle]; w != "" {
		t.Errorf("warning %q: the new bundle is in service", w)
	}
	if !strings.Contains(r.log.String(), "the previous model could not be closed") {
		t.Errorf("log:\n%s", r.log.String())
	}
}
