package commands

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/topics"
)

// Each command prints what it has done to a camera, and warnings about it.
func TestCameraCommands(t *testing.T) {
	broker := kafkatest.StartEmbedded(t)
	client, err := bus.New(bus.Options{Brokers: []string{broker.Addr()}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	n := topics.Names{Prefix: "c."}
	if err := client.Ensure(t.Context(), bus.TopicSpecs(n, 2, 1)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pipeline.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, "kafka:\n  brokers: [%q]\n  prefix: \"c.\"\ningest: {allow: [169.254.0.0/16], env: [LOBBY]}\ncameras: [{name: own, url: \"rtsp://127.0.0.1:8554/own\"}]\n", broker.Addr()), 0o600); err != nil {
		t.Fatal(err)
	}
	heard := topics.StreamStatus{
		Camera: "lobby", State: topics.StreamStreaming, Since: time.Now().Add(-90 * time.Second), Worker: "w", Codec: "h264", Width: 1920, Height: 1080, FPS: 25,
	}
	status, err := topics.EncodeStatus(heard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Send(t.Context(), bus.Message{Topic: n.Of(topics.Status), Key: []byte("lobby"), Value: status}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		want []string // regular expressions; "!" first: it fails
		not  string
	}{
		{"ls", []string{"no cameras: add one"}, ""},
		{"add lobby rtsp://viewer:${LOBBY}@10.0.0.7/s --tag indoor --tag ward", []string{`^camera lobby added: rtsp://viewer:\$\{LOBBY\}@10\.0\.0\.7/s, tags indoor, ward\n`, `needs LOBBY in its environment, and under ingest\.env`}, "warning"},
		{"add door rtsp://viewer:hunter2@10.0.0.8/s", []string{`^camera door added: rtsp://viewer:\*\*\*@10\.0\.0\.8/s\n`, `warning: camera door: its URL holds a password, which everyone who may read the cameras topic can now see`}, "hunter2"},
		{"set lobby --tag night", []string{`^camera lobby changed: rtsp://viewer:\$\{LOBBY\}@10\.0\.0\.7/s, tags night\n`}, ""},
		{"set lobby", []string{"!", `camera set: nothing to change: want --tag, --url`}, "changed:"},
		{"set lobby --tag night", []string{`^camera lobby is already like this: nothing changed\n$`}, ""},
		{"set lobby --window 10", []string{"!", `want a number with a unit such as 4\.267s`}, "time:"},
		{"set lobby --stride 10", []string{"!", `want a number of steps such as "4 steps", or a number with a unit`}, "time:"},
		{"add lobby rtsp://viewer:${LOBBY}@10.0.0.7/s", []string{`note: camera lobby had tags night, which are gone: .camera set. changes only`}, ""},
		{"set lobby --tag night", []string{`^camera lobby changed`}, ""},
		{"set lobby --stride 3s", []string{`tags night\n`}, ""},
		{"set lobby --views centre,zoom", []string{`^camera lobby changed: [^\n]*, tags night, views centre, zoom\n`}, ""},
		{"set lobby --views zoom,centre", []string{"!", `camera lobby: view zoom: want another view before it`}, ""},
		{"set lobby --decode demand", []string{`tags night, views centre, zoom, decode demand\n`}, ""},
		{"set lobby --decode often", []string{"!", `decode`}, "changed"},
		{"set lobby --decode=", []string{`views centre, zoom\n`}, "decode"},
		{"set lobby --watch rtsp://viewer:hunter2@10.0.0.7/sub", []string{`^camera lobby changed: rtsp://viewer:\$\{LOBBY\}@10\.0\.0\.7/s, looked at by rtsp://viewer:\*\*\*@10\.0\.0\.7/sub, tags night`, `warning: camera lobby: its URL holds a password`}, "hunter2"},
		{"ls --json", []string{`"watch": "rtsp://viewer:\*\*\*@10\.0\.0\.7/sub"`}, "hunter2"},
		{"set lobby --watch rtsp://${OTHER}@127.0.0.1/sub", []string{`warning: camera lobby: the ingest workers refuse it: 127\.0\.0\.1 is this machine itself`, `its URL uses \$\{OTHER\}: add OTHER to ingest\.env`}, ""},
		{"set lobby --watch rtsp://viewer:${LOBBY}@10.0.0.7/s", []string{"!", `camera lobby: watch is the same as url`}, ""},
		{"set lobby --watch file:///a.mp4", []string{"!", `camera lobby: watch: it is for cameras with two streams, and one of the two is a file`}, ""},
		{"set lobby --watch ftp://10.0.0.7/s", []string{"!", `camera lobby: watch: its scheme "ftp" is not one of ingest\.protocols`}, ""},
		{"set lobby --watch rtsp://10.0.0.7/sub --record none", []string{`no packets of it are kept, so that its url is not read`}, ""},
		{"set lobby --watch= --record=", []string{`tags night, views centre, zoom\n`}, "looked at"},
		{"set lobby --record events --pre 20s --post 0s", []string{`views centre, zoom, record events\n`}, "warning"},
		{"set lobby --record always", []string{"!", `camera lobby: record "always": want events or none`}, ""},
		{"set lobby --pre 2m", []string{"!", `camera lobby: pre 2m0s: want 0s to 1m0s`}, ""},
		{"set lobby --pre soon", []string{"!", `--pre "soon": want a number with a unit such as 10s`}, ""},
		{"set lobby --record= --pre= --post=", []string{`views centre, zoom\n`}, "record"},
		{"set lobby --views=", []string{`tags night\n`}, "views"},
		{"set lobby --disable", []string{`tags night, disabled\n`}, ""},
		{"ls", []string{`(?m)^lobby +stopped .* it is disabled$`}, ""},
		{"set lobby --disable=false", []string{`tags night\n`}, "disabled"},
		{"set lobby --mask 0,0,1,1", []string{"!", `--mask: polygon "0,0,1,1": corner "0,0,1,1": want corners as fractions`}, ""},
		{"set lobby --mask 0,0", []string{"!", `camera lobby: mask: 1 corners: want 2 to 64`}, ""},
		{"ls", []string{`(?m)^NAME +STATE +CODEC +SIZE +FPS +SINCE +WORKER +TAGS +URL +REASON`,
			`(?m)^door +- +- +- +- +- +- +- +rtsp://viewer:\*\*\*@10\.0\.0\.8/s +no worker has taken it up`,
			`(?m)^lobby +streaming +h264 +1920x1080 +25 +\dm\d+s +w +night +rtsp://viewer:\$\{LOBBY\}@10\.0\.0\.7/s`}, "hunter2"},
		{"add gate ftp://10.0.0.9/s", []string{"!", `camera gate: url: its scheme "ftp" is not one of ingest.protocols`}, ""},
		{"add gate notaurl", []string{"!", `camera gate: url: want rtsp://host/path`}, ""},
		{"add loop rtsp://127.0.0.1:8554/s", []string{`^camera loop added: `, `warning: camera loop: the ingest workers refuse it: 127\.0\.0\.1 is this machine itself: to allow it, add this camera to cameras`}, ""},
		{"set loop --vocab ward --tag x", []string{`^camera loop changed: `}, "refuse"},
		{"set loop --url rtsp://127.0.0.1:8554/t", []string{`warning: camera loop: the ingest workers refuse it: 127`}, ""},
		{"add film file:///videos/a.mp4", []string{`warning: camera film: the ingest workers refuse it: it is a file on this worker`}, ""},
		{"add linked rtsp://169.254.3.4/s", []string{`^camera linked added: rtsp://169\.254\.3\.4/s\n$`}, "refuse"},
		{"add own rtsp://127.0.0.1:8554/own", []string{`^camera own added: [^\n]*\n$`}, "refuse"},
		{"add back rtsp://viewer:${BACK_PASSWORD}@10.0.0.9/s", []string{`warning: camera back: the ingest workers refuse it: its URL uses \$\{BACK_PASSWORD\}: add BACK_PASSWORD to ingest\.env in \S+pipeline\.yaml, and restart the workers with BACK_PASSWORD in their environment`}, "note:"},
		{"rm back", []string{"camera back removed"}, ""},
		{"rm loop film linked own", []string{"camera own removed"}, ""},
		{"add gate", []string{"!", "want NAME and URL; to change the tags of a camera alone, use `camera set NAME"}, ""},
		{"add gate rtsp://10.0.0.9/s --stride 10ms", []string{"!", `camera gate: stride of 10ms: want 50ms`}, ""},
		{"add gate rtsp://10.0.0.9/s --window 5m --stride 100ms", []string{"!", `camera gate: stride of 100ms in a window of 5m0s: want at least a hundredth`}, ""},
		{"set gate --tag x", []string{"!", `camera "gate": there is no such camera`}, ""},
		{"rm gate", []string{"!", `camera "gate": there is no such camera`}, ""},
		{"rm gate lobby", []string{"!", `frostwatch: camera "gate": there is no such camera; none was removed`}, "lobby removed"},
		{"rm", []string{"!", `frostwatch: camera rm: want NAME`}, ""},
		{"rm door lobby", []string{`^camera door removed\ncamera lobby removed\n$`}, ""},
		{"ls --json", []string{`^\[\]\n$`}, ""},
	} {
		out, ok := command(t, append(append([]string{"camera"}, strings.Fields(c.args)...), "--config", file)...)
		want := c.want
		if want[0] == "!" {
			want, ok = want[1:], !ok
		}
		for _, w := range want {
			if !ok || !regexp.MustCompile(w).MatchString(out) {
				t.Errorf("camera %s: want %s in\n%s", c.args, w, out)
			}
		}
		if c.not != "" && strings.Contains(out, c.not) {
			t.Errorf("camera %s: %s is in\n%s", c.args, c.not, out)
		}
		if c.args == "set lobby --stride 3s" {
			checkCameraJSON(t, file)
			checkMasks(t, file)
			checkZones(t, file)
		}
	}
}

// checkZones adds zones, draws one anew, and removes one and all.
func checkZones(t *testing.T, file string) {
	t.Helper()
	for _, c := range []struct {
		zones []string
		want  string // a regular expression; "!" first: it fails
	}{
		{[]string{"door=0.1,0.2 0.4,0.9", "fence=0,0 1,0.1"}, `, zones door, fence\n`},
		{[]string{"door=0.1,0.2 0.5,0.9"}, `, zones door, fence\n`},
		{[]string{"fence="}, `, zones door\n`},
		{[]string{"fence="}, `!--zone "fence=": camera lobby has no such zone`},
		{[]string{"0,0 1,1"}, `!--zone "0,0 1,1": want NAME=CORNERS`},
		{[]string{"gate=0,0 2,1"}, `!camera lobby: zone gate: corner 2,1: want fractions of the picture, 0 to 1`},
		{[]string{"the gate=0,0 1,1"}, `!camera lobby: zone "the gate": want a name of 1 to 64 letters`},
	} {
		args := []string{"camera", "set", "lobby", "--config", file}
		for _, z := range c.zones {
			args = append(args, "--zone", z)
		}
		want, fails := strings.CutPrefix(c.want, "!")
		if out, ok := command(t, args...); ok == fails || !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("--zone %q: want %s in\n%s", c.zones, want, out)
		}
	}
	if out, ok := command(t, "camera", "set", "lobby", "--mask", "0,0 1,1", "--config", file); !ok || !strings.Contains(out, "warning: camera lobby: its masks cover all of zone door") {
		t.Errorf("a zone under a mask: %s", out)
	}
	if out, ok := command(t, "camera", "ls", "--config", file); !ok || !regexp.MustCompile(`TAGS +ZONES +URL(?s:.)*lobby .* door +rtsp`).MatchString(out) {
		t.Errorf("camera ls: %s", out)
	}
	if out, ok := command(t, "camera", "ls", "--json", "--config", file); !ok || !strings.Contains(out, `"door": "0.1,0.2 0.5,0.9"`) {
		t.Errorf("camera ls --json: %s", out)
	}
	if out, ok := command(t, "camera", "set", "lobby", "--zone", "", "--mask", "", "--config", file); !ok || strings.Contains(out, "zones") {
		t.Errorf("--zone '': %s", out)
	}
}

func checkMasks(t *testing.T, file string) {
	t.Helper()
	for _, c := range []struct{ mask, want string }{
		{"0,0 0.4,0.3", "tags night, 1 masked\n(.+\n)*note: camera lobby: clips and evidence that were recorded before show what is masked now\n$"},
		{"0,0 0.4,0.3", "nothing changed\n$"},
		{"", "tags night\n(note: each ingest worker .*\n)?$"},
	} {
		if out, ok := command(t, "camera", "set", "lobby", "--mask", c.mask, "--config", file); !ok || !regexp.MustCompile(c.want).MatchString(out) {
			t.Errorf("--mask %q: want %s in\n%s", c.mask, c.want, out)
		}
	}
}

func checkCameraJSON(t *testing.T, file string) {
	t.Helper()
	out, ok := command(t, "camera", "ls", "--json", "--config", file)
	var rows []cameraRow
	if err := json.Unmarshal([]byte(out), &rows); !ok || err != nil || len(rows) != 2 {
		t.Fatalf("%v: %s", err, out)
	}
	if r := rows[1]; r.Name != "lobby" || r.State != "streaming" || r.Codec != "h264" || r.Width != 1920 || r.FPS != 25 || r.Worker != "w" ||
		r.Since == nil || r.Source != "person" || len(r.Tags) != 1 || r.Tags[0] != "night" || r.Stride == nil || r.Stride.Time != 3*time.Second {
		t.Errorf("got %+v", r)
	}
	if r := rows[0]; r.State != "" || r.Reason != "no worker has taken it up" || strings.Contains(r.URL, "hunter2") {
		t.Errorf("got %+v", r)
	}
}
