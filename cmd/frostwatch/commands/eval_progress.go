package commands

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/eval"
)

// evalLineEvery is how often a line is printed if the output is no terminal.
const evalLineEvery = 30 * time.Second

// barLeast is the length of the shortest bar that is drawn.
const barLeast = 10

// evalProgress shows the progress of an evaluation: a bar on a terminal, otherwise
// lines.
type evalProgress struct {
	out      io.Writer
	terminal bool
	width    func() int // columns of the terminal
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
	s.draw(s.bar(p, fmt.Sprintf("%3d%%  %s", 100*p.Done/p.Total, s.line(now))))
}

// bar puts a bar before a text, if there is room for it.
func (s *evalProgress) bar(p eval.Progress, text string) string {
	wide := min(barWidth, s.room()-len(text)-len("[] "))
	if wide < barLeast {
		return text
	}
	full := wide * p.Done / p.Total
	return fmt.Sprintf("[%s%s] %s", strings.Repeat("#", full), strings.Repeat(".", wide-full), text)
}

// draw replaces the last text by another, cut to one line: a text that wraps would
// not be overwritten by the next.
func (s *evalProgress) draw(text string) {
	s.say("\r%s\x1b[K", text[:min(len(text), s.room())])
}

// room is the length of a line without its last column, at which a terminal may
// wrap.
func (s *evalProgress) room() int { return max(s.width()-1, 0) }

// texts shows the progress of embedding the classes, which comes before the first
// video.
func (s *evalProgress) texts(p eval.Progress, now time.Time) {
	switch {
	case s.terminal:
		s.drew = true
		s.draw(fmt.Sprintf("class texts: %d of %d embedded", p.Texts, p.AllTexts))
	case p.Texts == 0 || now.Sub(s.drawn) >= evalLineEvery:
		s.drawn = now
		s.say("class texts: %d of %d embedded\n", p.Texts, p.AllTexts)
	}
}

// line is the text that both forms show.
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

// end moves on from the bar's line.
func (s *evalProgress) end() {
	if s.drew && s.terminal {
		s.say("\n")
	}
}

func (s *evalProgress) say(format string, args ...any) {
	// The evaluation goes on even if nobody can read its progress.
	_, _ = fmt.Fprintf(s.out, format, args...)
}
