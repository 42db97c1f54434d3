package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/config"
)

func TestContainerDefaultsStandBelowEverythingThatTheUserSays(t *testing.T) {
	const own = "listeners=[PLAINTEXT://0.0.0.0:9092] advertised=[PLAINTEXT://localhost:9092] dirs=[/var/lib/kafka/data] http=0.0.0.0:9644"
	f := func(mounted, environ, want string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "server.properties")
		if mounted != "" {
			if err := os.WriteFile(file, []byte(mounted), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		c, _, err := loadInContainer(config.Sources{Environ: strings.Fields(environ)}, file)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("listeners=%v advertised=%v dirs=%v http=%s", c.Listeners, c.AdvertisedListeners, c.LogDirs(), c.Text(config.HTTPAddress))
		if got != want {
			t.Errorf("file %q, environment %q:\ngot  %s\nwant %s", mounted, environ, got, want)
		}
	}
	f("", "", own)
	f("", "KAFKA_NUM_PARTITIONS=3", own)
	f("", "KAFKA_ADVERTISED_LISTENERS=A://h:29092,PLAINTEXT://localhost:19092 KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=A:PLAINTEXT,PLAINTEXT:PLAINTEXT KAFKA_LOG_DIRS=/tmp/logs",
		"listeners=[A://0.0.0.0:29092 PLAINTEXT://0.0.0.0:19092] advertised=[A://h:29092 PLAINTEXT://localhost:19092] dirs=[/tmp/logs] http=0.0.0.0:9644")
	// Bitnami's: listeners without advertised ones are advertised as they are, under the container's name.
	f("", "KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093 KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER KAFKA_CFG_HTTP_ADDRESS=off",
		"listeners=[PLAINTEXT://:9092 CONTROLLER://:9093] advertised=[PLAINTEXT://:9092] dirs=[/var/lib/kafka/data] http=off")
	f("log.dirs=/mounted\nadvertised.listeners=PLAINTEXT://kafka.example:9092", "",
		"listeners=[PLAINTEXT://0.0.0.0:9092] advertised=[PLAINTEXT://kafka.example:9092] dirs=[/mounted] http=0.0.0.0:9644")
	f("log.dir=/mounted", "KAFKA_LOG_DIRS=/env", strings.Replace(own, "/var/lib/kafka/data", "/env", 1))
}

func TestOutsideOfAContainerTheDefaultIsLoopback(t *testing.T) {
	c, _, err := loadConfig(config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%v %s", c.Listeners, c.Text(config.HTTPAddress)); got != "[PLAINTEXT://localhost:9092] localhost:9644" {
		t.Error(got)
	}
}

func TestRunScript(t *testing.T) {
	for path, want := range map[string]bool{
		"/etc/kafka/docker/run": true, "/etc/confluent/docker/run": true, "run": false, "/usr/bin/ottla": false,
	} {
		if isRunScript(path) != want {
			t.Errorf("%s: want %v", path, want)
		}
	}
	sources, unknown := runScriptSources([]string{"KAFKA_NUM_PARTITIONS=4"}, []string{"KAFKA_NUM_PARTITIONS=2"})
	if unknown != "" {
		t.Fatalf("refused %q", unknown)
	}
	c, _, err := loadConfig(sources)
	if err != nil {
		t.Fatal(err)
	}
	if n := c.Int(config.NumPartitions); n != 4 {
		t.Errorf("num.partitions is %d, want that of the argument", n)
	}
	if got := fmt.Sprint(c.Listeners); got != "[PLAINTEXT://0.0.0.0:9092]" {
		t.Errorf("listeners are %s, want those of a container", got)
	}
	if _, unknown := runScriptSources([]string{"A=b", "--config"}, nil); unknown != "--config" {
		t.Errorf("took an option for a variable: %q", unknown)
	}
}

func TestWhatToTypeInAnotherTerminal(t *testing.T) {
	f := func(name string, environ []string, want string) {
		t.Helper()
		if got := callableAs(name, environ); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	f("bin/ottla", nil, "bin/ottla")
	f("/usr/bin/ottla", []string{"OTTLA_CONTAINER=1"}, "docker exec -i CONTAINER ottla")
	f("/etc/kafka/docker/run", nil, "docker exec -i CONTAINER ottla")
}
