package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/internal/eval"
)

// evalLineEvery is how often a line is printed where no person watches.
const evalLineEvery = 30 * time.Second

// evalProgress tells how far an evaluation is: a bar that is drawn again and
// again on a terminal, lines elsewhere.
type evalProgress struct {
	out      io.Writer
	terminal bool
	now      func() time.Time

	begun, drawn time.Time
	latest       eval.Progress
	drew         bool
}

func (s *evalProgress) show(p eval.Progress) {
	now := s.now()
	if p.AllTexts > 0 {
		s.texts(p, now)
		return
	}
	if s.begun.IsZero() {
		s.begun = now
		if !s.terminal {
			s.drawn = now
		}
	}
	s.latest = p
	every := barEvery
	if !s.terminal {
		every = evalLineEvery
	}
	if now.Sub(s.drawn) < every && p.Done != p.Total {
		return
	}
	s.drawn, s.drew = now, true
	if !s.terminal {
		s.say("%s\n", s.line(now))
		return
	}
	full := barWidth * p.Done / p.Total
	s.say("\r[%s%s] %3d%%  %s\x1b[K", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), 100*p.Done/p.Total, s.line(now))
}

// texts tells of the classes, which take a while before the first video.
func (s *evalProgress) texts(p eval.Progress, now time.Time) {
	switch {
	case s.terminal:
		s.drew = true
		s.say("\rclass texts: %d of %d embedded\x1b[K", p.Texts, p.AllTexts)
	case p.Texts == 0 || now.Sub(s.drawn) >= evalLineEvery:
		s.drawn = now
		s.say("class texts: %d of %d embedded\n", p.Texts, p.AllTexts)
	}
}

// line is what stands in every form.
func (s *evalProgress) line(now time.Time) string {
	p := s.latest
	out := fmt.Sprintf("%d of %d videos", p.Done, p.Total)
	if p.Known > 0 {
		out += fmt.Sprintf(", %d known", p.Known)
	}
	if p.Broken > 0 {
		out += fmt.Sprintf(", %d broken", p.Broken)
	}
	if p.Answers > 0 {
		out += fmt.Sprintf(", top-1 %.1f%% so far", 100*float64(p.Right)/float64(p.Answers))
	}
	took := now.Sub(s.begun)
	if fresh := p.Done - p.Known; fresh > 0 && p.Clips > 0 && took > time.Second {
		out += fmt.Sprintf(", %.1f clips/s", float64(p.Clips)/took.Seconds())
		if left := p.Total - p.Done; left > 0 {
			out += fmt.Sprintf(", %s to go", (took / time.Duration(fresh) * time.Duration(left)).Round(time.Second))
		}
	}
	return out
}

// end leaves the bar's line.
func (s *evalProgress) end() {
	if s.drew && s.terminal {
		s.say("\n")
	}
}

func (s *evalProgress) say(format string, args ...any) {
	// The evaluation goes on without anyone to tell.
	_, _ = fmt.Fprintf(s.out, format, args...)
}
