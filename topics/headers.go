package topics

// Headers of records that a worker sends while it holds a partition.
const (
	// HeaderGeneration is the generation of the sender's consumer group, decimal,
	// in which the sender was assigned the partition that it read. A reader
	// discards a record with a lower generation than one before it: its sender had
	// lost the partition and did not know it yet.
	HeaderGeneration = "frostwatch-generation"
	// HeaderQueued is how many milliseconds, decimal, the record waited in its
	// sender. A record's age is the broker's current time minus the record's time,
	// plus this.
	HeaderQueued = "frostwatch-queued-ms"
)
