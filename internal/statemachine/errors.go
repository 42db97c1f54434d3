package statemachine

import "github.com/ottla/ottla/internal/kafka"

// CoordinatorError turns an error of the log into the one a coordinator's client is told, so that the client
// does what helps: look for the coordinator again, try later, or give up. The table is that of Kafka's
// CoordinatorOperationExceptionHelper; the texts say what happened underneath.
func CoordinatorError(err error) error {
	code := kafka.CodeOf(err)
	switch code {
	case kafka.NetworkException:
		code = kafka.CoordinatorLoadInProgress
	case kafka.UnknownTopicOrPartition, kafka.NotEnoughReplicas, kafka.RequestTimedOut:
		code = kafka.CoordinatorNotAvailable
	case kafka.NotLeaderOrFollower, kafka.FencedLeaderEpoch, kafka.KafkaStorageError:
		code = kafka.NotCoordinator
	case kafka.MessageTooLarge, kafka.RecordListTooLarge, kafka.InvalidFetchSize:
		code = kafka.UnknownServerError
	default:
		return err
	}
	return kafka.Errorf(code, "%v", err)
}
