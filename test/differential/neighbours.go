package differential

import (
	"fmt"
	"strings"
)

// Kafka's AddPartitionsToTxnManager asks a coordinator about many producers with one request, and reads the whole answer as the first
// producer's version understands it: an old client that writes at the same moment decides whether a new one is told
// TRANSACTION_ABORTABLE or INVALID_TXN_STATE, and the other way round. So a scenario that provokes those has no neighbours.

// disturbed returns the first answer of a transcript that a neighbour on the same broker could have changed, or "".
func disturbed(steps []Step) string {
	for _, s := range steps {
		if s.API != "Produce" && s.API != "TxnOffsetCommit" {
			continue
		}
		for _, leaf := range s.Leaves {
			if strings.HasSuffix(leaf.Path, ".ErrorCode") && (leaf.Value == "TRANSACTION_ABORTABLE" || leaf.Value == "INVALID_TXN_STATE") {
				return fmt.Sprintf("line %d: %s v%d: %s", s.Line, s.API, s.Version, leaf.Value)
			}
		}
	}
	return ""
}
