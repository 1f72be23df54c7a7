package embedded

import (
	"fmt"
	"net"
)

// listen listens for the broker, which tells clients the address of its listener.
func (o BrokerOptions) listen(network, address string) (net.Listener, error) {
	l, err := net.Listen(network, address)
	if err != nil || o.Advertise == "" {
		return l, err
	}
	at, err := net.ResolveTCPAddr(network, o.Advertise)
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("address for clients: %w", err)
	}
	return advertised{l, at}, nil
}

// advertised listens in one place and says that it does in another.
type advertised struct {
	net.Listener
	at net.Addr
}

func (a advertised) Addr() net.Addr { return a.at }
