package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestEnvironment(t *testing.T) {
	f := func(variables, want string) {
		t.Helper()
		env, err := parseEnvironment(environ(variables))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range env.properties {
			got = append(got, fmt.Sprintf("%s=%s", p.Name, p.Value))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: got %q, want %q", variables, s, want)
		}
	}
	f("KAFKA_A_B__C___D=1", "a.b_c-d=1")
	f("KAFKA_LISTENER_NAME_EXTERNAL_SCRAM___SHA___256_SASL_JAAS_CONFIG=x", "listener.name.external.scram-sha-256.sasl.jaas.config=x")
	f("OTHER_A=1\nkafka_b=2\nKAFKA=3", "")
	f("KAFKA_OPTS=x\nKAFKA_LOG4J_LOGGERS=a=b\nKAFKA_JMX_PORT=1\nKAFKA_HOME=/opt\nKAFKA_VERSION=4", "")
	f("KAFKA_PORT=tcp://10.0.0.1:9092\nKAFKA_SERVICE_HOST=h\nKAFKA_SERVICE_PORT_KAFKA=1\nKAFKA_PORT_9092_TCP_ADDR=h", "") // Kubernetes
	f("KAFKA_NUM_PARTITIONS=1\nKAFKA_CFG_NUM_PARTITIONS=2", "num.partitions=2")
	f(`KAFKA_A=x\\.y`, `a=x\.y`) // the images write values into a properties file
	f("KAFKA_A=b=c", "a=b=c")
}

func TestDerivedListeners(t *testing.T) {
	if got := deriveListeners("A://host.name:1,B://[::1]:2,C://:3"); got != "A://0.0.0.0:1,B://0.0.0.0:2,C://0.0.0.0:3" {
		t.Error(got)
	}
	// Listeners that somebody sets are kept.
	b, _, err := Load(Sources{Environ: []string{"KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://h:1"}, Sets: []string{"listeners=PLAINTEXT://:5"}})
	if err != nil || texts(b.Listeners) != "PLAINTEXT://:5/PLAINTEXT" {
		t.Error(b, err)
	}
}
