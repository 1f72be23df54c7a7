package commands

import (
	"context"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
)

// word is a word of a command line: what stands in quotes, or between blanks.
var word = regexp.MustCompile(`'[^']*'|[^\s']+`)

// What docs/cameras.md gives as examples is taken: commands and flags are there, and what
// is wrong is at most that nothing runs here.
func TestTheCommandsOfTheCamerasPage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/cameras.md")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := filepath.Join(t.TempDir(), "nothing")
	tried := 0
	for line := range strings.Lines(string(page)) {
		line, isExample := strings.CutPrefix(line, "    frostwatch camera ")
		if !isExample || strings.HasPrefix(line, "probe 'rtsp") || strings.HasPrefix(line, "discover") {
			continue
		}
		line, _, _ = strings.Cut(line, "  #")
		args := []string{"camera"}
		for _, w := range word.FindAllString(line, -1) {
			args = append(args, strings.Trim(w, "'"))
		}
		out, _ := command(t, append(args, "--data", nowhere)...)
		if tried++; !strings.Contains(out, "nothing runs here") && !strings.Contains(out, "name --data or --config") {
			t.Errorf("%s: %s", line, out)
		}
	}
	if tried < 10 {
		t.Errorf("%d examples", tried)
	}
}

// A URL is tried without anything that runs, and the password is not shown.
func TestCameraProbe(t *testing.T) {
	film := filepath.Join(t.TempDir(), "film.mp4")
	made := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=10:duration=4", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-g", "10", film)
	if out, err := made.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	sim := startCamsim(t, film)
	t.Setenv("CAM_PASSWORD", "hunter2")
	nothing := filepath.Join(t.TempDir(), "nothing")
	picture := filepath.Join(t.TempDir(), "picture.jpg")
	url := strings.Replace(sim, "hunter2", "${CAM_PASSWORD}", 1)
	for _, c := range []struct {
		args []string
		want string // a regular expression; "!" first: it fails
	}{
		{[]string{url, "--for", "1500ms", "--picture", picture}, `(?s)^rtsp://viewer:\$\{CAM_PASSWORD\}@127[^\n]*\n  comes by +RTSP over TCP.*codec +h264, profile High.*picture +320x240, yuv420p\n.*frame rate +\d.*keyframes +one each 1 s.*sound +none`},
		{[]string{film, "--for", "2s", "--json"}, `(?s)"recorded": true,.*"codec": "h264",.*"keyframe_interval_s": 1,`},
		{[]string{strings.Replace(sim, "hunter2", "wr0ng", 1), "--for", "1s"}, `!^frostwatch: login: wrong user name or password\n$`},
		{[]string{url, "--for", "1ms"}, `!watch a camera for 1ms: want 1s to 5m0s`},
		{[]string{"ftp://127.0.0.1/x"}, `!url: its scheme "ftp" is not one of`},
		{[]string{"lobby"}, `!"lobby" is taken for a camera's name, since it is no URL`},
	} {
		out, ok := command(t, append([]string{"camera", "probe", "--data", nothing}, c.args...)...)
		want, fails := strings.CutPrefix(c.want, "!")
		if ok == fails || !regexp.MustCompile(want).MatchString(out) || strings.Contains(out, "hunter2") || strings.Contains(out, "wr0ng") {
			t.Errorf("camera probe %q: %v, %s", c.args, ok, out)
		}
	}
	if b, err := os.ReadFile(picture); err != nil || len(b) < 500 {
		t.Errorf("a picture of %d bytes: %v", len(b), err)
	}
}

// A device that answers is printed with what it says, and nothing is sent to where it
// leads.
func TestCameraDiscover(t *testing.T) {
	device, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var answering sync.WaitGroup
	answering.Go(func() {
		b := make([]byte, 4<<10)
		for {
			n, from, err := device.ReadFromUDP(b)
			if err != nil {
				return
			}
			id := regexp.MustCompile(`<w:MessageID>(.*?)<`).FindSubmatch(b[:n])
			_, _ = device.WriteToUDP([]byte(`<E><Header><RelatesTo>`+string(id[1])+`</RelatesTo></Header><Body><ProbeMatches><ProbeMatch><Scopes>onvif://www.onvif.org/name/Gate%20West onvif://www.onvif.org/hardware/X1</Scopes><XAddrs>http://169.254.169.254/latest</XAddrs></ProbeMatch></ProbeMatches></Body></E>`), from)
		}
	})
	t.Cleanup(func() {
		_ = device.Close()
		answering.Wait()
	})
	t.Setenv("CAM_PASSWORD", "hunter2")
	nothing := filepath.Join(t.TempDir(), "nothing")
	at := device.LocalAddr().String()
	for _, c := range []struct{ args, want string }{
		{"--at " + at, `^127\.0\.0\.1  Gate West  X1\n    refused  a service at 169\.254\.169\.254, which is not the address that answered \(127\.0\.0\.1\)\nfor their streams: --user NAME`},
		{"--at " + at + " --user viewer --password-env CAM_PASSWORD", `its streams are not known: it names no service that may be asked\n$`},
		{"--at " + at + " --json", `(?s)"address": "127.0.0.1",.*"name": "Gate West"`},
		{"--user viewer", `!want --user and --password-env together`},
		{"--user viewer --password-env hunter2!", `!want the name of an environment variable`},
		{"--at somewhere", `!--at "somewhere": want an address`},
		{"--for 1h", `!--for 1h0m0s: want`},
	} {
		args := strings.Fields(c.args)
		if !strings.Contains(c.args, "--for") {
			args = append(args, "--for", "400ms")
		}
		out, ok := command(t, append([]string{"camera", "discover", "--data", nothing}, args...)...)
		want, fails := strings.CutPrefix(c.want, "!")
		if ok == fails || !regexp.MustCompile(want).MatchString(out) || strings.Contains(out, "hunter2") {
			t.Errorf("camera discover %s: %v, %s", c.args, ok, out)
		}
	}
}

// startCamsim serves a film to whoever knows the password, and returns its URL.
func startCamsim(t *testing.T, film string) string {
	t.Helper()
	sim, err := camsim.New(camsim.Options{Addr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler), NoUDP: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.AddFile("cam", film, camsim.FileOptions{User: "viewer", Password: "hunter2"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = sim.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return sim.URL("cam")
}
