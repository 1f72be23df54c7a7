package up

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/topics"
)

// banner prints what is watched and where everything is. added counts the cameras
// that people have added.
func (u *up) banner(added int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Frostwatch %s watches %s. Ctrl-C stops it.\n\n", u.Version, u.watched(added))
	row := func(what, where, how string) { fmt.Fprintf(&b, "  %-11s %-28s %s\n", what, where, how) }
	row("alerts", u.at.Kafka, fmt.Sprintf("kcat -C -b %s -t %salerts   # apt-get install kcat", u.at.Kafka, u.cfg.Kafka.Prefix))
	row("vocabulary", u.at.Redis, fmt.Sprintf("redis-cli -p %d HSET %svocab:%s \"person waving\" \"\"", Port(u.at.Redis), u.cfg.Redis.Prefix, u.cfg.Vocab.Name))
	if u.sim != nil {
		row("video", u.at.RTSP, "ffplay "+u.sim.URL(u.served[0])+"   # apt-get install ffmpeg")
	}
	row("metrics", u.at.HTTP, fmt.Sprintf("curl http://%s/metrics", u.at.HTTP))
	row("rules", u.cfgPath, "edit the file: rules and cameras take effect at once")
	if u.cfg.Infer.Bundle == u.demoBundle() {
		fmt.Fprintf(&b, "\n  The demo model recognises twelve actions of drawn people. On real video its results mean nothing:\n  import a FROSTER or CLIP checkpoint and pass it with --model.\n")
	}
	b.WriteByte('\n')
	_, err := io.WriteString(u.Out, b.String())
	return err
}

// watched counts the cameras by where they come from: the demo or flags, the file,
// and people.
func (u *up) watched(added int) string {
	own, file := len(u.cameras), len(u.cfg.Cameras)
	var of []string
	switch {
	case own > 0 && u.demonstrates():
		of = append(of, countedCameras(own)+" of the demo")
	case own > 0:
		of = append(of, countedCameras(own)+" named by flags")
	}
	if file > 0 {
		text := fmt.Sprintf("%s of %s", countedCameras(file), u.cfgPath)
		if own == 0 {
			text += " in place of the demo's"
		}
		of = append(of, text)
	}
	if added > 0 {
		of = append(of, countedCameras(added)+" added by people")
	}
	return strings.Join(of, " and ")
}

// added counts the cameras on the table that come neither from flags nor from the
// file.
func (u *up) added(ctx context.Context, pr *process.Process) (n int, err error) {
	t, err := pr.Cameras()
	if err != nil {
		return 0, err
	}
	all, err := t.List(ctx)
	if err != nil {
		return 0, err
	}
	own := map[string]bool{}
	for _, c := range u.cameras {
		own[c.Name] = true
	}
	for _, c := range u.cfg.Cameras {
		own[c.Name] = true
	}
	for _, c := range all {
		if !own[c.Name] && c.Source != topics.SourceUp && c.Source != topics.SourceFile {
			n++
		}
	}
	return n, nil
}
