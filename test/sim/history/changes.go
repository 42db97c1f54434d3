package history

import (
	"slices"
	"sync"
)

// Changes are changes of metadata that one client made, one after the other, each a new value of a key: a topic that is there
// or not, a number of partitions, a configuration.
type Changes struct {
	mu struct {
		sync.Mutex
		keys   map[string]*change
		faults faults
	}
}

// change is what a key may be: the last acknowledged value, or one that was asked for after it.
type change struct {
	may          []string
	acknowledged int
}

// NewChanges returns an empty history.
func NewChanges() *Changes {
	c := new(Changes)
	c.mu.keys = map[string]*change{}
	return c
}

// Ask notes that a value is about to be asked for. A key is "" until then.
func (c *Changes) Ask(key, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.keys[key] == nil {
		c.mu.keys[key] = &change{may: []string{""}}
	}
	k := c.mu.keys[key]
	k.may = append(k.may, value)
}

// Done notes that the value asked for last was acknowledged.
func (c *Changes) Done(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.mu.keys[key]
	k.may = k.may[len(k.may)-1:]
	k.acknowledged++
}

// Refused notes that the value asked for last was refused for good: it is not there.
func (c *Changes) Refused(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.mu.keys[key]
	k.may = k.may[:len(k.may)-1]
}

// Acknowledged is how many changes were.
func (c *Changes) Acknowledged() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.mu.keys {
		n += k.acknowledged
	}
	return n
}

// Fits reports whether what a broker tells is what may be.
func (c *Changes) Fits(values map[string]string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, k := range c.mu.keys {
		if !slices.Contains(k.may, values[key]) {
			return false
		}
	}
	return true
}

// Found notes what a broker tells of all keys in the end; a key that is missing is "".
func (c *Changes) Found(broker string, values map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, k := range c.mu.keys {
		if !slices.Contains(k.may, values[key]) {
			c.mu.faults.add("%s tells that %s is %q; it may be one of %q (%d changes were acknowledged)", broker, key, values[key], k.may, k.acknowledged)
		}
	}
}

// Faults is what is wrong.
func (c *Changes) Faults() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.faults
}
