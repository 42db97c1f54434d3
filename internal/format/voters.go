package format

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/quorum"
)

// ParseVoters reads the first voters of a quorum, "id@host:port:directory,...", as --initial-controllers names them; listener is
// where they are reached (org.apache.kafka.raft.DynamicVoters).
func ParseVoters(text, listener string) ([]quorum.Member, error) {
	var voters []quorum.Member
	for one := range strings.SplitSeq(strings.TrimSpace(text), ",") {
		if one == "" {
			continue
		}
		m, err := parseVoter(strings.TrimSpace(one), listener)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(voters, func(v quorum.Member) bool { return v.NodeID == m.NodeID }) {
			return nil, errorf("Node id %d was specified more than once.", m.NodeID)
		}
		voters = append(voters, m)
	}
	if len(voters) == 0 {
		return nil, errorf("No voters given.")
	}
	return voters, nil
}

func parseVoter(text, listener string) (m quorum.Member, err error) {
	id, rest, found := strings.Cut(text, "@")
	switch {
	case !found:
		return m, errorf("No @ found in dynamic voter string.")
	case id == "":
		return m, errorf("Invalid @ at beginning of dynamic voter string.")
	}
	node, err := strconv.ParseInt(id, 10, 32)
	switch {
	case err != nil:
		return m, errorf("Failed to parse node id in dynamic voter string.")
	case node < 0:
		return m, errorf("Invalid negative node id %d in dynamic voter string.", node)
	}
	host, rest, err := cutHost(rest)
	if err != nil {
		return m, err
	}
	number, directory, found := strings.Cut(rest, ":")
	if !found {
		return m, errorf("No colon following port could be found.")
	}
	port, err := strconv.ParseInt(number, 10, 32)
	switch {
	case err != nil:
		return m, errorf("Failed to parse port in dynamic voter string.")
	case port < 0 || port > math.MaxUint16:
		return m, errorf("Invalid port %d in dynamic voter string.", port)
	}
	uuid, err := kafka.ParseUUID(directory)
	if err != nil {
		return m, errorf("Failed to parse directory ID in dynamic voter string.")
	}
	return Voter(int32(node), uuid, listener, host, uint16(port)), nil
}

// Voter is a voter of this version of Ottla.
func Voter(node int32, directory kafka.UUID, listener, host string, port uint16) quorum.Member {
	return quorum.Member{
		Voter:     quorum.Voter{NodeID: node, DirectoryID: directory},
		Endpoints: []quorum.Endpoint{{Listener: listener, Host: host, Port: port}},
		MaxKRaft:  quorum.LatestKRaftVersion,
	}
}

// cutHost reads a host, in brackets if it has colons, and the colon behind it.
func cutHost(text string) (host, rest string, err error) {
	if text == "" {
		return "", "", errorf("No hostname found after node id.")
	}
	found := false
	if inner, isBracketed := strings.CutPrefix(text, "["); isBracketed {
		if host, rest, found = strings.Cut(inner, "]"); !found {
			return "", "", errorf("Hostname began with left bracket, but no right bracket was found.")
		}
		if rest, found = strings.CutPrefix(rest, ":"); !found {
			return "", "", errorf("Port section must start with a colon.")
		}
		return host, rest, nil
	}
	if host, rest, found = strings.Cut(text, ":"); !found {
		return "", "", errorf("No colon following hostname could be found.")
	}
	return host, rest, nil
}
