package topics

// Headers of any record that a worker sends for a partition that it holds.
const (
	// HeaderGeneration is the generation of the consumer group, decimal, under
	// which the sender held the partition that the record follows from. A reader
	// that has seen a newer one for the partition discards the record: its sender
	// had lost the partition without knowing it.
	HeaderGeneration = "frostwatch-generation"
	// HeaderQueued is for how many milliseconds, decimal, the record waited in its
	// sender: added to its age, which is the broker's now minus the record's time.
	HeaderQueued = "frostwatch-queued-ms"
)
