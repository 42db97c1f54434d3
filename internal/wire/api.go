package wire

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// API is one row of the table of APIs.
type API struct {
	Key      int16
	Name     string
	Min, Max int16 // versions served; a latest version that Kafka calls unstable is not among them
	Flexible int16 // the first flexible version, beyond Max if there is none
	// Broker and Controller say on which listeners Kafka serves the API.
	Broker, Controller bool
}

// firstOwn is the first key of Ottla's own APIs, far from where Kafka's grow.
const firstOwn = 20_000

// Own reports whether the API is none of Kafka's: Ottla's nodes talk to each other with it, and no client is told of it.
func (a API) Own() bool { return a.Key >= firstOwn }

// FindAPI returns the row of an API key.
func FindAPI(key int16) (API, bool) {
	i, ok := slices.BinarySearchFunc(APIs, key, func(a API, key int16) int { return cmp.Compare(a.Key, key) })
	if !ok {
		return API{}, false
	}
	return APIs[i], true
}

const apiVersions = 18

// RequestHeaderVersion returns the version of the header before a request: 2 for flexible versions,
// else 1. It is 1 for an unknown API too.
func RequestHeaderVersion(key, version int16) int16 {
	if api, ok := FindAPI(key); ok && version >= api.Flexible {
		return 2
	}
	return 1
}

// ResponseHeaderVersion returns the version of the header before a response: 1 for flexible versions,
// else 0. ApiVersions always has 0, so that a client can read the answer of a broker that does not
// know the version it asked for (KIP-511).
func ResponseHeaderVersion(key, version int16) int16 {
	if key == apiVersions {
		return 0
	}
	return RequestHeaderVersion(key, version) - 1
}

// PeekRequest reads what every request header begins with: the API key, the version, and the
// correlation id. It is what the version of the header itself is chosen by.
func PeekRequest(frame []byte) (key, version int16, correlationID int32, err error) {
	if len(frame) < 8 {
		return 0, 0, 0, &DecodeError{Message: "RequestHeader", Offset: len(frame), Reason: "fewer than 8 bytes"}
	}
	return int16(binary.BigEndian.Uint16(frame)), int16(binary.BigEndian.Uint16(frame[2:])),
		int32(binary.BigEndian.Uint32(frame[4:])), nil
}
