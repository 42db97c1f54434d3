package tools

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// longOpen is how long a transaction may be open before its readers are worth a word.
const longOpen = 10 * time.Second

// advice tells of the known pits that the transactional id is in, and the way out of each, a paragraph each.
func (w *transactionReport) advice() (all []string) {
	for _, pit := range []func(*transactionReport) string{
		(*transactionReport).undelivered, (*transactionReport).open, (*transactionReport).shared, (*transactionReport).timedOut,
		(*transactionReport).keptOut, (*transactionReport).unverified, (*transactionReport).forgotten, (*transactionReport).aborting,
	} {
		if text := pit(w); text != "" {
			all = append(all, text)
		}
	}
	return all
}

// undelivered: partitions that cannot take the end of a transaction.
func (w *transactionReport) undelivered() string {
	if w.described == nil || !strings.HasPrefix(w.described.State, "Prepare") {
		return ""
	}
	reason := ""
	if delayed, _ := w.all("markers-delayed"); len(delayed) > 0 {
		reason = fmt.Sprintf(" (%s: %s)", delayed[len(delayed)-1].Partitions, delayed[len(delayed)-1].Error)
	}
	return fmt.Sprintf("The transaction is decided, but %s cannot take that yet%s: their leaders are down, or cannot write. Until then consumers with isolation.level=read_committed stop there, and the producer cannot go on. It goes on by itself once the partitions have leaders (kafka-topics --describe --unavailable-partitions).",
		some(w.partitions()), reason)
}

// open: a transaction that readers wait for.
func (w *transactionReport) open() string {
	if w.described == nil || w.described.State != "Ongoing" || w.now.Sub(time.UnixMilli(w.described.StartTimestamp)) < longOpen {
		return ""
	}
	return fmt.Sprintf("Consumers with isolation.level=read_committed stop in %s where the open transaction begins, until its producer commits or aborts. If the producer is gone: kafka-transactions forceTerminateTransaction --transactionalId %s.",
		some(w.partitions()), w.id)
}

// shared: processes that take the id from each other.
func (w *transactionReport) shared() string {
	var clients []string
	taken, n := w.all("producer-initialized", "transaction-taken")
	for _, c := range taken {
		for _, who := range []whyWho{c.Owner, c.Client} {
			if text := who.client(); who != (whyWho{}) && !slices.Contains(clients, text) {
				clients = append(clients, text)
			}
		}
	}
	fenced, refused := w.all("request-fenced")
	fenced = slices.DeleteFunc(fenced, func(c transactionCause) bool { return c.Error != kafka.ProducerFenced.String() })
	if len(clients) < 2 || len(fenced) == 0 {
		return ""
	}
	return fmt.Sprintf("Several producers were initialized with this transactional id (%s, %s), and requests of those before were refused (%s): each fences the one before, on purpose. Two that run at the same time need a transactional.id each; of one that was restarted the old process may still have been alive.",
		some(clients), timesText(n), timesText(refused))
}

// timedOut: transactions that were open for too long.
func (w *transactionReport) timedOut() string {
	late, n := w.all("transaction-timeout")
	if n == 0 {
		return ""
	}
	last := late[len(late)-1]
	return fmt.Sprintf("Transactions were open for longer than transaction.timeout.ms (%s), %s: their producer was killed, hangs, or does too much in one. Have it commit more often, or raise transaction.timeout.ms of the producer (at most the broker's transaction.max.timeout.ms). It has to begin again as a new producer: what it sent is aborted.",
		limitText(last.Limit), timesText(n))
}

// keptOut: producers that settings do not let in.
func (w *transactionReport) keptOut() string {
	refused, _ := w.all("init-refused")
	if len(refused) == 0 {
		return ""
	}
	last := refused[len(refused)-1]
	switch last.Setting {
	case "transaction.max.timeout.ms":
		return fmt.Sprintf("A producer wants transactions of %s, and the broker allows %s: lower transaction.timeout.ms of the producer, or raise transaction.max.timeout.ms of the brokers.", limitText(last.Value), limitText(last.Limit))
	case "":
		return "A producer was not let in: " + last.Text + "."
	}
	return fmt.Sprintf("A producer asks for what %s does not allow: %s.", last.Setting, last.Error)
}

// unverified: records of partitions that are not part of the transaction.
func (w *transactionReport) unverified() string {
	refused, _ := w.all("request-refused")
	if !slices.ContainsFunc(refused, func(c transactionCause) bool {
		return c.Error == kafka.TransactionAbortable.String() || c.Error == kafka.InvalidTxnState.String()
	}) {
		return ""
	}
	return "Requests did not go with the state of the transaction: records or an end for one that was over already. Most often it had timed out, or a request came late after a retry; the producer aborts, and goes on. If it happens again and again, update its client library."
}

// forgotten: an id that nobody used for long.
func (w *transactionReport) forgotten() string {
	expired, n := w.all("id-expired")
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("Nobody used the id for transactional.id.expiration.ms (%s), so it was forgotten: a producer that goes on then gets INVALID_PRODUCER_ID_MAPPING, and has to be made anew. Raise the setting above the longest pause of its producer.", limitText(expired[len(expired)-1].Limit))
}

// aborting: a producer that aborts again and again.
func (w *transactionReport) aborting() string {
	const many = 5
	if _, n := w.all("transaction-aborted"); n < many {
		return ""
	}
	return "Its own producer aborted transactions again and again: its log says why. In Kafka Streams and consume-transform-produce loops a rebalance of the input's group is the most common reason (ottla group why GROUP)."
}
