package e2e

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/topics"
)

const wokenConfig = `
kafka: {brokers: ["%s"], partitions: 1}
http: {listen: "%s"}
rules:
  - {name: fall, actions: [fall], score: {raise: 0.7, clear: 0.4}}
`

// noClips is after what time without clips an alert is cleared, and slept how much of a
// longer stop a worker that wakes counts towards that (alerts/tick.go).
const noClips, slept = time.Minute, 15 * time.Second

// An alerts worker is suspended for longer than its session, so shortly before it would
// clear its alert for want of clips that it tries to when it is woken. By then another
// worker has cleared that alert and raised the next one, whose own clear must be the
// only one that follows, also when the woken worker has the partition again.
func TestAWokenAlertsWorkerClearsNothingOfOthers(t *testing.T) {
	t.Parallel() // it mostly waits
	kafka := kafkatest.StartKafka(t)
	dir := t.TempDir()
	worker := func(name string) (*process, string) {
		at := freeAddress(t)
		file := filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(file, fmt.Appendf(nil, wokenConfig, kafka.Addr(), at), 0o600); err != nil {
			t.Fatal(err)
		}
		return start(t, "alerts", "--config", file), at
	}
	ready := func(at string) func() bool {
		return func() bool {
			resp, err := http.Get("http://" + at + "/readyz")
			if err != nil {
				return false // it does not serve yet
			}
			return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
		}
	}
	first, firstHTTP := worker("first")
	await(t, "the first worker", time.Minute, ready(firstHTTP))

	client, err := bus.New(bus.Options{Brokers: []string{kafka.Addr()}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	epoch, n := time.Now().UTC().Truncate(time.Second), 0
	recognise := func(score float64) {
		t.Helper()
		from := time.Duration(n) * time.Second
		n++
		value, err := topics.EncodeRecognition(topics.Recognition{
			ClipID: topics.ClipID("lobby", epoch, from), Camera: "lobby", Epoch: epoch, Sequence: uint64(n - 1),
			Start: epoch.Add(from), End: epoch.Add(from + 4*time.Second),
			Labels: []topics.LabelScore{{Label: "fall", Score: score}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Send(t.Context(), bus.Message{Topic: "frostwatch.actions", Key: []byte("lobby"), Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	var got []topics.Alert
	alerts := func(n int) func() bool {
		return func() bool { got, _ = kcatAlerts(t, kafka.Addr()); return len(got) >= n }
	}
	recognise(.9)
	await(t, "the first alert", time.Minute, alerts(1))
	raised := time.Now()
	second, secondHTTP := worker("second")
	await(t, "the second worker", time.Minute, ready(secondHTTP))

	time.Sleep(time.Until(raised.Add(noClips - slept/2)))
	suspended := time.Now()
	kafkatest.Suspend(t, first.cmd.Process)
	recognise(.1)
	await(t, "the clear by the second worker", time.Minute, alerts(2))
	t.Logf("the second worker took over within %v", time.Since(suspended).Round(time.Second))
	recognise(.9)
	await(t, "the second alert", time.Minute, alerts(3))
	if err := first.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	await(t, "the woken worker to be ready again", time.Minute, ready(firstHTTP))

	// The woken worker takes over again, by what stands on the topics.
	if err := second.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-second.ended
	recognise(.1)
	await(t, "the clear of the second alert", time.Minute, alerts(4))
	first.stop(t)
	alerts(0)()
	var order []string
	for _, a := range got {
		order = append(order, fmt.Sprintf("%s %s", a.State, a.ID))
	}
	a, b := got[0].ID, got[2].ID
	want := []string{"raised " + a, "cleared " + a, "raised " + b, "cleared " + b}
	if a == b || !slices.Equal(order, want) {
		t.Errorf("published %q, want %q", order, want)
	}
}
