package embedded_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
)

// However a log is damaged, the broker starts, has every record of which no byte was
// touched, invents none, and the next start finds nothing more to mend.
func TestAnyDamageToALogIsMended(t *testing.T) {
	whole := t.TempDir()
	b := started(t, whole, quiet())
	c := connect(t, b.Addr(), quiet())
	if err := c.Ensure(within(t, time.Minute), []bus.TopicSpec{table, kept}); err != nil {
		t.Fatal(err)
	}
	const records = 30
	send(t, c, 0, records)
	for i := range records {
		if _, err := c.Send(within(t, time.Minute), bus.Message{Topic: kept.Name, Key: fmt.Append(nil, i), Value: strconv.AppendInt(nil, int64(i), 10)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	b.Close()
	log, err := os.ReadFile(logOf(t, whole))
	if err != nil {
		t.Fatal(err)
	}
	begin := append(batchesOf(log), len(log))
	for seed := range uint64(40) {
		chance := rand.New(rand.NewPCG(seed, 20)) //nolint:gosec // the same at each run
		damaged, from, to, what := damage(slices.Clone(log), chance)
		dir := t.TempDir()
		if err := errors.Join(os.CopyFS(dir, os.DirFS(whole)), os.WriteFile(logOf(t, dir), damaged, 0o644)); err != nil {
			t.Fatal(err)
		}
		if seed%2 == 0 { // as after a crash
			if err := os.Remove(filepath.Join(filepath.Dir(logOf(t, dir)), "snapshot.json")); err != nil {
				t.Fatal(err)
			}
		}
		b, err := embedded.StartBroker(embedded.BrokerOptions{Dir: dir, Logger: quiet()})
		if err != nil {
			t.Errorf("seed %d, %s from %d to %d: %v", seed, what, from, to, err)
			continue
		}
		c := connect(t, b.Addr(), quiet())
		got := values(t, c)
		for i := range records {
			touched := begin[i] < to && from < begin[i+1]
			if !touched && !slices.Contains(got, i) {
				t.Errorf("seed %d, %s from %d to %d: record %d is lost, which is at %d to %d", seed, what, from, to, i, begin[i], begin[i+1])
			}
		}
		if slices.ContainsFunc(got, func(i int) bool { return i < 0 || i >= records }) || !slices.Equal(got, slices.Compact(slices.Clone(got))) {
			t.Errorf("seed %d, %s from %d to %d: it holds %v", seed, what, from, to, got)
		}
		if n := len(readAll(t, c, kept.Name)); n != records {
			t.Errorf("seed %d: another topic has %d records", seed, n)
		}
		send(t, c, records, records+1)
		again(t, b, dir, append(got, records))
	}
}

// damage changes a log, and returns which bytes of the log that was it has touched.
func damage(log []byte, chance *rand.Rand) (out []byte, from, to int, what string) {
	noise := make([]byte, 1+chance.IntN(300))
	for i := range noise {
		noise[i] = byte(chance.Uint32())
	}
	at := chance.IntN(len(log))
	end := min(at+len(noise), len(log))
	switch chance.IntN(6) {
	case 0:
		return log[:at], at, len(log), "cut off"
	case 1:
		log[at] ^= 1 << chance.IntN(8)
		return log, at, at + 1, "a bit"
	case 2:
		copy(log[at:], noise)
		return log, at, end, "noise"
	case 3:
		clear(log[at:end])
		return log, at, end, "zeros"
	case 4:
		return append(log, noise...), len(log), len(log), "noise behind it"
	default:
		return slices.Insert(log, at, noise...), at, at + 1, "noise within"
	}
}
