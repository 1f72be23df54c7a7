package process

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

// A process that Kafka refuses doesn't end: /readyz and one line of the log say
// within 10 s who is to grant what, and a grant takes effect without a restart.
func TestWhatKafkaRefusesIsReportedAndHeals(t *testing.T) {
	k := kafkatest.NewSecureKafka(t)
	cfg := config.Default()
	cfg.Kafka.Brokers, cfg.Kafka.Partitions = []string{k.SASL}, 2
	cfg.Kafka.SASL = config.SASL{Mechanism: "SCRAM-SHA-512", Username: kafkatest.Mallory, Password: kafkatest.MalloryPassword}
	r := openRig(t, cfg, "alerts")
	r.grantWait = time.Second
	parts, err := r.Alerts()
	if err != nil {
		t.Fatal(err)
	}
	stop := r.run(t, parts...)
	for _, step := range []struct {
		part, problem string
		grant         func()
	}{
		{"kafka", `Kafka refuses the login of user \"mallory\": check kafka.sasl`,
			func() { k.AddUser(t, kafkatest.Mallory, kafkatest.MalloryPassword) }},
		{"kafka", `Kafka does not let user \"mallory\" use this topic: grant DESCRIBE, READ and WRITE on topics that begin with \"frostwatch.\"`,
			func() { k.GrantTopics(t, kafkatest.Mallory, "frostwatch.") }},
		{"group frostwatch-alerts", `alerts can't read frostwatch.actions: Kafka does not let user \"mallory\" join the consumer group frostwatch-alerts: grant READ on this group`,
			func() { k.GrantGroups(t, kafkatest.Mallory, "frostwatch-") }},
	} {
		refused := time.Now()
		await(t, step.problem, func() bool {
			code, body := get(t, r.base+"/readyz")
			return code == http.StatusServiceUnavailable && strings.Contains(body, `"`+step.part+`": "`) && strings.Contains(body, step.problem)
		})
		if took := time.Since(refused); took > 10*time.Second+allowance {
			t.Errorf("%s: /readyz says so after %v", step.part, took)
		}
		await(t, "a line in the log", func() bool { return errorLines(r.log.String(), step.part) == 1 })
		step.grant()
	}
	await(t, "ready", func() bool { code, _ := get(t, r.base+"/readyz"); return code == http.StatusOK })
	if n := errorLines(r.log.String(), "group frostwatch-alerts"); n != 1 {
		t.Errorf("the refused group was logged %d times:\n%s", n, r.log.String())
	}
	if text := r.log.String(); strings.Contains(text, kafkatest.MalloryPassword) {
		t.Errorf("the password is in the log:\n%s", text)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// errorLines counts the errors of a part in a log.
func errorLines(log, part string) (n int) {
	for line := range strings.Lines(log) {
		if strings.Contains(line, "level=ERROR") && (strings.Contains(line, "part="+part+" ") || strings.Contains(line, `part="`+part+`" `)) {
			n++
		}
	}
	return n
}
