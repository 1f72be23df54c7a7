package notify

import (
	"context"

	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// metrics are by receiver.
type metrics struct {
	sent, failed, held, silenced, withheld, expired, unreadable metric.Int64Counter
	latency                                                     metric.Float64Histogram

	asked, verdicts metric.Int64Counter // of second opinions: by no receiver
	opinionTime     metric.Float64Histogram
}

// begin makes a receiver's counters exist: a rate over one that appears with its first event
// misses that event.
func (m *metrics) begin(by metric.MeasurementOption) {
	for _, c := range []metric.Int64Counter{m.sent, m.failed, m.held, m.silenced, m.withheld, m.expired, m.unreadable} {
		c.Add(context.Background(), 0, by)
	}
}

func newMetrics(i *telemetry.Instruments) metrics {
	return metrics{
		sent:       i.CounterBy("frostwatch.notify.sent", "{event}", "events that were accepted, by receiver"),
		failed:     i.CounterBy("frostwatch.notify.failed", "{attempt}", "attempts that failed, by receiver"),
		held:       i.CounterBy("frostwatch.notify.held", "{event}", "events that were held back to be sent together, by receiver"),
		silenced:   i.CounterBy("frostwatch.notify.silenced", "{event}", "events that a silence or the profile kept from being delivered, by receiver"),
		withheld:   i.CounterBy("frostwatch.notify.withheld", "{event}", "events that were not delivered because a second opinion says no, by receiver"),
		expired:    i.CounterBy("frostwatch.notify.expired", "{event}", "events that were not delivered, too old or refused, by receiver"),
		unreadable: i.CounterBy("frostwatch.notify.unreadable", "{record}", "records of alerts that could not be read, by receiver"),
		latency:    i.Seconds("frostwatch.notify.latency", "from the record of an alert to its acceptance, by receiver", .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86400),

		asked:       i.CounterBy("frostwatch.notify.questions", "{question}", "questions to a model about alerts"),
		verdicts:    i.CounterBy("frostwatch.notify.verdicts", "{alert}", "alerts by what the second opinion says: yes, no, unsure or unverified"),
		opinionTime: i.Seconds("frostwatch.notify.question.duration", "from a question to the model's answer, or until it was not waited for any more", .1, .25, .5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 60),
	}
}
