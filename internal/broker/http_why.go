package broker

import (
	"encoding/json"
	"net/http"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
)

// whyReport is a group's report and where it comes from.
type whyReport struct {
	ClusterID string `json:"clusterId"`
	Node      int32  `json:"node"`
	*group.Report
}

// whyGroup is GET /api/v1/groups/{group}/why: how a group is, and why it rebalanced. 404: there is no such group and
// nothing is remembered of one; 503: this broker does not coordinate it, or does not know yet.
func (b *Broker) whyGroup(w http.ResponseWriter, r *http.Request) {
	type result struct {
		report *group.Report
		err    error
	}
	done := make(chan result, 1)
	b.api.WhyGroup(r.PathValue("group"), func(report *group.Report, err error) { done <- result{report, err} })
	select {
	case <-r.Context().Done():
	case got := <-done:
		if got.err != nil {
			refuseHTTP(w, got.err)
			return
		}
		answerJSON(w, http.StatusOK, whyReport{b.ClusterID(), b.node, got.report})
	}
}

// refuseHTTP answers with an error of Kafka's and its text.
func refuseHTTP(w http.ResponseWriter, err error) {
	status := http.StatusServiceUnavailable
	switch kafka.CodeOf(err) {
	case kafka.GroupIDNotFound:
		status = http.StatusNotFound
	case kafka.InvalidGroupID:
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
