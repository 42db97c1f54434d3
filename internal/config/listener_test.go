package config

import (
	"strings"
	"testing"
)

func TestListeners(t *testing.T) {
	// A wanted text that begins with "error " is part of the error.
	f := func(want string, sets ...string) {
		t.Helper()
		b, _, err := Load(Sources{Sets: sets})
		if part, ok := strings.CutPrefix(want, "error "); ok {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%v: got %v, want %s", sets, err, part)
			}
			return
		}
		if err != nil {
			t.Errorf("%v: %v", sets, err)
			return
		}
		if got := texts(b.Listeners) + " | " + texts(b.AdvertisedListeners); got != want {
			t.Errorf("%v:\n got %s\nwant %s", sets, got, want)
		}
	}
	f("PLAINTEXT://[::1]:9092/PLAINTEXT | PLAINTEXT://[::1]:9092/PLAINTEXT", "listeners=PLAINTEXT://[::1]:9092")
	f("PLAINTEXT://:9092/PLAINTEXT | PLAINTEXT://:9092/PLAINTEXT", "listeners=plaintext://:9092")
	f("PLAINTEXT://localhost:0/PLAINTEXT | PLAINTEXT://localhost:0/PLAINTEXT", "listeners=PLAINTEXT://localhost:0")
	f("PLAINTEXT://:0/PLAINTEXT B://:0/PLAINTEXT | PLAINTEXT://h:1/PLAINTEXT B://h:1/PLAINTEXT", "listeners=PLAINTEXT://:0,B://:0",
		"advertised.listeners=PLAINTEXT://h:1,B://h:1", "listener.security.protocol.map=PLAINTEXT:PLAINTEXT, b:plaintext")
	f("PLAINTEXT://127.0.0.1:9092/PLAINTEXT B://[::1]:9092/PLAINTEXT | PLAINTEXT://127.0.0.1:9092/PLAINTEXT B://[::1]:9092/PLAINTEXT",
		"listeners=PLAINTEXT://127.0.0.1:9092,B://[::1]:9092", "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,B:PLAINTEXT")
	f("PLAINTEXT://:9092/PLAINTEXT CTL://:9093/PLAINTEXT | PLAINTEXT://:9092/PLAINTEXT", "listeners=PLAINTEXT://:9092,CTL://:9093",
		"controller.listener.names=CTL") // needs no entry in the map

	const ab = "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,A:PLAINTEXT,B:PLAINTEXT,C:PLAINTEXT"
	f("error Each listener must have a different port, listeners: [A://:9092, B://:9092]", ab, "listeners=A://:9092,B://:9092")
	f("error then one needs to be IPv4 and the other IPv6, listeners: [A://127.0.0.1:1, B://127.0.0.2:1], port: 1", ab, "listeners=A://127.0.0.1:1,B://127.0.0.2:1")
	f("error unless exactly one listener has an IPv4 address", ab, "listeners=A://127.0.0.1:1,B://[::1]:1,C://[::2]:1")
	f("error Each listener must have a different name, listeners: [A://:1, A://:2]", ab, "listeners=A://:1,A://:2")
	f("error No security protocol defined for listener X", "listeners=X://:1")
	f("error Unable to parse x to a broker endpoint", "listeners=x")
	f("error port 70000 of listener PLAINTEXT must be from 0 to 65535", "listeners=PLAINTEXT://:70000")
	f("error Invalid security protocol `TLS` defined in listener.security.protocol.map", "listener.security.protocol.map=A:TLS")
	f("error advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.", "listeners=PLAINTEXT://0.0.0.0:9092")
	f("error inter.broker.listener.name must be a listener name defined in advertised.listeners. The valid options based on currently configured listeners are A",
		ab, "listeners=A://h:1")
	f("error advertised.listeners listener names must be equal to or a subset of the ones defined in listeners. Found PLAINTEXT,B. "+
		"The valid options based on the current configuration are PLAINTEXT", ab, "listeners=PLAINTEXT://h:1", "advertised.listeners=PLAINTEXT://h:1,B://h:2")
	f("error Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.", "inter.broker.listener.name=PLAINTEXT", "security.inter.broker.protocol=PLAINTEXT")
	f("error Listener with name X defined in inter.broker.listener.name not found in listener.security.protocol.map.", "inter.broker.listener.name=X")
	f("error There must be at least one broker advertised listener. Perhaps all listeners appear in controller.listener.names?", "listeners=CTL://:1", "controller.listener.names=CTL")
	f("error controller.listener.names must contain at least one value appearing in the 'listeners' configuration", "controller.listener.names=CTL")
	f("error controller.listener.names must only contain values appearing in the 'listeners' configuration", "controller.listener.names=CTL,NO",
		"listeners=PLAINTEXT://h:1,CTL://:2")
	f("error early.start.listeners contains listener X, but this is not contained in listeners or controller.listener.names", "early.start.listeners=X")
	f("error Configuration 'listeners' must not be empty. Valid values include: any non-empty value", "listeners=")
}

func TestListenerLimits(t *testing.T) {
	b, _, err := Load(Sources{Sets: []string{"listener.name.plaintext.max.connections=7", "max.connections.per.ip.overrides=10.0.0.1:5, [::1]:6,host:7"}})
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := b.ListenerInt("PLAINTEXT", MaxConnections); n != 7 || !ok {
		t.Error(n, ok)
	}
	if n, ok := b.ListenerInt("OTHER", MaxConnections); ok {
		t.Error(n)
	}
	if m := b.MaxConnectionsOverrides(); m["10.0.0.1"] != 5 || m["::1"] != 6 || m["host"] != 7 {
		t.Error(m)
	}
}
