package broker

import (
	"encoding/json"
	"net/http"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/txn"
)

// whyGroup is GET /api/v1/groups/{group}/why: how a group is, and why it rebalanced. 404: there is no such group and
// nothing is remembered of one; 503: this broker does not coordinate it, or does not know yet.
func (b *Broker) whyGroup(w http.ResponseWriter, r *http.Request) {
	answerWhy(b, w, r, r.PathValue("group"), b.api.WhyGroup, func(at whyPlace, report *group.Report) any {
		return struct {
			whyPlace
			*group.Report
		}{at, report}
	})
}

// whyTransaction is GET /api/v1/transactions/{id}/why: how a transactional id is, and why its producers were fenced and its
// transactions aborted. The statuses are those of whyGroup.
func (b *Broker) whyTransaction(w http.ResponseWriter, r *http.Request) {
	answerWhy(b, w, r, r.PathValue("id"), b.api.WhyTransaction, func(at whyPlace, report *txn.Report) any {
		return struct {
			whyPlace
			*txn.Report
		}{at, report}
	})
}

// whyPlace is where a report comes from.
type whyPlace struct {
	ClusterID string `json:"clusterId"`
	Node      int32  `json:"node"`
}

// answerWhy asks for a report, and answers with it and with who tells.
func answerWhy[R any](b *Broker, w http.ResponseWriter, r *http.Request, name string, ask func(string, func(*R, error)), body func(whyPlace, *R) any) {
	type result struct {
		report *R
		err    error
	}
	done := make(chan result, 1)
	ask(name, func(report *R, err error) { done <- result{report, err} })
	select {
	case <-r.Context().Done():
	case got := <-done:
		if got.err != nil {
			refuseHTTP(w, got.err)
			return
		}
		answerJSON(w, http.StatusOK, body(whyPlace{b.ClusterID(), b.node}, got.report))
	}
}

// refuseHTTP answers with an error of Kafka's and its text.
func refuseHTTP(w http.ResponseWriter, err error) {
	status := http.StatusServiceUnavailable
	switch kafka.CodeOf(err) {
	case kafka.GroupIDNotFound, kafka.TransactionalIDNotFound:
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
