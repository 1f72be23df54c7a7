package e2e

import (
	"syscall"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

const (
	// frozenTime is how long a stage may take to notice that the broker is frozen,
	// and to end while it is.
	frozenTime = 10 * time.Second
	allowance  = 3 * time.Second // the machine's
)

// The broker is suspended: it neither answers nor closes connections. Every stage is not
// ready, is ready again once the broker goes on, and ends in time if it is told to while
// the broker is suspended.
func TestStagesNoticeAFrozenBroker(t *testing.T) {
	t.Parallel()
	need(t, "redis-server", "redis-cli")
	kafka := kafkatest.NewKafka(t)
	rig := newStages(t, kafka.Addr())
	rig.startRedis(t)
	stages := map[string]*process{}
	for _, stage := range []string{"alerts", "infer", "ingest"} {
		stages[stage] = rig.run(t, stage)
	}
	rig.awaitReady(t)

	kafka.Freeze(t)
	frozen := time.Now()
	t.Cleanup(func() { kafka.Thaw(t) })
	for stage := range stages {
		await(t, stage+" to be not ready", time.Minute, func() bool { return !rig.ready(t, stage) })
		if took := time.Since(frozen); took > frozenTime+allowance {
			t.Errorf("%s is not ready %v after the freeze", stage, took)
		}
	}
	kafka.Thaw(t)
	rig.awaitReady(t)

	kafka.Freeze(t)
	told := time.Now()
	for stage, p := range stages {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatalf("stop %s: %v", stage, err)
		}
	}
	for stage, p := range stages {
		select {
		case <-p.ended:
			if took := time.Since(told); took > frozenTime+allowance {
				t.Errorf("%s ended %v after SIGTERM", stage, took)
			}
		case <-time.After(time.Minute):
			t.Errorf("%s still runs a minute after SIGTERM", stage)
		}
	}
}
