package tools

import "github.com/ottla/ottla/internal/tools/options"

// whyQuestion is what `ottla group why` or `ottla transaction why` asks about, where, and how much of the answer is to be shown.
type whyQuestion struct {
	name, bootstrap, http, config string
	last                          int
}

// askedWhy reads the command line; see aboutOne.
func (inv *invocation) askedWhy(what, usage string) (q whyQuestion, code int, done bool) {
	p := options.NewParser()
	bootstrap := p.Value("bootstrap-server", "host:port,...", "The brokers to connect to.").Default("localhost:9092")
	http := p.Value("http", "host:port", "The HTTP endpoint of a broker.").Default("localhost:9644")
	commandConfig := p.Value("command-config", "file", "Properties file for the client.")
	last := p.Value("last", "number", "How many events to show.").Integer().Default("10")
	q.name, code, done = inv.aboutOne(p, what, usage, func(r *options.Reader) {
		q.bootstrap, q.http, q.config, q.last = r.String(bootstrap), r.String(http), r.String(commandConfig), r.Int(last)
	})
	return q, code, done
}

// endpoint is where the broker tells what Kafka's protocol does not.
func (q whyQuestion) endpoint() whyEndpoint { return whyEndpoint{q.http, q.bootstrap} }
