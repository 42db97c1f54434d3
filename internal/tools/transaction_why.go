package tools

import (
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/tools/options"
)

// transactionWhy is `ottla transaction why ID`.
func (inv *invocation) transactionWhy() int {
	p := options.NewParser()
	bootstrap := p.Value("bootstrap-server", "host:port,...", "The brokers to connect to.").Default("localhost:9092")
	address := p.Value("http", "host:port", "The HTTP endpoint of the coordinator.").Default("localhost:9644")
	commandConfig := p.Value("command-config", "file", "Properties file for the client.")
	last := p.Value("last", "number", "How many events to show.").Integer().Default("10")
	set, err := p.Parse(inv.args)
	if err == nil && set.Has(p.Help) {
		io.WriteString(inv.stdout, transactionUsage)
		return 0
	}
	if err == nil && len(set.Extra) != 1 {
		err = fmt.Errorf("which transactional id? one at a time, not %d", len(set.Extra))
	}
	if err == nil {
		r := set.Reader()
		endpoint, config, shown := whyEndpoint{r.String(address), r.String(bootstrap)}, r.String(commandConfig), r.Int(last)
		if err = r.Err(); err == nil {
			return inv.tellTransaction(set.Extra[0], endpoint, config, shown)
		}
	}
	inv.complain("ottla transaction why: " + err.Error() + "\n\n" + transactionUsage)
	return transactionMisuse
}

func (inv *invocation) tellTransaction(id string, endpoint whyEndpoint, config string, shown int) int {
	w, err := inv.askTransaction(id, endpoint, config)
	if err != nil {
		inv.complain("ottla transaction why: " + whyFault(endpoint.bootstrap, err))
		return transactionFailed
	}
	w.whyClock, w.shown = whyClock{time.Now(), time.Local}, shown
	io.WriteString(inv.stdout, w.text())
	return 0
}

// askTransaction collects what is known of a transactional id: from Kafka's protocol its state, from the HTTP endpoint the
// causes. Without the latter the rest is still worth telling.
func (inv *invocation) askTransaction(id string, endpoint whyEndpoint, config string) (*transactionReport, error) {
	s, err := loadSettings(config)
	if err != nil {
		return nil, err
	}
	if _, given := s.values["default.api.timeout.ms"]; !given {
		s.values["default.api.timeout.ms"] = fmt.Sprint(whyTimeout.Milliseconds())
	}
	a, err := inv.newAdmin(s, endpoint.bootstrap, "TransactionWhy")
	if err != nil {
		return nil, err
	}
	defer a.close()
	cluster, err := request[*kmsg.MetadataResponse](a, "describeCluster", kmsg.NewPtrMetadataRequest())
	if err != nil {
		return nil, err
	}
	w := &transactionReport{id: id}
	causes := new(transactionCauses)
	if w.silent = endpoint.ask("transactions", id, cluster.ClusterID, causes); w.silent == "" {
		w.causes = causes
	}
	w.described, w.coordinator, err = a.describeTransaction(id)
	if err == nil && w.described == nil && w.causes == nil {
		err = fmt.Errorf("transactional id %s is not known at %s: no producer has used it, or not for transactional.id.expiration.ms", id, endpoint.bootstrap)
	}
	return w, err
}
