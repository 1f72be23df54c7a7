package process

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

// Rules in Redis are put in force beside those of the file, whichever is edited.
func TestRulesOfTheFileAndOfRedisAreInForce(t *testing.T) {
	store := redistest.Start(t)
	store.HSet(t, "frostwatch:rules", "wave", `actions: ["person waving"]`, "run", "actions: [")
	servers := fmt.Sprintf("kafka: {brokers: ['127.0.0.1:1']}\nredis: {address: '%s'}\n", store.Addr)
	e := newEdits(t, servers+"rules: ["+fall+"]\n")
	parts, err := e.Alerts()
	if err != nil {
		t.Fatal(err)
	}
	stop := e.run(t, append(parts, e.Following()...)...)
	warning := func(rule string) string { return e.reporter.look().Warnings["rule in Redis "+rule] }
	await(t, "the broken rule to be reported", func() bool { return strings.Contains(warning("run"), "it is skipped: value:1") })
	if e.said("rule wave added") {
		t.Error("a rule that was there before is confirmed as an edit")
	}
	store.HSet(t, "frostwatch:rules", "run", "actions: [running]", "fight", "actions: [boxing]")
	await(t, "rules to be added", func() bool { return e.said("rule run added") && e.said("rule fight added") && warning("run") == "" })

	e.write(t, servers+"rules: ["+fall+", "+fight+"]\n")
	await(t, "the file's rule to count", func() bool {
		return strings.Contains(warning("fight"), "the configuration file has a rule of this name")
	})
	await(t, "the change to be confirmed", func() bool { return e.said("rule fight changed") })
	e.write(t, servers+"rules: ["+fight+"]\n")
	await(t, "a rule of the file to be removed", func() bool { return e.said("rule fall removed") })
	if e.said("rule wave removed") || e.said("rule run removed") {
		t.Error("an edit of the file removes rules in Redis")
	}
	if err := store.Client.HDel(t.Context(), "frostwatch:rules", "fight", "wave").Err(); err != nil {
		t.Fatal(err)
	}
	await(t, "a rule in Redis to be removed", func() bool { return e.said("rule wave removed") && warning("fight") == "" })
	if e.said("rule fight removed") {
		t.Error("the file's rule is removed with the one in Redis")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// Who may write to Redis can make a thousand rules that can't be used, with names of any length,
// and make them anew: neither the log nor the worker's record has a line for each.
func TestBadRulesInRedisFloodNothing(t *testing.T) {
	var log stagetest.Log
	r := &ruleSources{Process: &Process{log: log.Logger(), reporter: newReporter()}}
	bad := map[string]error{}
	for i := range 1000 {
		bad[fmt.Sprintf("r%03d", i)] = errors.New("it is skipped: value:1")
	}
	bad["a"+strings.Repeat("x", 200_000)] = errors.New("it is skipped: a name that is too long")
	for range 3 {
		r.reportSkipped(bad)
		r.skipped = bad
	}
	if n := log.Count("\n"); n != maxSkipped+1 || !log.Contains("rules=981") {
		t.Errorf("%d lines", n)
	}
	warnings := r.reporter.look().Warnings
	if len(warnings) != maxSkipped+1 || warnings[partMoreStored] != "981 more are skipped: see `frostwatch rule ls`" {
		t.Errorf("%d warnings: %q", len(warnings), warnings[partMoreStored])
	}
	for part := range warnings {
		if len(part) > 600 {
			t.Errorf("a part of %d bytes", len(part))
		}
	}
	r.reportSkipped(map[string]error{"r500": errors.New("it is skipped: value:1")})
	if warnings = r.reporter.look().Warnings; len(warnings) != 1 || warnings[partStoredRule+"r500"] == "" {
		t.Errorf("left are %q", warnings)
	}
}
