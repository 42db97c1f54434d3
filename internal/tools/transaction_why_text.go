package tools

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// transactionReport is all that is known of a transactional id.
type transactionReport struct {
	id          string
	described   *describedTransaction // nil if it is not known any more
	coordinator int32
	causes      *transactionCauses // nil if the broker did not tell
	silent      string             // why it did not
	shown       int                // how many events are told
	whyClock
}

// transactionCauses is the answer of /api/v1/transactions/ID/why.
type transactionCauses struct {
	State        string             `json:"state"`
	Client       whyWho             `json:"client"`
	Started      time.Time          `json:"started"`
	AbortedAfter time.Time          `json:"abortedAfter"`
	Waiting      int                `json:"waiting"`
	Loaded       time.Time          `json:"loaded"`
	Causes       []transactionCause `json:"causes"`
	Dropped      int                `json:"dropped"`
}

type transactionCause struct {
	Kind       string    `json:"kind"`
	Client     whyWho    `json:"client"`
	Owner      whyWho    `json:"owner"`
	Setting    string    `json:"setting"`
	Limit      int64     `json:"limit"`
	Value      int64     `json:"value"`
	Partitions string    `json:"partitions"`
	Error      string    `json:"error"`
	Last       time.Time `json:"last"`
	Times      int       `json:"times"`
	Text       string    `json:"text"`
}

// text says it all in plain words.
func (w *transactionReport) text() string {
	page := whyPage{head: w.headline(), advice: w.advice()}
	page.section(w.history())
	return page.text()
}

// headline is the transactional id in a few sentences.
func (w *transactionReport) headline() []string {
	d := w.described
	if d == nil {
		return []string{fmt.Sprintf("Transactional id %s is not known, or not any more.", w.id)}
	}
	whose := ""
	if c := w.causes; c != nil && c.Client != (whyWho{}) {
		whose = " of " + c.Client.client()
	}
	head := []string{fmt.Sprintf("Transactional id %s: %s; producer %d with epoch %d%s; coordinated by broker %d.", w.id, d.State, d.ProducerID, d.ProducerEpoch, whose, w.coordinator)}
	began := time.UnixMilli(d.StartTimestamp)
	partitions := w.partitions()
	switch d.State {
	case "Ongoing":
		until := ""
		if c := w.causes; c != nil && !c.AbortedAfter.IsZero() {
			until = fmt.Sprintf("; without an end it is aborted soon after %s (transaction.timeout.ms = %s)", w.time(c.AbortedAfter), limitText(int64(d.TimeoutMillis)))
		}
		head = append(head, fmt.Sprintf("A transaction is open for %s in %s%s.", w.ago(began), some(partitions), until))
	case "PrepareCommit", "PrepareAbort":
		head = append(head, fmt.Sprintf("The end of its transaction, which began %s ago, is decided, and is still to be written into %s.", w.ago(began), some(partitions)))
	default:
		head = append(head, "No transaction is open.")
	}
	return head
}

func (w *transactionReport) partitions() (names []string) {
	for _, topic := range w.described.Topics {
		for _, p := range topic.Partitions {
			names = append(names, fmt.Sprintf("%s-%d", topic.Topic, p))
		}
	}
	return names
}

// client is who sent a request, in words.
func (w whyWho) client() string {
	text := "a client"
	if w.ClientID != "" {
		text = "client " + w.ClientID
	}
	if w.Host != "" {
		text += " at " + strings.TrimPrefix(w.Host, "/")
	}
	if library := strings.TrimSpace(w.Software + " " + w.SoftwareVersion); library != "" {
		text += " (" + library + ")"
	}
	return text
}

// history tells what happened, the latest first.
func (w *transactionReport) history() (title string, lines []string) {
	c := w.causes
	if c == nil {
		return "What happened is not known:", []string{w.silent}
	}
	since := "since the broker began to coordinate it at " + w.time(c.Loaded)
	if len(c.Causes) == 0 {
		return "What happened:", []string{"nothing " + since + "."}
	}
	var events [][]string
	for _, cause := range c.Causes {
		events = append(events, []string{w.time(cause.Last) + "  " + cause.Text})
	}
	slices.Reverse(events)
	return "What happened, the latest first, " + since + ":", latest(events, w.shown, c.Dropped)
}

// all are the causes of the given kinds, and how often they happened.
func (w *transactionReport) all(kinds ...string) (found []transactionCause, times int) {
	if w.causes == nil {
		return nil, 0
	}
	for _, c := range w.causes.Causes {
		if slices.Contains(kinds, c.Kind) {
			found = append(found, c)
			times += max(c.Times, 1)
		}
	}
	slices.SortStableFunc(found, func(x, y transactionCause) int { return cmp.Compare(x.Last.UnixMilli(), y.Last.UnixMilli()) })
	return found, times
}
