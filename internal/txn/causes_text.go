package txn

import (
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/causes"
)

// String tells a cause in plain words, as tools print it. It ends without a full stop.
func (c Cause) String() string { return c.happened() + c.When.Again() }

func (c *Cause) happened() string {
	who, because := named(c.Client), causes.Because(c.Reason)
	switch c.Kind {
	case ProducerInitialized:
		return who + " was initialized as " + c.Next.text() + c.instead() + because
	case TransactionTaken:
		return who + " was initialized while a transaction was open" + c.instead() + "; the transaction is aborted" + c.of() + because
	case TransactionExpired:
		return fmt.Sprintf("the transaction of %s was open for %v, longer than %s: it is aborted%s, and %s is fenced",
			named(c.Owner), time.Duration(c.Value)*time.Millisecond, causes.Limit(c.Setting, c.Limit), c.of(), c.Before.text())
	case TransactionAborted:
		return who + " aborted its transaction" + c.of() + because
	case RequestFenced:
		return fmt.Sprintf("a request of %s as %s was refused: %s%s", who, c.Given.text(), c.Code, because)
	case RequestRefused:
		return fmt.Sprintf("a request of %s was refused: %s%s", who, c.Code, because)
	case InitRefused:
		return fmt.Sprintf("%s was not initialized: %s%s", who, c.Code, because)
	case MarkersDelayed:
		return fmt.Sprintf("the end of the transaction could not be written into %s yet: %s%s", c.Partitions, c.Code, because)
	case MarkerRefused:
		return fmt.Sprintf("%s does not take the end of the transaction: %s%s", c.Partitions, c.Code, because)
	case IDExpired:
		return "nobody has used the transactional id for " + causes.Limit(c.Setting, c.Limit) + ": it is forgotten"
	}
	return string(c.Kind) + because
}

// instead is whom a producer has taken the id from.
func (c *Cause) instead() string {
	if c.Before == nil {
		return ""
	}
	text := ", which fences " + c.Before.text()
	if c.Owner != (causes.Client{}) {
		text += " of " + c.Owner.String()
	}
	return text
}

// of is the partitions that the cause is about.
func (c *Cause) of() string {
	if c.Partitions == "" {
		return ""
	}
	return " in " + c.Partitions
}

// text is the identity in words.
func (i *Identity) text() string {
	if i == nil {
		return "no producer"
	}
	return fmt.Sprintf("producer %d with epoch %d", i.ID, i.Epoch)
}

func named(c causes.Client) string {
	if text := c.String(); text != "" {
		return text
	}
	return "a client that is not known"
}
