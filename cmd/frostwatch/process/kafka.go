package process

import (
	"log/slog"

	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/tlsfiles"
)

// Kafka makes the client of the configured cluster that every part of the program
// uses. No broker has to answer yet. meter may be nil.
func Kafka(k config.Kafka, clientID string, log *slog.Logger, meter metric.Meter) (*bus.Client, error) {
	o := bus.Options{Brokers: k.Brokers, ClientID: clientID, Logger: log, Meter: meter}
	if t := k.TLS; t.Enabled {
		o.TLS = &tlsfiles.Options{CA: t.CA, Cert: t.Cert, Key: t.Key, ServerName: t.ServerName}
	}
	if s := k.SASL; s.Mechanism != "" {
		o.SASL = &bus.SASLOptions{Mechanism: s.Mechanism, Username: s.Username, Password: s.Password.Reveal()}
	}
	return bus.New(o)
}
