package notify

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// unreached is why a server can't be reached, without the address at which it was looked
// for: who shows it names that before.
func unreached(err error, address string) error {
	var lookup *net.DNSError
	if errors.As(err, &lookup) && lookup.IsNotFound {
		return errors.New("no such host")
	}
	var op *net.OpError
	if !errors.As(err, &op) {
		return err
	}
	why := op.Err
	var call *os.SyscallError
	if errors.As(why, &call) {
		why = call.Err
	}
	if op.Addr != nil && op.Addr.String() != address {
		return fmt.Errorf("%s: %w", op.Addr, why)
	}
	return why
}
