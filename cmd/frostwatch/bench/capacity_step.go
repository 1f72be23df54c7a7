package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// capacityStep is what was measured with one number of cameras.
type capacityStep struct {
	Cameras int     `json:"cameras"`
	Seconds float64 `json:"seconds"`
	// Cores and MB of each process. Other is the broker, and what measures.
	Ingest   float64 `json:"ingest_cores"`
	Infer    float64 `json:"infer_cores"`
	Simulate float64 `json:"simulator_cores"`
	Other    float64 `json:"other_cores"`
	IngestMB float64 `json:"ingest_mb"`
	InferMB  float64 `json:"infer_mb"`

	Recognised int    `json:"recognised"` // clips
	Seen       int    `json:"seen"`       // by the model; the others are of quiet spells
	Lost       int    `json:"lost"`       // clips that never came
	Late       int    `json:"late"`
	Busy       delays `json:"window_end_to_recognition"`       // of clips in which something moves
	Quiet      delays `json:"window_end_to_recognition_quiet"` // they wait for a keyframe
	Served     bool   `json:"served"`
	Load       string `json:"load"`
}

const (
	// lateMost is how long after its window's end a clip's recognition may be recorded. One
	// of a quiet spell, or in which one begins or ends, is complete only when the next
	// keyframe that is decoded comes.
	lateMost      = 2 * time.Second
	lateMostQuiet = lateMost + 5*time.Second
)

// used is the processor time of the processes that are measured.
type used struct{ ingest, infer, simulate, other time.Duration }

func (r *capacityRig) used() (u used, err error) {
	for _, p := range []struct {
		c  *child
		to *time.Duration
	}{{r.ingest, &u.ingest}, {r.infer, &u.infer}, {r.sim, &u.simulate}} {
		if *p.to, err = cpuOf(strconv.Itoa(p.c.cmd.Process.Pid)); err != nil {
			return u, err
		}
	}
	u.other, err = ownCPU()
	return u, err
}

// measure measures for a while, and judges.
func (r *capacityRig) measure(ctx context.Context, cameras int, d time.Duration) (out capacityStep, err error) {
	before, err := r.used()
	if err != nil {
		return out, err
	}
	begun := time.Now()
	if !pause.For(ctx, d) {
		return out, context.Cause(ctx)
	}
	after, err := r.used()
	if err != nil {
		return out, err
	}
	took := time.Since(begun)
	cores := func(before, after time.Duration) float64 { return (after - before).Seconds() / took.Seconds() }
	out = capacityStep{
		Cameras: cameras, Seconds: took.Seconds(), Load: loadAverage(),
		Ingest: cores(before.ingest, after.ingest), Infer: cores(before.infer, after.infer),
		Simulate: cores(before.simulate, after.simulate), Other: cores(before.other, after.other),
		IngestMB: residentMB(strconv.Itoa(r.ingest.cmd.Process.Pid)), InferMB: residentMB(strconv.Itoa(r.infer.cmd.Process.Pid)),
	}
	return out, r.judge(ctx, begun, begun.Add(took), &out)
}

// judge reads what was recorded.
func (r *capacityRig) judge(ctx context.Context, from, until time.Time, out *capacityStep) error {
	courses := map[string]*course{}
	for i := range out.Cameras {
		courses[cameraName(i)] = &course{}
	}
	var busy, quiet []seenRecord
	// What is late has its window's end before the measurement.
	_, err := r.past.Actions(ctx, archive.Range{Since: from}, func(a archive.Record[topics.Recognition]) error {
		c := courses[a.Value.Camera]
		if c == nil || a.Time.Before(from) || a.Time.After(until) {
			return nil
		}
		c.see(a.Value, a.Time, r.stride)
		record := seenRecord{a.Value.ClipID, a.Value.End, a.Time}
		if a.Value.Quiet {
			quiet = append(quiet, record)
		} else {
			busy = append(busy, record)
		}
		if a.Value.EmbeddedAs == "" {
			out.Seen++
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read recognitions: %w", err)
	}
	for _, c := range courses {
		out.Late += c.late
		out.Lost += c.end(from, until, r.stride)
	}
	end := func(s seenRecord) (time.Time, bool) { return s.windowEnd, true }
	out.Busy, out.Quiet = delaysFrom(busy, end), delaysFrom(quiet, end)
	out.Recognised = len(busy) + len(quiet)
	out.Served = out.Late == 0 && out.Lost == 0
	return nil
}

// course is which windows of a camera were recognised, and when.
type course struct {
	latest time.Time // the end of the newest
	lost   int
	late   int
	quiet  bool // the newest is of a quiet spell
	// held is the newest if it is late unless the next is of a quiet spell.
	held bool
}

func (c *course) see(a topics.Recognition, recorded time.Time, stride time.Duration) {
	if !c.latest.IsZero() {
		c.lost += max(int((a.End.Sub(c.latest)+stride/2)/stride)-1, 0)
	}
	if c.held && !a.Quiet {
		c.late++
	}
	took := recorded.Sub(a.End)
	slow := took > lateMost && took <= lateMostQuiet
	c.held = slow && !a.Quiet && !c.quiet
	if took > lateMostQuiet {
		c.late++
	}
	c.quiet = a.Quiet || slow && c.quiet
	if a.End.After(c.latest) {
		c.latest = a.End
	}
}

// end returns how many windows are lacking, those included that should have come until the
// end of the measurement.
func (c *course) end(from, until time.Time, stride time.Duration) int {
	if c.latest.IsZero() {
		c.latest = from
	}
	return c.lost + int(max(until.Sub(c.latest)-lateMostQuiet, 0)/stride)
}
