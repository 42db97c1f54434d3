package tools

import (
	"fmt"
	"io"

	"github.com/ottla/ottla/internal/tools/options"
)

// Exit codes of Ottla's own commands.
const (
	exitFailed = 1
	exitMisuse = 2 // the command line cannot be understood
)

// aboutOne reads the command line of a command about one thing, a topic say, which is named after the options; read takes these.
// Where nothing is left to do, done says so, and code is the exit code: the usage was asked for, or is not kept to.
func (inv *invocation) aboutOne(p *options.Parser, what, usage string, read func(*options.Reader)) (name string, code int, done bool) {
	set, err := p.Parse(inv.args)
	if err == nil && set.Has(p.Help) {
		io.WriteString(inv.stdout, usage)
		return "", 0, true
	}
	if err == nil && len(set.Extra) != 1 {
		err = fmt.Errorf("which %s? one at a time, not %d", what, len(set.Extra))
	}
	if err == nil {
		r := set.Reader()
		read(r)
		err = r.Err()
	}
	if err != nil {
		inv.complain("ottla " + inv.name + ": " + err.Error() + "\n\n" + usage)
		return "", exitMisuse, true
	}
	return set.Extra[0], 0, false
}
