package server

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
)

// admission counts connections and says whether one more may come. As Kafka's ConnectionQuotas it lets
// the accept loop wait while max.connections is reached, for the broker or for the listener, and refuses
// at once who has max.connections.per.ip already.
type admission struct {
	mu struct {
		sync.Mutex
		limits     Limits
		total      int
		byListener map[string]int
		byIP       map[netip.Addr]int
		changed    chan struct{} // closed when a slot or a limit changes; nil if nobody waits
	}
}

func newAdmission(limits Limits) *admission {
	a := new(admission)
	a.mu.limits = limits
	a.mu.byListener = make(map[string]int)
	a.mu.byIP = make(map[netip.Addr]int)
	return a
}

// enter takes a slot, as soon as there is one. over says that the privileged listener passed
// max.connections, so that another connection has to go.
func (a *admission) enter(ctx context.Context, l *listener, ip netip.Addr) (over bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for !a.free(l) {
		if a.mu.changed == nil {
			a.mu.changed = make(chan struct{})
		}
		changed := a.mu.changed
		a.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		a.mu.Lock()
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
	if limit, setting := a.limitOf(ip); limit > 0 && a.mu.byIP[ip] >= limit {
		return false, &refusal{ClosedPerIP, fmt.Sprintf("%d connections from %s are open, %s = %d", a.mu.byIP[ip], ip, setting, limit)}
	}
	a.mu.total++
	a.mu.byListener[l.Name]++
	a.mu.byIP[ip]++
	return a.mu.limits.MaxConnections > 0 && a.mu.total > a.mu.limits.MaxConnections, nil
}

// free reports whether there is a slot. a.mu is held.
func (a *admission) free(l *listener) bool {
	if limit := a.mu.limits.MaxListenerConnections[l.Name]; limit > 0 && a.mu.byListener[l.Name] >= limit {
		return false
	}
	limit := a.mu.limits.MaxConnections
	return l.Privileged || limit <= 0 || a.mu.total < limit
}

// limitOf returns what holds for an address. a.mu is held.
func (a *admission) limitOf(ip netip.Addr) (limit int, setting string) {
	if limit, ok := a.mu.limits.PerIPOverrides[ip]; ok {
		return limit, "max.connections.per.ip.overrides"
	}
	return a.mu.limits.MaxConnectionsPerIP, "max.connections.per.ip"
}

// leave gives a slot back.
func (a *admission) leave(l *listener, ip netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.total--
	a.mu.byListener[l.Name]--
	if a.mu.byIP[ip]--; a.mu.byIP[ip] == 0 {
		delete(a.mu.byIP, ip)
	}
	a.wake()
}

func (a *admission) setLimits(limits Limits) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.limits = limits
	a.wake()
}

// wake lets those who wait look again. a.mu is held.
func (a *admission) wake() {
	if a.mu.changed != nil {
		close(a.mu.changed)
		a.mu.changed = nil
	}
}
