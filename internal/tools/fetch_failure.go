package tools

import (
	"errors"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// fetchFailure decides which failures of a fetch end a consumer: those that trying again does not mend. It returns nil for others.
func fetchFailure(err error) error {
	if e, ok := errors.AsType[*kerr.Error](err); ok {
		if e.Retriable || e.Code == kerr.UnknownTopicOrPartition.Code || e.Code == kerr.UnknownTopicID.Code {
			return nil
		}
		return responseError(e.Code, nil)
	}
	if _, ok := errors.AsType[*kgo.ErrDataLoss](err); ok {
		return nil // the client has reset the offset
	}
	if _, ok := errors.AsType[*kgo.ErrGroupSession](err); ok {
		return nil
	}
	if errors.Is(err, kgo.ErrClientClosed) {
		return err
	}
	return nil
}

func contains(ids []int32, id int32) bool { return slices.Contains(ids, id) }

func itoa(n int) string { return strconv.Itoa(n) }
