package kafkatest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/internal/lock"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// StartKafka starts a real Kafka in KRaft mode. Its jars come from Maven
// Central into .native/kafka, once. Without java or mvn the test fails where
// CI=true and is skipped elsewhere.
func StartKafka(t testing.TB) Broker {
	t.Helper()
	return NewKafka(t)
}

// NewKafka is StartKafka, for tests that stop and wake it.
func NewKafka(t testing.TB) *Kafka {
	t.Helper()
	k := prepare(t)
	k.configure(t, fmt.Sprintf(properties, k.port, k.controller, k.dir))
	k.run(t)
	t.Cleanup(func() { k.stop(t) })
	return k
}

// prepare finds what a broker needs, and a place for it.
func prepare(t testing.TB) *Kafka {
	t.Helper()
	for _, program := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(program); err != nil {
			shared.Missing(t, program+" (`make setup-test` installs it)")
		}
	}
	libs, err := jars(filepath.Join(shared.Root(t), ".native", "kafka"), filepath.Join(shared.Root(t), "internal", "kafkatest", "pom.xml"))
	if err != nil {
		t.Fatal(err)
	}
	return &Kafka{libs: libs, dir: t.TempDir(), port: freePort(t), controller: freePort(t)}
}

// jars fetches the broker's class path; tests of several packages may ask at
// once.
func jars(dir, pom string) (libs string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	held, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer func() { _ = held.Close() }()
	if err := lock.Wait(held); err != nil {
		return "", err
	}
	libs = filepath.Join(dir, "libs-4.2.0")
	if _, err := os.Stat(libs); err == nil {
		return libs, nil
	}
	part := libs + ".part"
	cmd := exec.Command("mvn", "-q", "-B", "-f", pom,
		"org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+part)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("fetch kafka's jars: %w\n%s", err, out)
	}
	return libs, os.Rename(part, libs)
}

// Kafka is a real broker that ends with the test.
type Kafka struct {
	libs, dir        string
	port, controller int
	cmd              *exec.Cmd
}

// Addr takes connections in clear and without a login.
func (k *Kafka) Addr() string { return fmt.Sprintf("127.0.0.1:%d", k.port) }

// The internal topics are made small and the sessions short, so that a test
// does not wait for what a cluster needs.
const properties = `process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:%[1]d,CONTROLLER://127.0.0.1:%[2]d
advertised.listeners=PLAINTEXT://127.0.0.1:%[1]d
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.quorum.bootstrap.servers=127.0.0.1:%[2]d
log.dirs=%[3]s/logs
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
message.max.bytes=4194304
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=250
`

func (k *Kafka) configure(t testing.TB, text string, format ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(k.dir, "server.properties"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"format", "--standalone", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", "server.properties"}, format...)
	out, err := k.java("kafka.tools.StorageTool", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("format kafka's storage: %v\n%s", err, out)
	}
}

func (k *Kafka) java(class string, args ...string) *exec.Cmd {
	cmd := exec.Command("java", append([]string{"-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", k.libs + "/*", class}, args...)...)
	cmd.Dir = k.dir
	return cmd
}

func (k *Kafka) run(t testing.TB) {
	t.Helper()
	k.cmd = k.java("kafka.Kafka", "server.properties")
	var log strings.Builder
	k.cmd.Stdout, k.cmd.Stderr = &log, &log
	if err := k.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := k.answers()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("kafka does not answer: %v\n%s", err, log.String())
		}
	}
}

func (k *Kafka) answers() error {
	conn, err := kafka.Dial("tcp", k.Addr())
	if err != nil {
		return err
	}
	brokers, err := conn.Brokers()
	if err == nil && len(brokers) == 0 {
		err = errors.New("no broker is registered")
	}
	return errors.Join(err, conn.Close())
}

func (k *Kafka) stop(t testing.TB) {
	t.Helper()
	k.Thaw(t)
	if err := k.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("stop kafka: %v", err)
	}
	_ = k.cmd.Wait() // 143 is its normal end
}

// Stop stops it gently; Start starts it again.
func (k *Kafka) Stop(t testing.TB) { t.Helper(); k.stop(t) }

// Start starts it again after Stop, on the same port and files, and returns when
// it answers.
func (k *Kafka) Start(t testing.TB) { t.Helper(); k.run(t) }

// Restart is Stop and Start.
func (k *Kafka) Restart(t testing.TB) {
	t.Helper()
	k.stop(t)
	k.run(t)
}

// Freeze stops the broker where it stands: it accepts connections and says
// nothing.
func (k *Kafka) Freeze(t testing.TB) { k.signal(t, syscall.SIGSTOP) }

// Thaw lets it go on.
func (k *Kafka) Thaw(t testing.TB) { k.signal(t, syscall.SIGCONT) }

func (k *Kafka) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := k.cmd.Process.Signal(s); err != nil {
		t.Errorf("%v to kafka: %v", s, err)
	}
}
