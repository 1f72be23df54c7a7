package relay

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/stagetest"
)

// While nothing happens before a camera, what it sends comes in few pieces, and all of it.
func TestCalm(t *testing.T) {
	more := make(chan bool)
	frame := append([]byte{'$', 0, 0, 60}, make([]byte, 60)...)
	const frames = 40
	at := stagetest.Serve(t, "127.0.0.1", func(c net.Conn) {
		in := newReader(c, 16<<10)
		_, m, err := in.next()
		if err != nil || m == nil {
			return
		}
		if _, err := io.WriteString(c, "RTSP/1.0 200 OK\r\nCSeq: "+m.get("CSeq")+"\r\n\r\n"); err != nil {
			return
		}
		for range more {
			for range frames {
				if _, err := c.Write(frame); err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		}
		_, _ = in.b.ReadByte() // until the relay is closed
	})
	r := open(t, "rtsp://"+at+"/live")
	v := view(t, r)
	if got := v.ask("PLAY", r.URL()); got[:15] != "RTSP/1.0 200 OK" {
		t.Fatal(got)
	}
	pieces := func() (n int, took time.Duration) {
		begun := time.Now()
		more <- true
		for got := 0; got < frames*len(frame); n++ {
			buf := make([]byte, 64<<10)
			read, err := v.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(buf[:min(read, 4)], frame[:min(read, 4)]) {
				t.Fatalf("a piece begins with %x", buf[:min(read, 4)])
			}
			got += read
		}
		return n, time.Since(begun)
	}
	r.Calm(true)
	if n, took := pieces(); n > 3+int(took/calmWhile) {
		t.Errorf("%d frames came in %d pieces in %v", frames, n, took)
	}
	r.Calm(false)
	if n, took := pieces(); n <= 1+int(took/calmWhile) && took < 2*calmWhile {
		t.Errorf("%d frames came in %d pieces in %v, though something happens", frames, n, took)
	}
	r.Calm(true) // and a relay that gathers can be closed
	close(more)
}
