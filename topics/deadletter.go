package topics

// Headers of a dead-letter record, whose key and value are as they were.
const (
	HeaderReason    = "frostwatch-reason"    // why, in words
	HeaderStage     = "frostwatch-stage"     // who gave up on it
	HeaderTopic     = "frostwatch-topic"     // where it lay
	HeaderPartition = "frostwatch-partition" // decimal
	HeaderOffset    = "frostwatch-offset"    // decimal
)
