package bus

import (
	"errors"

	"github.com/segmentio/kafka-go"
)

// Denial is what Kafka does not allow this client, until its operator grants it.
type Denial int

// The kinds of denials.
const (
	DeniesNothing Denial = iota // an error of another kind
	DeniesLogin
	DeniesGroup   // joining a consumer group
	DeniesTopic   // reading, writing or describing a topic
	DeniesCluster // such as creating topics
)

// DenialOf says what an error of a call denies.
func DenialOf(err error) Denial {
	switch {
	case errors.Is(err, kafka.SASLAuthenticationFailed):
		return DeniesLogin
	case errors.Is(err, kafka.GroupAuthorizationFailed):
		return DeniesGroup
	case errors.Is(err, kafka.TopicAuthorizationFailed):
		return DeniesTopic
	case errors.Is(err, kafka.ClusterAuthorizationFailed):
		return DeniesCluster
	}
	return DeniesNothing
}
