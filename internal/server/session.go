package server

import (
	"context"
	"net/netip"
	"strings"
	"sync"

	"github.com/ottla/ottla/internal/metrics"
)

// Anonymous is the principal of a peer that need not say who it is.
const Anonymous = "User:ANONYMOUS"

// Session is who speaks on one connection. Its fields are read freely by Handle, on the connection's
// goroutine; code that answers later copies what it needs first. They are written through the
// methods only, and only within Handle.
type Session struct {
	ID               uint64 // unique among the connections of this Server
	ListenerName     string
	SecurityProtocol string
	RemoteAddr       netip.AddrPort // invalid if the transport has none
	Host             string         // its address as Kafka's tools show it: "/127.0.0.1"
	Principal        string         // "User:ANONYMOUS" until Authenticate

	ClientID        string // of the latest request
	SoftwareName    string // of ApiVersions v3 and newer (KIP-511)
	SoftwareVersion string

	authenticated bool
	ctx           context.Context
	lock          sync.Mutex     // between the setters and Server.Sessions
	software      *metrics.Gauge // of connections with this software; nil until SetSoftware
	softwares     *metrics.Gauges
}

// Context ends with the connection.
func (s *Session) Context() context.Context { return s.ctx }

// Authenticate says who the peer is ("User:alice"); larger frames are allowed from now on.
func (s *Session) Authenticate(principal string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.Principal, s.authenticated = strings.Clone(principal), true
}

// SetClientID notes the client id of a request. It costs nothing while the id stays the same.
func (s *Session) SetClientID(id string) {
	if s.ClientID == id {
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.ClientID = strings.Clone(id)
}

// SetSoftware notes the name and version of the client library. The caller has checked that they are
// made of the characters that KIP-511 allows.
func (s *Session) SetSoftware(name, version string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.SoftwareName, s.SoftwareVersion = strings.Clone(name), strings.Clone(version)
	if s.software != nil {
		s.software.Add(-1)
	}
	s.software = s.softwares.With(s.ListenerName, s.SoftwareName, s.SoftwareVersion)
	s.software.Add(1)
}

// end takes the session out of the numbers.
func (s *Session) end() {
	if s.software != nil {
		s.software.Add(-1)
	}
}

// SessionInfo is a copy of a Session for those who look on (console, tools).
type SessionInfo struct {
	ID                                      uint64
	ListenerName, SecurityProtocol          string
	RemoteAddr                              netip.AddrPort
	Principal                               string
	ClientID, SoftwareName, SoftwareVersion string
}

// Info returns a copy of the session. It may be called from any goroutine.
func (s *Session) Info() SessionInfo {
	s.lock.Lock()
	defer s.lock.Unlock()
	return SessionInfo{
		ID: s.ID, ListenerName: s.ListenerName, SecurityProtocol: s.SecurityProtocol,
		RemoteAddr: s.RemoteAddr, Principal: s.Principal,
		ClientID: s.ClientID, SoftwareName: s.SoftwareName, SoftwareVersion: s.SoftwareVersion,
	}
}
