package commands

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/calibrate/twomodels"
	"github.com/frostwatch/frostwatch/topics"
)

func writeCompared(w io.Writer, r *twomodels.Result) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "A is %s, B %s\n", named(r.A, r.Clips), named(r.B, r.Clips))
	fmt.Fprintf(&b, "%s from %s to %s, in stretches of a minute\n", counted(r.Clips, "clip"), r.Since.Local().Format(time.DateTime), r.Until.Local().Format(time.DateTime))
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", topics.Clean(note))
	}
	table := func(head string, rows int, row func(i int) string) {
		if rows == 0 {
			return
		}
		b.WriteByte('\n')
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0) // to memory
		_, _ = fmt.Fprintln(t, head)
		for i := range rows {
			_, _ = fmt.Fprintln(t, row(i))
		}
		_ = t.Flush()
	}
	table("CAMERA\tCLIPS\tSAME BEST LABEL", len(r.Cameras), func(i int) string {
		c := r.Cameras[i]
		return fmt.Sprintf("%s\t%d\t%d (%.0f%%)", topics.Clean(c.Camera), c.Clips, c.Same, 100*float64(c.Same)/float64(max(c.Clips, 1)))
	})
	table("LABEL\tCLIPS\tRANK CORRELATION\tMEAN CONTRAST A\tB\tMEAN DIFFERENCE", len(r.Labels), func(i int) string {
		l, rank := r.Labels[i], "-"
		if l.Rank != nil {
			rank = fmt.Sprintf("%.2f", *l.Rank)
		}
		return fmt.Sprintf("%s\t%d\t%s\t%.3g\t%.3g\t%.3g", topics.Clean(l.Label), l.Clips, rank, l.A, l.B, l.Apart)
	})
	table("RULE\tALERTS A\tB\tOF THE SAME", len(r.Rules), func(i int) string {
		u := r.Rules[i]
		return fmt.Sprintf("%s\t%d\t%d\t%d", topics.Clean(u.Rule), u.A, u.B, u.Both)
	})
	table("TIME\tCAMERA\tLABEL\tCONTRAST A\tB\tBEST A\tBEST B\tCLIP", len(r.Differ), func(i int) string {
		d := r.Differ[i]
		return topics.Clean(d.Start.Local().Format(time.DateTime)) + "\t" + strings.Join([]string{
			topics.Clean(d.Camera), topics.Clean(d.Label), fmt.Sprintf("%.3g", d.A), fmt.Sprintf("%.3g", d.B), topics.Clean(d.BestA), topics.Clean(d.BestB), topics.Clean(d.Clip),
		}, "\t")
	})
	_, err := w.Write(b.Bytes())
	return err
}

// named is a model with where what it saw of the clips comes from.
func named(s twomodels.Seen, clips int) string {
	from := "embedded now"
	switch {
	case s.Recorded == clips:
		from = "as recorded"
	case s.Recorded > 0:
		from = fmt.Sprintf("%d as recorded, the others embedded now", s.Recorded)
	}
	return fmt.Sprintf("%s (%s; %s)", topics.Clean(s.Model), topics.Clean(s.ID), from)
}

// learnt are thresholds that were found for a model that is to come.
type learnt struct {
	Kept    []topics.Threshold `json:"kept"`
	Without []string           `json:"without,omitempty"` // why there is none, most by camera and rule
}

// learn finds the thresholds of the second model, and puts them beside those in force.
func (x *comparing) learn(ctx context.Context, o twomodels.Options, dir string) (*learnt, error) {
	out := &learnt{Kept: []topics.Threshold{}}
	if x.rules == nil {
		out.Without = append(out.Without, "the rules in force are not known")
		return out, nil
	}
	marks, err := x.marks(ctx)
	if err != nil {
		return nil, err
	}
	found, err := twomodels.Learn(ctx, o, dir, x.cameras, marks, x.past.Now())
	if err != nil {
		return nil, fmt.Errorf("learn thresholds: %w", err)
	}
	now, err := thresholds(ctx, x.past.Bus, x.past.Names)
	if err != nil {
		return nil, fmt.Errorf("read the thresholds in force: %w", err)
	}
	inForce := map[string]topics.Threshold{}
	for _, t := range now {
		inForce[topics.RuleKey(t.Camera, t.Rule)] = t
	}
	enough := map[string]bool{}
	for _, t := range found {
		key := topics.RuleKey(t.Camera, t.Rule)
		enough[key] = true
		beside, has := inForce[key]
		if !has {
			out.Without = append(out.Without, key+": none is in force yet, beside which it could be kept")
			continue
		}
		beside.Next = &t
		if err := x.keep(ctx, key, beside); err != nil {
			return nil, err
		}
		out.Kept = append(out.Kept, t)
	}
	for _, t := range now {
		if key := topics.RuleKey(t.Camera, t.Rule); !enough[key] {
			out.Without = append(out.Without, key+": there is too little of its camera, an hour of clips is needed, or more for a small budget")
		}
	}
	if len(found) == 0 && len(now) == 0 {
		out.Without = append(out.Without, "no budget of false alarms has a threshold yet, beside which another one could be kept")
	}
	return out, nil
}

func (x *comparing) keep(ctx context.Context, key string, t topics.Threshold) error {
	value, err := topics.EncodeThreshold(t)
	if err != nil {
		return err
	}
	_, err = x.past.Bus.Send(ctx, bus.Message{Topic: x.past.Names.Of(topics.Thresholds), Key: []byte(key), PartitionBy: []byte(t.Camera), Value: value})
	if err != nil {
		return fmt.Errorf("keep the threshold of %s: %w", topics.Clean(key), err)
	}
	return nil
}

// marks are those of alerts: what was true does not count as a false alarm.
func (x *comparing) marks(ctx context.Context) (out []topics.Mark, err error) {
	rows, err := x.past.Bus.Table(x.past.Names.Of(topics.Marks)).List(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the marks: %w", err)
	}
	for key, m := range rows {
		if mark, err := topics.DecodeMark(m.Value); err == nil && mark.Alert == key {
			out = append(out, mark)
		}
	}
	return out, nil
}

// text says which thresholds were kept.
func (l *learnt) text(model string) string {
	var b strings.Builder
	b.WriteByte('\n')
	for _, t := range l.Kept {
		fmt.Fprintf(&b, "learnt: rule %s on %s raises from a contrast of %.4g with %s (%s, %s)\n", topics.Clean(t.Rule), topics.Clean(t.Camera), t.Raise, topics.Clean(model), t.Tail, counted(t.Clips, "clip"))
	}
	for _, text := range l.Without {
		fmt.Fprintf(&b, "not learnt: %s\n", topics.Clean(text))
	}
	if len(l.Kept) > 0 {
		b.WriteString("they count from the model's first clip on\n")
	}
	return b.String()
}
