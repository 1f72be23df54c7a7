package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/segmentio/kafka-go"
)

func TestErrorsAreInPlainWords(t *testing.T) {
	c := &Client{Options: Options{Brokers: []string{"one:9092", "two:9092"}}}
	lib := func(err error) error { return fmt.Errorf("kafka.(*Client).Produce: %w", err) }
	for _, test := range []struct {
		err  error
		want string
	}{
		{lib(context.DeadlineExceeded), "send to topic clips: kafka at one:9092, two:9092 gives no answer in time"},
		{lib(&net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}), "send to topic clips: kafka at one:9092, two:9092 gives no answer in time"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "send to topic clips: kafka at one:9092, two:9092 refuses the connection: nothing listens there"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "one"}}, "send to topic clips: kafka at one:9092, two:9092 is unknown: no such host"},
		{lib(io.ErrUnexpectedEOF), "send to topic clips: kafka at one:9092, two:9092 closed the connection"},
		{lib(net.ErrClosed), "send to topic clips: kafka at one:9092, two:9092 closed the connection"},
		{lib(kafka.BrokerNotAvailable), "send to topic clips: kafka at one:9092, two:9092 answers: the broker that has to do this is not available (code 8)"},
		{kafka.UnknownLeaderEpoch, "send to topic clips: kafka at one:9092, two:9092 answers: unknown leader epoch (code 75)"},
		{kafka.Error(9999), "send to topic clips: kafka at one:9092, two:9092 answers: an error that is not known here (code 9999)"},
		{lib(errors.New("something else")), "send to topic clips: kafka at one:9092, two:9092 can't be asked: something else"},
		{&callError{"look up topic clips: kafka at one:9092 gives no answer in time", context.DeadlineExceeded}, "send to topic clips: look up topic clips: kafka at one:9092 gives no answer in time"},
	} {
		got := c.inWords("send to topic clips", "", test.err)
		if got.Error() != test.want || !errors.Is(got, test.err) {
			t.Errorf("%v is said as %q, want %q with its cause", test.err, got, test.want)
		}
	}
	tls := c.inWords("connect", "one:9092", fmt.Errorf("%w: %s", io.ErrUnexpectedEOF, expectsTLS))
	if !permanent(tls) || !strings.Contains(tls.Error(), "TLS") {
		t.Errorf("a broker that expects TLS: %v (permanent: %v)", tls, permanent(tls))
	}
}
