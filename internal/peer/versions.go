package peer

import (
	"encoding/binary"
	"fmt"
	"net"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// versions are what the peer serves, by API key.
type versions map[int16]struct{ min, max int16 }

// best is the newest version of an API that both sides have.
func (v versions) best(key int16) (int16, bool) {
	own, known := wire.FindAPI(key)
	theirs, served := v[key]
	version := min(own.Max, theirs.max)
	return version, known && served && version >= max(own.Min, theirs.min)
}

const (
	apiVersionsKey = 18
	// versionsCorrelation and firstCorrelation are the correlation ids that a connection begins with.
	versionsCorrelation = 0
	firstCorrelation    = 1
	maxVersionsBytes    = 64 << 10
	// maxVersionsTries: a peer that does not know our version of ApiVersions names its own (KIP-511).
	maxVersionsTries = 2
)

// Software is how nodes call themselves (KIP-511). Who does is told of Ottla's own APIs.
const Software = "ottla"

// askVersions asks a new connection for the versions of the peer.
func (c *Client) askVersions(conn net.Conn) (versions, error) {
	own, _ := wire.FindAPI(apiVersionsKey)
	in := newFrames(conn, maxVersionsBytes)
	version := own.Max
	for range maxVersionsTries {
		w := new(wire.Writer)
		x := &call{version: version, Request: Request{Message: &wire.ApiVersionsRequest{ClientSoftwareName: Software, ClientSoftwareVersion: c.options.Version}}}
		if err := c.encode(w, x, versionsCorrelation); err != nil {
			return nil, err
		}
		if _, err := conn.Write(w.Buf); err != nil {
			return nil, err
		}
		frame, err := in.exactly()
		if err != nil {
			return nil, err
		}
		response, err := readVersions(frame, version)
		if err != nil {
			return nil, fmt.Errorf("response to ApiVersions version %d: %w", version, err)
		}
		v := versions{}
		for _, k := range response.ApiKeys {
			v[k.ApiKey] = struct{ min, max int16 }{k.MinVersion, k.MaxVersion}
		}
		switch kafka.ErrorCode(response.ErrorCode) {
		case kafka.None:
			return v, nil
		case kafka.UnsupportedVersion:
			var ok bool
			if version, ok = v.best(apiVersionsKey); !ok {
				return nil, v.refusal(x.Message)
			}
		default:
			return nil, fmt.Errorf("the peer refuses ApiVersions: %w", kafka.ErrorCode(response.ErrorCode))
		}
	}
	return nil, kafka.Errorf(kafka.UnsupportedVersion, "the peer refuses the version of ApiVersions that it names itself")
}

// readVersions reads a response; one that refuses the version comes in version 0 (KIP-511).
func readVersions(frame []byte, version int16) (*wire.ApiVersionsResponse, error) {
	if len(frame) >= 6 && kafka.ErrorCode(binary.BigEndian.Uint16(frame[4:])) == kafka.UnsupportedVersion {
		version = 0
	}
	response := new(wire.ApiVersionsResponse)
	err := decode(wire.NewReader(frame), apiVersionsKey, version, versionsCorrelation, response)
	return response, err
}
