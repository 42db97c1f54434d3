package server

import (
	"bytes"
	"fmt"
)

// refusal is input that is no frame: the connection is closed without an answer, as Kafka does, and the
// log says what it looked like.
type refusal struct {
	reason CloseReason
	text   string
}

func (r *refusal) Error() string { return r.text }

// httpMethods are the beginnings of what an HTTP client may send first; PRI is HTTP/2's.
var httpMethods = [...]string{"GET ", "POST", "PUT ", "HEAD", "DELE", "OPTI", "PATC", "CONN", "TRAC", "PRI "}

// refuse names what a frame length outside of 0..limit is likely to be. input begins with the length;
// first says that nothing came before on this connection.
func refuse(input []byte, size, limit int, first bool, protocol string) *refusal {
	if first {
		if named := refuseProtocol(input, protocol); named != nil {
			return named
		}
	}
	where := "at the start of the connection: not a Kafka client?"
	if !first {
		where = "after complete requests: the client lost its place, or its request is too large"
	}
	if size < 0 {
		return &refusal{ClosedInvalidSize, fmt.Sprintf("frame length %d is negative (bytes %x), %s", size, input[:4], where)}
	}
	setting := "socket.request.max.bytes"
	if limit == MaxUnauthenticatedBytes {
		setting = "the limit before authentication"
	}
	return &refusal{ClosedInvalidSize, fmt.Sprintf("frame length %d is over %s = %d (bytes %x), %s", size, setting, limit, input[:4], where)}
}

// refuseProtocol recognises the first bytes of other protocols.
func refuseProtocol(input []byte, protocol string) *refusal {
	for _, method := range httpMethods {
		if bytes.HasPrefix(input, []byte(method)) {
			line, _, _ := bytes.Cut(input, []byte("\r\n"))
			return &refusal{ClosedHTTP, fmt.Sprintf("an HTTP request (%.80q) on a Kafka %s listener; metrics, health and console are at http.address", line, protocol)}
		}
	}
	switch {
	case input[0] == 0x16 && input[1] == 0x03:
		return &refusal{ClosedTLS, fmt.Sprintf("a TLS handshake on a %s listener: set the client's security.protocol to %s, or connect to an SSL listener", protocol, protocol)}
	case bytes.HasPrefix(input, []byte("SSH-")):
		return &refusal{ClosedSSH, fmt.Sprintf("an SSH greeting on a Kafka %s listener", protocol)}
	}
	return nil
}
