package server

import (
	"errors"
	"io"
)

// CloseReason says why a connection ended; it is the label "reason" of the metric that counts ends.
type CloseReason string

const (
	ClosedByPeer       CloseReason = "peer"             // the peer closed or reset it
	ClosedTruncated    CloseReason = "truncated"        // the peer closed it within a frame
	ClosedByHandler    CloseReason = "handler"          // Request.Close, CloseAfter
	ClosedIdle         CloseReason = "idle"             // connections.max.idle.ms
	ClosedSlow         CloseReason = "slow"             // the peer did not take its replies
	ClosedByStop       CloseReason = "stop"             // the server stops
	ClosedForOther     CloseReason = "evicted"          // max.connections, in favour of the inter-broker listener
	ClosedInvalidSize  CloseReason = "invalid-size"     // a negative frame length, or one over the limit
	ClosedHTTP         CloseReason = "http"             // an HTTP request instead of a frame
	ClosedTLS          CloseReason = "tls"              // a TLS handshake where there is no TLS
	ClosedSSH          CloseReason = "ssh"              // an SSH greeting instead of a frame
	ClosedPerIP        CloseReason = "too-many-from-ip" // max.connections.per.ip
	ClosedUnreadable   CloseReason = "unreadable"       // the records of a reply could not be read from the disk
	ClosedNetworkError CloseReason = "error"            // anything else that went wrong with the socket
)

// closeReasons are all of them, for the metrics.
var closeReasons = [...]CloseReason{
	ClosedByPeer, ClosedTruncated, ClosedByHandler, ClosedIdle, ClosedSlow, ClosedByStop, ClosedForOther,
	ClosedInvalidSize, ClosedHTTP, ClosedTLS, ClosedSSH, ClosedPerIP, ClosedUnreadable, ClosedNetworkError,
}

// closeReasonOf returns the reason that a failed read or write stands for.
func closeReasonOf(err error) CloseReason {
	if _, ok := errors.AsType[*unreadable](err); ok {
		return ClosedUnreadable
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe), isReset(err):
		return ClosedByPeer
	case errors.Is(err, io.ErrUnexpectedEOF):
		return ClosedTruncated
	}
	return ClosedNetworkError
}

// unreadable says that deferred records could not be read: the reply stops where they should be.
type unreadable struct{ error }

func (u *unreadable) Error() string {
	return "the records of a reply cannot be read: " + u.error.Error()
}
func (u *unreadable) Unwrap() error { return u.error }
