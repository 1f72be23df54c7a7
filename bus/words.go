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

	"github.com/segmentio/kafka-go"
)

// callError is what became of something that was asked of Kafka, in words for people
// who know Kafka but not its clients. The cause stays for errors.Is and errors.As.
type callError struct {
	text  string
	cause error
}

func (e *callError) Error() string { return e.text }

func (e *callError) Unwrap() error { return e.cause }

// inWords says what was asked, of which broker (host:port; empty: any of those
// configured), and what came of it. An error that is in words already only gets what
// was asked before it.
func (c *Client) inWords(asked, broker string, err error) error {
	if err == nil {
		return nil
	}
	if errors.As(err, new(*callError)) || errors.As(err, new(*refusedError)) {
		return fmt.Errorf("%s: %w", asked, err)
	}
	if broker == "" {
		broker = strings.Join(c.Brokers, ", ")
	}
	return &callError{fmt.Sprintf("%s: kafka at %s %s", asked, broker, outcome(err)), err}
}

// outcome is what a broker did, as the end of a sentence that begins with it.
func outcome(err error) string {
	var code kafka.Error
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &code):
		return "answers: " + codeInWords(code)
	case errors.Is(err, context.Canceled):
		return "was not waited for"
	case errors.As(err, &dns):
		return "is unknown: no such host"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refuses the connection: nothing listens there"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "can't be reached: no route to it"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "gives no answer in time"
	case mentions(err, expectsTLS):
		return "closes the connection: it appears to expect TLS"
	case hungUp(err), errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return "closed the connection"
	}
	return "can't be asked: " + withoutCall(err)
}

// expectsTLS is kafka-go's text for a broker whose first bytes look like TLS.
const expectsTLS = "broker appears to be expecting TLS"

// mentions is whether an error or one of its causes has a text, for what libraries
// have no value for.
func mentions(err error, text string) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

// withoutCall leaves out the names of kafka-go's functions, which begin its errors.
func withoutCall(err error) string {
	text := err.Error()
	if name, rest, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(name, "kafka.(") {
		return rest
	}
	return text
}

// codeInWords is what an error code of Kafka means. The usual ones of a cluster that
// is starting, stopping or rebalancing are said as what they mean to us.
func codeInWords(code kafka.Error) string {
	text := map[kafka.Error]string{
		kafka.UnknownTopicOrPartition:      "there is no such topic or partition, or it may not be seen",
		kafka.LeaderNotAvailable:           "the partition has no leader at the moment",
		kafka.NotLeaderForPartition:        "the partition's leader has just changed",
		kafka.RequestTimedOut:              "it could not do this in time",
		kafka.BrokerNotAvailable:           "the broker that has to do this is not available",
		kafka.ReplicaNotAvailable:          "the replica is not available",
		kafka.GroupLoadInProgress:          "the group's coordinator is still starting",
		kafka.GroupCoordinatorNotAvailable: "the group has no coordinator at the moment",
		kafka.NotCoordinatorForGroup:       "the group's coordinator has just changed",
		kafka.NotEnoughReplicas:            "fewer replicas are in sync than the topic's min.insync.replicas",
		kafka.NotEnoughReplicasAfterAppend: "fewer replicas are in sync than the topic's min.insync.replicas",
		kafka.IllegalGeneration:            "the group's partitions have been assigned anew",
		kafka.UnknownMemberId:              "the group does not know this member any more",
		kafka.RebalanceInProgress:          "the group's partitions are being assigned anew",
		kafka.TopicAuthorizationFailed:     "access to the topic is denied",
		kafka.GroupAuthorizationFailed:     "access to the group is denied",
		kafka.ClusterAuthorizationFailed:   "access to the cluster is denied",
		kafka.SASLAuthenticationFailed:     "Authentication failed, see kafka.sasl",
		kafka.KafkaStorageError:            "its disk fails",
		kafka.OffsetOutOfRange:             "there is no record at this offset",
		kafka.MessageSizeTooLarge:          "the record is too large",
		kafka.InvalidRecord:                "the record is invalid",
	}[code]
	if text == "" {
		text = strings.ToLower(code.Title())
		if text == "" {
			text = "an error that is not known here"
		}
	}
	return fmt.Sprintf("%s (code %d)", text, int(code))
}
