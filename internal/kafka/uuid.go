package kafka

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
)

// UUID identifies a topic, a log directory or a cluster. Its text is 22 characters of URL-safe base64
// without padding, as in Kafka (org.apache.kafka.common.Uuid).
type UUID [16]byte

// ZeroUUID stands for "no id". OneUUID is the topic id of the metadata log.
var (
	ZeroUUID = UUID{}
	OneUUID  = UUID{15: 1}
)

// NewUUID returns a random version 4 UUID. Like Kafka it draws again while the text contains a dash
// at its start, so that an id is never taken for an option on a command line.
func NewUUID() UUID {
	for {
		var u UUID
		rand.Read(u[:])
		u[6] = u[6]&0x0f | 0x40
		u[8] = u[8]&0x3f | 0x80
		if !strings.HasPrefix(u.String(), "-") {
			return u
		}
	}
}

// ParseUUID reads the 22 character text of a UUID.
func ParseUUID(text string) (UUID, error) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || len(b) != 16 {
		return UUID{}, fmt.Errorf("%q is not a UUID: want 22 characters of URL-safe base64 that stand for 16 bytes", text)
	}
	return UUID(b), nil
}

func (u UUID) String() string { return base64.RawURLEncoding.EncodeToString(u[:]) }

// Hex returns the form with dashes (8-4-4-4-12 hexadecimal digits), which Kafka uses in member ids.
func (u UUID) Hex() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// IsZero reports whether u stands for "no id".
func (u UUID) IsZero() bool { return u == UUID{} }
