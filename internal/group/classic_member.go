package group

import (
	"bytes"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/causes"
	"github.com/ottla/ottla/internal/wire"
)

// protocol is one way to assign partitions that a member supports, with its opaque metadata (for consumers: the
// subscription).
type protocol struct {
	name     string
	metadata []byte
}

// member is one member of a classic group. What is kept of requests is copied: their bytes are used again as soon as they
// are answered. Slices are replaced, never written to, since answers on their way out refer to them.
type classicMember struct {
	id         string
	instanceID *string // group.instance.id of a static member (KIP-345)
	clientID   string
	clientHost string
	// software and softwareVersion are not in the log.
	software, softwareVersion string

	number uint64 // members are listed in the order in which they came

	rebalanceTimeout time.Duration
	sessionTimeout   time.Duration
	protocols        []protocol // in the order of preference, no name twice; changed by roster.support alone
	assignment       []byte

	// joining and syncing answer the request that waits; nil if none does. joining is changed by roster.park alone.
	joining func(*wire.JoinGroupResponse)
	syncing func(*wire.SyncGroupResponse)
	// fresh is a member that joined but was never told a generation.
	fresh   bool
	session alarm
}

// heardFrom learns what client library a member has that was loaded from the log.
func (m *classicMember) heardFrom(c causes.Client) {
	if c.Software != "" {
		m.software, m.softwareVersion = c.Software, c.SoftwareVersion
	}
}

func (m *classicMember) static() bool { return m.instanceID != nil }

// metadata returns what the member said for a protocol, nil if it does not support it.
func (m *classicMember) metadata(name string) []byte {
	for _, p := range m.protocols {
		if p.name == name {
			return p.metadata
		}
	}
	return nil
}

// matches reports whether a join brings the same protocols that the member has.
func (m *classicMember) matches(given []wire.JoinGroupRequestProtocol) bool {
	return slices.EqualFunc(m.protocols, given, func(p protocol, g wire.JoinGroupRequestProtocol) bool {
		return p.name == g.Name && bytes.Equal(p.metadata, g.Metadata)
	})
}

// patient reports whether the member may be silent: it waits for an answer of the group's. One that never got a
// generation may not wait for ever, since its client may be gone.
func (m *classicMember) patient() bool { return !m.fresh && (m.joining != nil || m.syncing != nil) }

// protocolsOf copies the protocols of a request. Of two with the same name the first counts.
func protocolsOf(given []wire.JoinGroupRequestProtocol) []protocol {
	protocols := make([]protocol, 0, len(given))
	seen := make(map[string]bool, len(given))
	for _, p := range given {
		if !seen[p.Name] {
			seen[p.Name] = true
			protocols = append(protocols, protocol{p.Name, bytes.Clone(p.Metadata)})
		}
	}
	return protocols
}
