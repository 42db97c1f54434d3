package tools

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// whyTimeout bounds each question: a person waits.
const whyTimeout = 10 * time.Second

// whyEndpoint is the HTTP endpoint of a broker, which tells what Kafka's protocol does not.
type whyEndpoint struct{ address, bootstrap string }

// ask fills in answer with why something of a kind (groups, transactions) is as it is; silent says why nobody told.
func (e whyEndpoint) ask(kind, name string, clusterID *string, answer any) (silent string) {
	client := http.Client{Timeout: whyTimeout}
	response, err := client.Get("http://" + e.address + "/api/v1/" + kind + "/" + url.PathEscape(name) + "/why")
	if err != nil {
		return fmt.Sprintf("nobody answers at http://%s (--http HOST:PORT; http.address of the broker): %v", e.address, errors.Unwrap(err))
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return err.Error()
	}
	if response.StatusCode != http.StatusOK {
		var refusal struct{ Error, Text string }
		if json.Unmarshal(body, &refusal) != nil || refusal.Error == "" {
			return fmt.Sprintf("http://%s is no broker of Ottla's: it answered %s", e.address, response.Status)
		}
		return refusal.Error + ": " + refusal.Text
	}
	var from struct {
		ClusterID string `json:"clusterId"`
	}
	if err = json.Unmarshal(body, &from); err == nil {
		err = json.Unmarshal(body, answer)
	}
	if err != nil {
		return fmt.Sprintf("http://%s is no broker of Ottla's: %v", e.address, err)
	}
	if clusterID != nil && from.ClusterID != *clusterID {
		return fmt.Sprintf("http://%s belongs to cluster %s, and %s to %s: name the right one with --http", e.address, from.ClusterID, e.bootstrap, *clusterID)
	}
	return ""
}

// whyFault says why nothing can be told.
func whyFault(bootstrap string, err error) string {
	if e, ok := errors.AsType[*exception](err); ok && e.class == "org.apache.kafka.common.errors.TimeoutException" {
		return fmt.Sprintf("no broker answers at %s (--bootstrap-server)", bootstrap)
	}
	return err.Error()
}
