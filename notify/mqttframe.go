package notify

import (
	"fmt"
	"net"
)

// framedConn refuses messages of a broker that are larger than we have told it to send:
// paho would make room for whatever a message says it has, up to 256 MB. It is read by one
// goroutine.
type framedConn struct {
	net.Conn
	left  int // bytes of the message that are still to come
	size  int // of the message, as far as its header has been read
	shift int // of the size's next seven bits
	begun bool
}

// Read reads no further than to the end of a message's header or body, a byte at a time
// in the header.
func (c *framedConn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if c.left > 0 {
		n, err := c.Conn.Read(b[:min(len(b), c.left)])
		c.left -= n
		return n, err
	}
	n, err := c.Conn.Read(b[:1])
	if n == 0 {
		return n, err
	}
	if !c.begun {
		c.begun, c.size, c.shift = true, 0, 0
		return n, err
	}
	c.size |= int(b[0]&0x7f) << c.shift
	c.shift += 7
	if b[0]&0x80 == 0 || c.shift > 21 {
		c.begun, c.left = false, c.size
	}
	if c.size > maxMQTTMessage {
		return 0, fmt.Errorf("a message of more than %d bytes", maxMQTTMessage)
	}
	return n, err
}
