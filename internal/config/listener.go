package config

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Listener is a named address on which brokers or controllers are reached.
type Listener struct {
	Name     string // in upper case, as Kafka normalises it
	Protocol SecurityProtocol
	Host     string // empty means all interfaces, or the machine's name when advertised
	Port     int    // 0 takes a free one
}

// String writes NAME://host:port as in the listeners property.
func (l Listener) String() string { return l.Name + "://" + l.Address() }

// Address returns host:port as net.Listen takes it, with brackets around IPv6 addresses.
func (l Listener) Address() string { return net.JoinHostPort(l.Host, strconv.Itoa(l.Port)) }

// SecurityProtocol is how the connections of a listener are protected.
type SecurityProtocol string

const (
	Plaintext     SecurityProtocol = "PLAINTEXT"
	SSL           SecurityProtocol = "SSL"
	SASLPlaintext SecurityProtocol = "SASL_PLAINTEXT"
	SASLSSL       SecurityProtocol = "SASL_SSL"
)

// ID returns Kafka's number of the protocol, which registrations of brokers carry.
func (p SecurityProtocol) ID() int16 {
	return int16(slices.Index(securityProtocols, p))
}

var securityProtocols = []SecurityProtocol{Plaintext, SSL, SASLPlaintext, SASLSSL}

var listenerForm = regexp.MustCompile(`^(.*)://\[?([0-9a-zA-Z\-%._:]*)\]?:(-?[0-9]+)$`)

// ParseListener reads name://host:port. The protocol is left open: it is in listener.security.protocol.map.
func ParseListener(entry string) (Listener, error) {
	m := listenerForm.FindStringSubmatch(entry)
	if m == nil {
		return Listener{}, valueErrorf("Unable to parse %s to a broker endpoint", entry)
	}
	l := Listener{Name: strings.ToUpper(m[1]), Host: m[2]}
	var err error
	if l.Port, err = strconv.Atoi(m[3]); err != nil || l.Port < 0 || l.Port > 65535 {
		return Listener{}, fmt.Errorf("port %s of listener %s must be from 0 to 65535", m[3], l.Name)
	}
	return l, nil
}

// parseListeners reads a list of NAME://host:port. Names and, unless shared is set, ports must differ; one IPv4 and
// one IPv6 address may share a port.
func parseListeners(entries []string, protocols map[string]SecurityProtocol, sharedPorts bool) ([]Listener, error) {
	var all []Listener
	fail := func(format string, args ...any) ([]Listener, error) {
		return nil, valueErrorf("Error creating broker listeners from '%s': %s", javaList(entries), fmt.Sprintf(format, args...))
	}
	for _, entry := range entries {
		l, err := ParseListener(entry)
		if err != nil {
			return fail("%v", err)
		}
		var ok bool
		if l.Protocol, ok = protocols[l.Name]; !ok {
			return fail("No security protocol defined for listener %s", l.Name)
		}
		if slices.ContainsFunc(all, func(o Listener) bool { return o.Name == l.Name }) {
			return fail("Each listener must have a different name, listeners: %s", javaList(entries))
		}
		all = append(all, l)
	}
	if !sharedPorts {
		if text := checkPorts(all); text != "" {
			return fail("%s", fmt.Sprintf(text, javaList(entries)))
		}
	}
	return all, nil
}

// checkPorts returns Kafka's complaint, with a verb for the list of listeners, or nothing.
func checkPorts(all []Listener) string {
	byPort := make(map[int][]Listener)
	for _, l := range all {
		if l.Port != 0 {
			byPort[l.Port] = append(byPort[l.Port], l)
		}
	}
	for _, l := range all {
		same := byPort[l.Port]
		if len(same) < 2 {
			continue
		}
		var v4, v6, names int
		for _, o := range same {
			ip, err := netip.ParseAddr(o.Host)
			switch {
			case err != nil:
				names++
			case ip.Is4():
				v4++
			default:
				v6++
			}
		}
		port := strconv.Itoa(l.Port)
		switch {
		case names > 1:
			return "Each listener must have a different port, listeners: %s"
		case v4+v6 > 2:
			return "Each listener must have a different port unless exactly one listener has an IPv4 address and the other IPv6 address, listeners: %s, port: " + port
		case v4 != 1 || v6 != 1 || names > 0:
			return "If you have two listeners on the same port then one needs to be IPv4 and the other IPv6, listeners: %s, port: " + port
		}
	}
	return ""
}

// javaList writes a list as Java prints it.
func javaList(s []string) string { return "[" + strings.Join(s, ", ") + "]" }

// parseProtocolMap reads listener.security.protocol.map.
func parseProtocolMap(text string) (map[string]SecurityProtocol, error) {
	protocols := make(map[string]SecurityProtocol)
	for _, entry := range splitList(trim(text)) {
		at := strings.LastIndexByte(entry, ':')
		if at < 0 {
			return nil, valueErrorf("Error parsing configuration property 'listener.security.protocol.map': %s is not of the form NAME:PROTOCOL", entry)
		}
		p := SecurityProtocol(strings.ToUpper(trim(entry[at+1:])))
		if !slices.Contains(securityProtocols, p) {
			return nil, valueErrorf("Invalid security protocol `%s` defined in listener.security.protocol.map", trim(entry[at+1:]))
		}
		protocols[strings.ToUpper(trim(entry[:at]))] = p
	}
	return protocols, nil
}

// listenerBase takes the prefix off listener.name.<listener>.<property> and off
// listener.name.<listener>.<mechanism>.<property> for the properties that SASL mechanisms have of their own.
func listenerBase(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, "listener.name.")
	if !ok {
		return "", false
	}
	_, base, ok := strings.Cut(rest, ".")
	if !ok {
		return "", false
	}
	for _, own := range []string{"sasl.jaas.config", "sasl.login.callback.handler.class", "sasl.login.class",
		"sasl.server.callback.handler.class", "connections.max.reauth.ms"} {
		if strings.HasSuffix(base, own) {
			return own, true
		}
	}
	return base, true
}
