package up

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
)

// patience is how long the broker may take to start before a line says why: it reads
// all of its files, which takes some ten seconds for 10 GB (docs/benchmarks.md).
const patience = 2 * time.Second

// startBroker starts the broker, and prints a line if checking its files takes long.
func (u *up) startBroker() error {
	dir := filepath.Join(u.Data, "kafka")
	return ifSlow(patience, func() { u.printChecking(dir) }, func() (err error) {
		u.broker, err = embedded.StartBroker(embedded.BrokerOptions{Dir: dir, Port: Port(u.at.Kafka), Bound: u.bound(), Logger: u.log})
		return err //nolint:wrapcheck // says what it was doing
	})
}

// ifSlow calls do, and report as well if do has not returned after a while. It returns
// when both have.
func ifSlow(after time.Duration, report func(), do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		report()
		return <-done
	}
}

// printChecking prints that the broker's files are being checked, and their size.
func (u *up) printChecking(dir string) {
	u.printTrouble("start", fmt.Sprintf("checking the broker's files (%.1f GB)", float64(embedded.SizeOf(dir))/1e9))
}
