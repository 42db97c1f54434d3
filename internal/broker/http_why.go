package broker

import (
	"encoding/json"
	"net/http"

	"github.com/ottla/ottla/internal/api"
	"github.com/ottla/ottla/internal/kafka"
)

// whyGroup is GET /api/v1/groups/{group}/why: how a group is, and why it rebalanced. The broker that
// coordinates it is asked. 404: there is no such group and nothing is remembered of one; 503: nobody coordinates it at the
// moment, or can be reached.
func (b *Broker) whyGroup(w http.ResponseWriter, r *http.Request) {
	b.answerWhy(w, r, api.WhyGroup, r.PathValue("group"))
}

// whyTransaction is GET /api/v1/transactions/{id}/why: how a transactional id is, and why its producers were fenced and its
// transactions aborted. The statuses are those of whyGroup.
func (b *Broker) whyTransaction(w http.ResponseWriter, r *http.Request) {
	b.answerWhy(w, r, api.WhyTransaction, r.PathValue("id"))
}

// answerWhy asks for a report, and answers with it.
func (b *Broker) answerWhy(w http.ResponseWriter, r *http.Request, kind api.WhyKind, name string) {
	type result struct {
		report []byte
		err    error
	}
	done := make(chan result, 1)
	b.api.Why(kind, name, func(report []byte, err error) { done <- result{report, err} })
	select {
	case <-r.Context().Done():
	case got := <-done:
		if got.err != nil {
			refuseHTTP(w, got.err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append(got.report, '\n')) // the client may go away
	}
}

// refuseHTTP answers with an error of Kafka's and its text.
func refuseHTTP(w http.ResponseWriter, err error) {
	status := http.StatusServiceUnavailable
	switch kafka.CodeOf(err) {
	case kafka.GroupIDNotFound, kafka.TransactionalIDNotFound, kafka.UnknownTopicOrPartition:
		status = http.StatusNotFound
	case kafka.InvalidGroupID, kafka.InvalidRequest:
		status = http.StatusBadRequest
	}
	text := ""
	if m := kafka.MessageOf(err); m != nil {
		text = *m
	}
	answerJSON(w, status, struct {
		Error string `json:"error"`
		Text  string `json:"text"`
	}{kafka.CodeOf(err).String(), text})
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(body) // the client went away
}
