package topics

// Headers of a dead letter. Its key and value are those of the original record.
const (
	HeaderReason    = "frostwatch-reason"    // why it could not be used, in words
	HeaderStage     = "frostwatch-stage"     // the stage that could not use it
	HeaderTopic     = "frostwatch-topic"     // the topic of the original record
	HeaderPartition = "frostwatch-partition" // decimal
	HeaderOffset    = "frostwatch-offset"    // decimal
)
