package config

import (
	"regexp"
	"strconv"
	"strings"
)

// Voter is one controller of the metadata quorum, an entry of controller.quorum.voters.
type Voter struct {
	ID   int32
	Host string
	Port int
}

// Address is a host and a port, an entry of controller.quorum.bootstrap.servers.
type Address struct {
	Host string
	Port int
}

var hostPort = regexp.MustCompile(`^(?:[0-9a-zA-Z\-%._]*://)?\[?([0-9a-zA-Z\-%._:]*)\]?:([0-9]+)$`)

// parseVoter reads {id}@{host}:{port}.
func parseVoter(entry string) (Voter, error) {
	const form = "Each entry should be in the form `{id}@{host}:{port}`."
	id, address, ok := strings.Cut(entry, "@")
	if !ok || address == "" || strings.Contains(address, "@") {
		return Voter{}, valueErrorf("Invalid configuration value for controller.quorum.voters. %s", form)
	}
	n, err := strconv.ParseInt(id, 10, 32)
	if err != nil {
		return Voter{}, valueErrorf("Failed to parse voter ID as an integer from %s", id)
	}
	a, ok := parseAddress(address)
	if !ok {
		return Voter{}, valueErrorf("Failed to parse host name from entry %s for the configuration controller.quorum.voters. %s", entry, form)
	}
	return Voter{ID: int32(n), Host: a.Host, Port: a.Port}, nil
}

func parseAddress(text string) (Address, bool) {
	m := hostPort.FindStringSubmatch(text)
	if m == nil {
		return Address{}, false
	}
	port, err := strconv.Atoi(m[2])
	if err != nil || port > 65535 {
		return Address{}, false
	}
	return Address{Host: m[1], Port: port}, true
}

// voterList allows entries of the form {id}@{host}:{port}.
type voterList struct{}

func (voterList) check(_ *Row, v value) error {
	for _, entry := range v.list {
		if _, err := parseVoter(entry); err != nil {
			return err
		}
	}
	return nil
}

func (voterList) String() string { return "non-empty list" }

// addressList allows entries of the form {host}:{port}.
type addressList struct{}

func (addressList) check(r *Row, v value) error {
	for _, entry := range v.list {
		if _, ok := parseAddress(entry); !ok {
			return valueErrorf("Failed to parse host name from %s for the configuration %s. Each entry should be in the form \"{host}:{port}\"", entry, r.Name)
		}
	}
	return nil
}

func (addressList) String() string { return "non-empty list" }
