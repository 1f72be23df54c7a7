package up

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/console/cameraedit"
	"github.com/frostwatch/frostwatch/topics"
)

// banner prints what is watched and where everything is.
func (u *up) banner(people edited) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Frostwatch %s watches %s. Ctrl-C stops it.\n\n", u.Version, u.watched(people))
	row := func(what, where, how string) { fmt.Fprintf(&b, "  %-11s %-28s %s\n", what, where, how) }
	row("console", u.consoleURL(), "cameras and what they show, in a browser")
	row("new words", "from another terminal", u.watchCommand())
	row("alerts", u.at.Kafka, withTool("kcat", "kcat", fmt.Sprintf("-C -b %s -t %salerts", u.at.Kafka, u.cfg.Kafka.Prefix)))
	row("vocabulary", u.at.Redis, withTool("redis-cli", "redis-tools", fmt.Sprintf("-p %d HSET %svocab:%s \"person waving\" \"\"", Port(u.at.Redis), u.cfg.Redis.Prefix, u.cfg.Vocab.Name)))
	if u.sim != nil {
		row("video", u.at.RTSP, withTool("ffplay", "ffmpeg", u.sim.URL(u.served[0])))
	}
	row("metrics", u.at.HTTP, withTool("curl", "curl", fmt.Sprintf("http://%s/metrics", u.at.HTTP)))
	row("rules", u.cfgPath, "edit the file: rules and cameras take effect at once")
	row("data", u.Data, u.sizeLine())
	if u.cfg.Infer.Bundle == u.demoBundle() {
		fmt.Fprintf(&b, "\n  The demo model recognises twelve actions of drawn people. On real video its results mean nothing:\n  pass a model with --model: pe-core-b16 is downloaded, FROSTER and CLIP can be imported (docs/models.md).\n")
	}
	b.WriteByte('\n')
	_, err := io.WriteString(u.Out, b.String())
	return err
}

// withTool is a command to try, and where its program is missing here, the package of
// Debian's that has it: nothing of Frostwatch needs it.
func withTool(program, pkg, arguments string) string {
	line := program + " " + arguments
	if _, err := exec.LookPath(program); err != nil {
		line += "   # optional: apt-get install " + pkg
	}
	return line
}

// watchCommand is a command that watches for something else: on the demo, for what
// one of its cameras shows.
func (u *up) watchCommand() string {
	command, words := "frostwatch watch", "person waving"
	if u.demonstrates() {
		words = "person sitting on a chair"
	}
	if u.Data != DefaultData {
		command += " --data " + u.Data
	}
	return fmt.Sprintf("%s %q", command, words)
}

// edited counts the cameras that people have added, and those of `up` itself and of the
// file that they have removed.
type edited struct{ added, ownRemoved, fileRemoved int }

// watched counts the cameras by where they come from: the demo or flags, the file,
// and people.
func (u *up) watched(people edited) string {
	own, file := len(u.cameras), len(u.cfg.Cameras)
	var of []string
	switch {
	case own > 0 && u.demonstrates():
		of = append(of, leftOf(own, people.ownRemoved, " of the demo"))
	case own > 0:
		of = append(of, leftOf(own, people.ownRemoved, " named by flags"))
	}
	if file > 0 {
		text := " of " + u.cfgPath
		if own == 0 {
			text += " in place of the demo's"
		}
		of = append(of, leftOf(file, people.fileRemoved, text))
	}
	if people.added > 0 {
		of = append(of, countedCameras(people.added)+" added by people")
	}
	return strings.Join(of, " and ")
}

// leftOf counts the cameras that are left when some were removed.
func leftOf(all, removed int, of string) string {
	text := countedCameras(all-removed) + of
	if removed > 0 {
		text += fmt.Sprintf(" (%d removed by people)", removed)
	}
	return text
}

// edits counts what people have done to the cameras. The file's own are brought to the
// table later.
func (u *up) edits(ctx context.Context, pr *process.Process) (e edited, err error) {
	t, err := pr.Cameras()
	if err != nil {
		return e, err
	}
	all, err := t.List(ctx)
	if err != nil {
		return e, err
	}
	there, known := map[string]bool{}, map[string]bool{}
	for _, c := range all {
		there[c.Name] = true
	}
	removed := func(owner cameras.Owner, of []topics.Camera) int {
		var absent []topics.Camera
		for _, c := range of {
			known[c.Name] = true
			if !there[c.Name] {
				absent = append(absent, c)
			}
		}
		lines, fault := t.NotInForce(ctx, owner, absent)
		err = errors.Join(err, fault)
		return len(lines)
	}
	e.ownRemoved = removed(upOwner, u.cameras)
	e.fileRemoved = removed(cameras.Owner{Source: topics.SourceFile, ID: u.at.Config}, cameraedit.OfFile(u.cfg))
	for _, c := range all {
		if !known[c.Name] && c.Source != topics.SourceUp && c.Source != topics.SourceFile {
			e.added++
		}
	}
	return e, err
}

func (u *up) consoleURL() string {
	if u.cfg.Console.TLS.Cert != "" {
		return "https://" + u.at.Console
	}
	return "http://" + u.at.Console
}
