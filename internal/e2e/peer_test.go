package e2e

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
)

// A camera served by somebody else's RTSP server, which is killed and started again.
func TestAnotherRTSPServer(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3" // Debian's: it has the GStreamer bindings
	if err := exec.Command(python, "-c", `import gi; gi.require_version("GstRtspServer", "1.0")`).Run(); err != nil {
		shared.Missing(t, "GStreamer's RTSP server (`make setup-test` installs it)")
	}
	address := freeAddress(t)
	serve := func() *exec.Cmd {
		cmd := exec.Command(python, "gstserver.py", address[strings.LastIndexByte(address, ':')+1:],
			filepath.Join(shared.Root(t), "cmd", "frostwatch", "demo", "data", "corridor_fall.mp4"))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		return cmd
	}
	server := serve()
	p, at := up(t, t.TempDir(), "--camera", "tcp=rtsp://"+address+"/cam")
	streams := func() int {
		rs, _ := kcatActions(t, at.Kafka)
		return len(epochs(rs)["tcp"])
	}
	await(t, "recognitions", time.Minute, func() bool { return streams() == 1 })
	await(t, "the fall", time.Minute, func() bool { alerts, _ := kcatAlerts(t, at.Kafka); return len(alerts) > 0 })

	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait() // killed
	await(t, "a reason", 30*time.Second, func() bool {
		return strings.Contains(p.output(), "connection refused") || strings.Contains(p.output(), "refused the connection")
	})
	server = serve()
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	await(t, "recognitions of a second stream", time.Minute, func() bool { return streams() == 2 })
	p.stop(t)
}
