package api

import (
	"net/netip"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/server"
	"github.com/ottla/ottla/internal/wire"
)

// origin is whose request is asked of the controller: what is left of the session when the request travels to another
// node in an Envelope.
type origin struct {
	version   int16 // of the request
	principal string
	clientID  string
	address   netip.Addr
}

// origin is whose request a call is. It is taken within Handle.
func (c Call) origin() origin {
	s := c.Session()
	return origin{version: c.version, principal: s.Principal, clientID: s.ClientID, address: s.RemoteAddr.Addr()}
}

// newest stands for the newest version of a request.
const newest = -1

// ownRequest is the origin of what a broker asks for by itself: topics that are created because a client asked about them.
func ownRequest() origin {
	return origin{version: newest, principal: server.Anonymous}
}

// principalBytes is a principal in Kafka's serialization (DefaultKafkaPrincipalBuilder).
func principalBytes(principal string) []byte {
	kind, name, _ := strings.Cut(principal, ":")
	w := new(wire.Writer)
	w.Buf = append(w.Buf, 0, 0) // version
	data := wire.DefaultPrincipalData{Type: kind, Name: name}
	data.Encode(w, 0)
	return w.Bytes()
}

// readPrincipal reads what principalBytes writes.
func readPrincipal(b []byte) (string, error) {
	var data wire.DefaultPrincipalData
	if len(b) < 2 || b[0] != 0 || b[1] != 0 {
		return "", kafka.Errorf(kafka.PrincipalDeserializationFailure, "Failed to deserialize principal: a version other than 0")
	}
	r := wire.NewReader(b[2:])
	if err := data.Decode(r, 0); err != nil {
		return "", kafka.Errorf(kafka.PrincipalDeserializationFailure, "Failed to deserialize principal: %v", err)
	}
	return data.Type + ":" + data.Name, nil
}

// addressBytes is the client's address as an Envelope has it: 4 or 16 bytes.
func (o origin) addressBytes() []byte {
	if !o.address.IsValid() {
		return netip.IPv4Unspecified().AsSlice()
	}
	return o.address.Unmap().AsSlice()
}
