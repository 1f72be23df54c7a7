package topics

// Headers of a dead-letter record, whose key and value are as they were.
const (
	HeaderReason    = "frostwatch-reason"    // why, in words
	HeaderStage     = "frostwatch-stage"     // the stage that gave up on it
	HeaderTopic     = "frostwatch-topic"     // the topic that it was on
	HeaderPartition = "frostwatch-partition" // decimal
	HeaderOffset    = "frostwatch-offset"    // decimal
)
