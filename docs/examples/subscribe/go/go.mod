module example.com/subscribe

go 1.26

require (
	github.com/segmentio/kafka-go v0.4.51
	google.golang.org/protobuf v1.36.12
)
