package bus

import (
	"strconv"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// HeaderCarrier lets OpenTelemetry's propagators read and write record
// headers.
type HeaderCarrier struct{ Headers *[]Header }

// Get is the last value of key, as Kafka's own clients read headers.
func (c HeaderCarrier) Get(key string) string {
	for i := len(*c.Headers) - 1; i >= 0; i-- {
		if h := (*c.Headers)[i]; h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// Set replaces key, on a copy: the records of a batch may share a header slice.
func (c HeaderCarrier) Set(key, value string) {
	kept := make([]Header, 0, len(*c.Headers)+1)
	for _, h := range *c.Headers {
		if h.Key != key {
			kept = append(kept, h)
		}
	}
	kept = append(kept, Header{Key: key, Value: []byte(value)})
	*c.Headers = kept
}

// Keys lists the headers' names.
func (c HeaderCarrier) Keys() []string {
	keys := make([]string, len(*c.Headers))
	for i, h := range *c.Headers {
		keys[i] = h.Key
	}
	return keys
}

// queued returns the headers of a record that is sent now, with how long it waited.
func (m Message) queued(now time.Time) []Header {
	if m.Since.IsZero() {
		return m.Headers
	}
	headers := m.Headers // Set leaves them alone
	waited := max(now.Sub(m.Since), 0).Milliseconds()
	HeaderCarrier{Headers: &headers}.Set(topics.HeaderQueued, strconv.FormatInt(waited, 10))
	return headers
}
