package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/tlsfiles"
	"github.com/frostwatch/frostwatch/topics"
)

const secureServers = `
kafka:
  brokers: [%q]
  partitions: 3
  tls: {enabled: true, ca: %q, cert: %q, key: %q}
  sasl: {mechanism: SCRAM-SHA-512, username: site, password: "${SITE_KAFKA_PASSWORD}"}
redis:
  address: %q
  username: frostwatch
  password: "${SITE_REDIS_PASSWORD}"
  tls: {enabled: true, ca: %q, cert: %q, key: %q}
`

// A clip becomes an alert where Kafka and Redis want TLS with certificates of
// their own authorities on both sides and a login, and where access control lists
// allow no more than the documentation asks for. No password is shown.
func TestStagesOnSecureServers(t *testing.T) {
	need(t, "redis-server", "kcat")
	t.Setenv("SITE_KAFKA_PASSWORD", "kafka-hunter2")
	t.Setenv("SITE_REDIS_PASSWORD", "redis-hunter2")
	k := kafkatest.NewSecureKafka(t)
	k.AddUser(t, "site", "kafka-hunter2")
	k.GrantTopics(t, "site", "frostwatch.")
	k.GrantGroups(t, "site", "frostwatch-")
	certificates := redistest.MakeCertificates(t)
	const user = "--user frostwatch on >redis-hunter2 ~frostwatch:* &frostwatch:* +@read +@write +@pubsub +@scripting +@transaction +@connection --user default off"
	r := redistest.StartTLS(t, certificates, strings.Split(user, " ")...)
	rig := newStages(t, k.Mutual)
	rig.servers = fmt.Sprintf(secureServers, k.Mutual, k.CA, k.Cert, k.Key, r.Addr, certificates.CA, certificates.ClientCert, certificates.ClientKey)
	addLabels(t, r.Addr, certificates)

	var stages []*process
	for _, stage := range []string{"alerts", "infer", "ingest"} {
		stages = append(stages, rig.run(t, stage))
	}
	await(t, "the fall", time.Minute, func() bool {
		alerts, _ := kcatAlerts(t, k.Addr())
		for _, a := range alerts {
			if a.Rule == "fall" && a.State == topics.AlertRaised {
				return true
			}
		}
		return false
	})
	rig.awaitReady(t)
	out, err := frostwatch(t, "status", "--config", filepath.Join(rig.dir, "ingest.yaml"))
	if err != nil || !strings.Contains(out, "corridor") || !strings.Contains(out, "alive") {
		t.Errorf("status: %v\n%s", err, out)
	}
	if out, err := frostwatch(t, "vocab", "ls", "--config", filepath.Join(rig.dir, "infer.yaml")); err != nil || !strings.Contains(out, "falling down") {
		t.Errorf("vocab ls: %v\n%s", err, out)
	}
	for i := len(stages) - 1; i >= 0; i-- {
		stages[i].stop(t)
		if text := stages[i].output(); strings.Contains(text, "hunter2") || strings.Contains(text, "level=ERROR") {
			t.Errorf("a password or an error is in the log:\n%s", text)
		}
	}
}

func addLabels(t *testing.T, address string, c redistest.Certificates) {
	t.Helper()
	files := &tlsfiles.Options{CA: c.CA, Cert: c.ClientCert, Key: c.ClientKey}
	secure, err := files.Config("redis.tls")
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: address, Username: "frostwatch", Password: "redis-hunter2", TLSConfig: secure})
	defer func() { _ = client.Close() }()
	for _, label := range demoLabels {
		if err := client.HSet(t.Context(), "frostwatch:vocab:default", label, "").Err(); err != nil {
			t.Fatal(err)
		}
	}
}
