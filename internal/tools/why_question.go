package tools

import (
	"fmt"
	"io"

	"github.com/ottla/ottla/internal/tools/options"
)

// whyQuestion is what `ottla group why` or `ottla transaction why` asks about, where, and how much of the answer is to be shown.
type whyQuestion struct {
	name, bootstrap, http, config string
	last                          int
}

// askedWhy reads the command line. Where nothing is left to do, done says so, and code is the exit code: the usage was asked for, or is
// not kept to.
func (inv *invocation) askedWhy(what, usage string, misuse int) (q whyQuestion, code int, done bool) {
	p := options.NewParser()
	bootstrap := p.Value("bootstrap-server", "host:port,...", "The brokers to connect to.").Default("localhost:9092")
	http := p.Value("http", "host:port", "The HTTP endpoint of a broker.").Default("localhost:9644")
	commandConfig := p.Value("command-config", "file", "Properties file for the client.")
	last := p.Value("last", "number", "How many events to show.").Integer().Default("10")
	set, err := p.Parse(inv.args)
	if err == nil && set.Has(p.Help) {
		io.WriteString(inv.stdout, usage)
		return q, 0, true
	}
	if err == nil && len(set.Extra) != 1 {
		err = fmt.Errorf("which %s? one at a time, not %d", what, len(set.Extra))
	}
	if err == nil {
		r := set.Reader()
		q = whyQuestion{set.Extra[0], r.String(bootstrap), r.String(http), r.String(commandConfig), r.Int(last)}
		err = r.Err()
	}
	if err != nil {
		inv.complain("ottla " + inv.name + ": " + err.Error() + "\n\n" + usage)
		return q, misuse, true
	}
	return q, 0, false
}

// endpoint is where the broker tells what Kafka's protocol does not.
func (q whyQuestion) endpoint() whyEndpoint { return whyEndpoint{q.http, q.bootstrap} }
