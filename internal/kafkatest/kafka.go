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

// StartKafka starts a real Kafka of one node in KRaft mode. Its jars come from
// Maven Central into .native/kafka, once. Without java or mvn the test fails where
// CI=true and is skipped elsewhere.
func StartKafka(t testing.TB) Broker {
	t.Helper()
	return NewKafka(t)
}

// NewKafka is StartKafka, for tests that freeze the broker.
func NewKafka(t testing.TB) *Kafka {
	t.Helper()
	k := prepare(t)
	if err := k.configure(k.properties(), "--standalone"); err != nil {
		t.Fatal(err)
	}
	k.Start(t)
	t.Cleanup(func() { k.stop(t) })
	return k
}

// prepare finds what a broker needs to run, and makes a directory for it.
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
	return &Kafka{libs: libs, dir: t.TempDir(), port: freePort(t), controller: freePort(t), heap: "-Xmx512m"}
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
	heap             string // option of the JVM
	port, controller int
	cmd              *exec.Cmd // nil: it does not run
	log              strings.Builder
}

// Addr accepts unencrypted connections without a login.
func (k *Kafka) Addr() string { return fmt.Sprintf("127.0.0.1:%d", k.port) }

// The internal topics are small and the sessions short, so that a test does not
// wait for what a cluster in production needs.
const commonProperties = `process.roles=broker,controller
listeners=PLAINTEXT://127.0.0.1:%[1]d,CONTROLLER://127.0.0.1:%[2]d
advertised.listeners=PLAINTEXT://127.0.0.1:%[1]d
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
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

// properties are those of a cluster of one node.
func (k *Kafka) properties() string {
	return fmt.Sprintf(commonProperties, k.port, k.controller, k.dir) +
		fmt.Sprintf("node.id=1\ncontroller.quorum.bootstrap.servers=127.0.0.1:%d\n", k.controller)
}

// configure writes the configuration and formats the storage.
func (k *Kafka) configure(text string, format ...string) error {
	if err := os.WriteFile(filepath.Join(k.dir, "server.properties"), []byte(text), 0o644); err != nil {
		return err
	}
	args := append([]string{"format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", "server.properties"}, format...)
	if out, err := k.java("kafka.tools.StorageTool", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("format kafka's storage: %w\n%s", err, out)
	}
	return nil
}

func (k *Kafka) java(class string, args ...string) *exec.Cmd {
	cmd := exec.Command("java", append([]string{"-Xms64m", k.heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", k.libs + "/*", class}, args...)...)
	cmd.Dir = k.dir
	return cmd
}

// Start starts the broker, again on the same port and files where it ran before,
// and waits until it answers.
func (k *Kafka) Start(t testing.TB) {
	t.Helper()
	k.launch(t)
	k.await(t, 1)
}

func (k *Kafka) launch(t testing.TB) {
	t.Helper()
	cmd := k.java("kafka.Kafka", "server.properties")
	k.log.Reset()
	cmd.Stdout, cmd.Stderr = &k.log, &k.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	k.cmd = cmd
}

// await waits until the broker answers, and knows of so many brokers at least.
func (k *Kafka) await(t testing.TB, brokers int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := k.answers(brokers)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			_ = k.cmd.Process.Kill()
			_ = k.cmd.Wait() // the log is complete then
			k.cmd = nil
			t.Fatalf("kafka does not answer: %v\n%s", err, k.log.String())
		}
	}
}

func (k *Kafka) answers(want int) error {
	conn, err := kafka.Dial("tcp", k.Addr())
	if err != nil {
		return err
	}
	brokers, err := conn.Brokers()
	if err == nil && len(brokers) < want {
		err = fmt.Errorf("%d brokers are registered, want %d", len(brokers), want)
	}
	return errors.Join(err, conn.Close())
}

func (k *Kafka) stop(t testing.TB) {
	t.Helper()
	if k.cmd == nil {
		return
	}
	k.Thaw(t)
	k.signal(t, syscall.SIGTERM)
	_ = k.cmd.Wait() // its normal exit status is 143
	k.cmd = nil
}

// Stop stops the broker gently; Start starts it again.
func (k *Kafka) Stop(t testing.TB) {
	t.Helper()
	k.stop(t)
}

// Kill ends the broker at once, as kill -9 does.
func (k *Kafka) Kill(t testing.TB) {
	t.Helper()
	if k.cmd == nil {
		return
	}
	k.signal(t, syscall.SIGKILL)
	_ = k.cmd.Wait() // killed, as it should be
	k.cmd = nil
}

// Restart is Stop and Start.
func (k *Kafka) Restart(t testing.TB) {
	t.Helper()
	k.stop(t)
	k.Start(t)
}

// Freeze suspends the process: the kernel still accepts connections, and nobody
// answers.
func (k *Kafka) Freeze(t testing.TB) {
	t.Helper()
	Suspend(t, k.cmd.Process)
}

// Thaw lets the process continue.
func (k *Kafka) Thaw(t testing.TB) { k.signal(t, syscall.SIGCONT) }

func (k *Kafka) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := k.cmd.Process.Signal(s); err != nil {
		t.Errorf("%v to kafka: %v", s, err)
	}
}
