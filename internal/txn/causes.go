package txn

import (
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

// CauseKind says what happened to a transactional id. The texts are those of the HTTP API.
type CauseKind string

const (
	// ProducerInitialized: a producer was given the id, with another epoch; whoever had it before is fenced.
	ProducerInitialized CauseKind = "producer-initialized"
	// TransactionTaken: a producer was initialized while another had a transaction open, which is aborted.
	TransactionTaken   CauseKind = "transaction-taken"
	TransactionExpired CauseKind = "transaction-timeout" // and is aborted; its producer is fenced
	TransactionAborted CauseKind = "transaction-aborted" // by its producer
	RequestFenced      CauseKind = "request-fenced"      // it came from a producer who is not, or no more, that of the id
	RequestRefused     CauseKind = "request-refused"     // it does not go with the state of the transaction
	InitRefused        CauseKind = "init-refused"        // by a setting
	MarkersDelayed     CauseKind = "markers-delayed"     // partitions could not take their marker; it is tried again
	MarkerRefused      CauseKind = "marker-refused"      // a partition never takes it, which ends the transaction all the same
	IDExpired          CauseKind = "id-expired"
)

// Settings that causes name.
const (
	settingTimeout    = "transaction.timeout.ms"
	settingMaxTimeout = "transaction.max.timeout.ms"
	settingTwoPhase   = "transaction.two.phase.commit.enable"
	settingExpiration = "transactional.id.expiration.ms"
)

// Identity is a producer id with an epoch, as the HTTP API tells it.
type Identity struct {
	ID    int64 `json:"producerId"`
	Epoch int16 `json:"producerEpoch"`
}

// identified is nil for nobody.
func identified(p statemachine.Producer) *Identity {
	if p.ID == noProducerID {
		return nil
	}
	return &Identity{p.ID, p.Epoch}
}

// Cause is why a producer was fenced, a transaction was aborted, or a request was refused. Whoever notes one fills in what is
// known; When is filled in for him.
type Cause struct {
	Kind CauseKind `json:"kind"`
	// Client sent the request; Owner is whom the id belonged to before, where that is somebody else.
	Client causes.Client `json:"client,omitzero"`
	Owner  causes.Client `json:"owner,omitzero"`
	// Reason is what was found out.
	Reason string `json:"reason,omitempty"`
	// Before is the id's producer before, Next the one from now on; Given is whom a refused request named.
	Before *Identity `json:"before,omitempty"`
	Next   *Identity `json:"next,omitempty"`
	Given  *Identity `json:"given,omitempty"`
	// Setting is the setting that decided, Limit its value, Value what was held against it.
	Setting string `json:"setting,omitempty"`
	Limit   int64  `json:"limit,omitempty"`
	Value   int64  `json:"value,omitempty"`
	// Partitions are those that the cause is about, as many as fit.
	Partitions string `json:"partitions,omitempty"`
	// Code is what a request was refused with.
	Code kafka.ErrorCode `json:"-"`
	causes.When
}

// Texts implements causes.Kept.
func (c *Cause) Texts() []*string {
	return append(append(c.Client.Texts(), c.Owner.Texts()...), &c.Reason, &c.Setting, &c.Partitions)
}

// Again implements causes.Kept: epochs, and reasons that tell of them, may differ.
func (c *Cause) Again(later *Cause) bool {
	if c.Kind != later.Kind || c.Client != later.Client || c.Owner != later.Owner || c.Setting != later.Setting || c.Limit != later.Limit ||
		c.Code != later.Code || c.Partitions != later.Partitions {
		return false
	}
	c.Reason, c.Before, c.Next, c.Given, c.Value = later.Reason, later.Before, later.Next, later.Given, later.Value
	return true
}

// noteRefused keeps that a request was refused, unless all there is to it is to ask again.
func (c *Coordinator) noteRefused(now time.Time, id string, from causes.Client, given statemachine.Producer, err error) {
	cause := Cause{Kind: RequestRefused, Client: from, Given: identified(given), Code: kafka.CodeOf(err), Reason: reasonOf(err)}
	switch cause.Code {
	case kafka.None, kafka.ConcurrentTransactions:
		return
	case kafka.ProducerFenced, kafka.InvalidProducerIDMapping:
		cause.Kind = RequestFenced
	}
	if t := c.transactions[id]; t != nil {
		if cause.Next = identified(t.producer()); t.owner != nil {
			cause.Owner = *t.owner
		}
	}
	c.causes.Note(now, id, cause)
}

// NoteInitRefused keeps that CheckInit has refused a producer.
func (c *Coordinator) NoteInitRefused(now time.Time, rq *Init, err error) statemachine.Output {
	var out outcome
	c.begin(&out, now)
	cause := Cause{Kind: InitRefused, Client: rq.Client, Code: kafka.CodeOf(err), Reason: reasonOf(err)}
	switch cause.Code {
	case kafka.InvalidTransactionTimeout:
		cause.Setting, cause.Limit, cause.Value = settingMaxTimeout, c.options.Settings().MaxTimeout.Milliseconds(), int64(rq.Timeout)
	case kafka.TransactionalIDAuthorizationFailed:
		cause.Setting = settingTwoPhase
	}
	c.causes.Note(now, rq.TransactionalID, cause)
	return out.Output
}

// taking is the cause for what a producer's initialization writes.
func (t *transaction) taking(rq *Init, next *status) *Cause {
	cause := &Cause{Kind: ProducerInitialized, Client: rq.Client, Next: identified(next.producer())}
	if rq.Expected != nil {
		cause.Reason = "it begins again after an error"
	}
	if t == nil {
		return cause
	}
	cause.Before = identified(t.producer())
	if t.owner != nil && *t.owner != rq.Client {
		cause.Owner = *t.owner
	}
	if t.state == Ongoing {
		cause.Kind, cause.Partitions = TransactionTaken, partitionsText(t.partitions)
	}
	return cause
}

// expiring is the cause for the abort of a transaction that took too long.
func (t *transaction) expiring(now time.Time, next *status) *Cause {
	cause := &Cause{
		Kind: TransactionExpired, Before: identified(t.producer()), Next: identified(next.producer()),
		Setting: settingTimeout, Limit: int64(t.timeout), Value: now.UnixMilli() - t.started, Partitions: partitionsText(t.partitions),
	}
	if t.owner != nil {
		cause.Owner = *t.owner
	}
	return cause
}

// aborting is the cause for the end of a transaction as its producer wishes; nil for a commit, which needs none.
func (rq *End) aborting(next *status) *Cause {
	if rq.Commit {
		return nil
	}
	return &Cause{
		Kind: TransactionAborted, Client: rq.Client, Before: identified(rq.Producer), Next: identified(next.producer()),
		Partitions: partitionsText(next.partitions),
	}
}

// noteMarkers keeps that markers of a decided transaction are late, or are not taken.
func (c *Coordinator) noteMarkers(now time.Time, id string, kind CauseKind, tp kafka.TopicPartition, err error) {
	c.causes.Note(now, id, Cause{Kind: kind, Partitions: tp.String(), Code: kafka.CodeOf(err), Reason: reasonOf(err)})
}

// reasonOf is an error's text, "" if it has none but its code's.
func reasonOf(err error) string {
	if text := kafka.MessageOf(err); text != nil {
		return *text
	}
	return ""
}

// partitionsText names partitions until the text is as long as one may be.
func partitionsText(partitions []kafka.TopicPartition) string {
	text := ""
	for i, tp := range partitions {
		if i > 0 {
			text += ", "
		}
		if text += tp.String(); len(text) > causes.MostText {
			break
		}
	}
	return text
}
