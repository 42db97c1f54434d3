package tools

import (
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// transactionWhy is `ottla transaction why ID`.
func (inv *invocation) transactionWhy() int {
	q, code, done := inv.askedWhy("transactional id", transactionUsage)
	if done {
		return code
	}
	w, err := inv.askTransaction(q)
	if err != nil {
		inv.complain("ottla transaction why: " + whyFault(q.bootstrap, err))
		return exitFailed
	}
	w.whyClock, w.shown = whyClock{time.Now(), time.Local}, q.last
	io.WriteString(inv.stdout, w.text())
	return 0
}

// askTransaction collects what is known of a transactional id: from Kafka's protocol its state, from the HTTP endpoint the
// causes. Without the latter the rest is still worth telling.
func (inv *invocation) askTransaction(q whyQuestion) (*transactionReport, error) {
	s, err := loadSettings(q.config)
	if err != nil {
		return nil, err
	}
	if _, given := s.values["default.api.timeout.ms"]; !given {
		s.values["default.api.timeout.ms"] = fmt.Sprint(whyTimeout.Milliseconds())
	}
	a, err := inv.newAdmin(s, q.bootstrap, "TransactionWhy")
	if err != nil {
		return nil, err
	}
	defer a.close()
	cluster, err := request[*kmsg.MetadataResponse](a, "describeCluster", kmsg.NewPtrMetadataRequest())
	if err != nil {
		return nil, err
	}
	w := &transactionReport{id: q.name}
	causes := new(transactionCauses)
	if w.silent = q.endpoint().ask("transactions", q.name, cluster.ClusterID, causes); w.silent == "" {
		w.causes = causes
	}
	w.described, w.coordinator, err = a.describeTransaction(q.name)
	if err == nil && w.described == nil && w.causes == nil {
		err = fmt.Errorf("transactional id %s is not known at %s: no producer has used it, or not for transactional.id.expiration.ms", q.name, q.bootstrap)
	}
	return w, err
}
