package notify

import (
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

func newMetrics(i *telemetry.Instruments) metrics {
	return metrics{
		sent:       i.CounterBy("frostwatch.notify.sent", "events that a receiver accepted"),
		failed:     i.CounterBy("frostwatch.notify.failed", "attempts that failed"),
		held:       i.CounterBy("frostwatch.notify.held", "events that were held back to be sent together"),
		silenced:   i.CounterBy("frostwatch.notify.silenced", "events that a silence or the profile kept from being delivered"),
		withheld:   i.CounterBy("frostwatch.notify.withheld", "events that were not delivered because a second opinion says no"),
		expired:    i.CounterBy("frostwatch.notify.expired", "events that were not delivered: too old, or refused"),
		unreadable: i.CounterBy("frostwatch.notify.unreadable", "records of alerts that could not be read"),
		latency:    i.Seconds("frostwatch.notify.seconds", "from the record of an alert to its acceptance", .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86400),

		asked:       i.CounterBy("frostwatch.notify.asked", "questions to a model about alerts"),
		verdicts:    i.CounterBy("frostwatch.notify.verdicts", "alerts by what the second opinion says: yes, no, unsure or unverified"),
		opinionTime: i.Seconds("frostwatch.notify.asked_seconds", "from a question to the model's answer, or until it was not waited for any more", .1, .25, .5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 60),
	}
}
