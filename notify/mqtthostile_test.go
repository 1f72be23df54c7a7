package notify

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// Brokers that do not do as brokers do: what is sent to them is not accepted, in time, and
// the connection is ended, whatever they do.
func TestHostileMQTTBrokers(t *testing.T) {
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	wait := func(net.Conn) { <-over } // keeps the connection open, and reads nothing
	for name, c := range map[string]struct {
		serve func(net.Conn)
		want  string
	}{
		"says nothing":           {func(c net.Conn) { _, _ = c.Read(make([]byte, 1)); wait(c) }, ""},
		"hangs up":               {func(net.Conn) {}, ""},
		"garbage":                {func(c net.Conn) { _, _ = c.Write([]byte(strings.Repeat("\xff\x1b[2J", 1000))); wait(c) }, ""},
		"a packet of 256 MB":     {func(c net.Conn) { acknowledge(c, 1); _, _ = c.Write([]byte{0x30, 0xff, 0xff, 0xff, 0x7f}); pour(c) }, ""},
		"never acknowledges":     {func(c net.Conn) { acknowledge(c, 3); discard(c) }, "no acknowledgement in time"},
		"reads no more":          {func(c net.Conn) { acknowledge(c, 3); wait(c) }, "no acknowledgement in time"},
		"acknowledges no thing":  {func(c net.Conn) { acknowledge(c, 1); discard(c) }, ""},
		"refuses with odd codes": {func(c net.Conn) { _, _ = c.Write([]byte{0x20, 0x03, 0x00, 0xff, 0x00}); wait(c) }, "refuses the connection"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						defer func() { _ = conn.Close() }()
						c.serve(conn)
					}()
				}
			}()
			begun := time.Now()
			err = plan(t, fmt.Sprintf("- {name: ha, mqtt: {url: 'mqtt://%s', private: true, timeout: 1500ms, password: paSSw0rd, username: u}}", l.Addr())).Test(t.Context(), "ha", noon)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "paSSw0rd") || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%v, want %q", err, c.want)
			}
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// No room is made for what a broker says that it sends.
func TestLargeMQTTMessagesAreRefused(t *testing.T) {
	for size, refused := range map[int]bool{0: false, 100: false, 20_000: false, maxMQTTMessage: false, maxMQTTMessage + 1: true, 1<<28 - 1: true} {
		ours, theirs := net.Pipe()
		go func() {
			for range 2 { // messages
				header := []byte{0x30}
				for left := size; ; left >>= 7 {
					if left < 0x80 {
						header = append(header, byte(left))
						break
					}
					header = append(header, byte(left)|0x80)
				}
				_, _ = theirs.Write(header)
				_, _ = theirs.Write(make([]byte, min(size, maxMQTTMessage)))
			}
			_ = theirs.Close()
		}()
		var got int
		c := &framedConn{Conn: ours}
		var err error
		for b := make([]byte, 1<<15); err == nil; {
			var n int
			n, err = c.Read(b)
			got += n
		}
		_ = ours.Close()
		if refused != strings.Contains(err.Error(), "a message of more than") || !refused && got < 2*size || refused && got > 10 {
			t.Errorf("%d: %d bytes, %v", size, got, err)
		}
	}
}

// acknowledge answers as many packets as a broker should: connect, subscribe, publish.
func acknowledge(c net.Conn, most int) {
	for n := 0; n < most; n++ {
		p, err := packets.ReadPacket(c)
		if err != nil {
			return
		}
		switch p := p.Content.(type) {
		case *packets.Pingreq:
			n--
			_, _ = c.Write([]byte{0xd0, 0})
		case *packets.Connect:
			_, _ = (&packets.Connack{Properties: &packets.Properties{}}).WriteTo(c)
		case *packets.Subscribe:
			_, _ = (&packets.Suback{PacketID: p.PacketID, Reasons: []byte{1, 1}, Properties: &packets.Properties{}}).WriteTo(c)
		case *packets.Publish:
			_, _ = (&packets.Puback{PacketID: p.PacketID, Properties: &packets.Properties{}}).WriteTo(c)
		}
	}
}

func discard(c net.Conn) {
	for b := make([]byte, 1<<10); ; {
		if _, err := c.Read(b); err != nil {
			return
		}
	}
}

func pour(c net.Conn) {
	for b := make([]byte, 1<<20); ; {
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}
