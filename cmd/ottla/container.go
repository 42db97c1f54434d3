package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ottla/ottla/internal/config"
)

const (
	// containerVariable is set in the environment of our image (Dockerfile), and nowhere else.
	containerVariable = "OTTLA_CONTAINER"
	// mountedConfig is where the image apache/kafka looks for a file that its user has mounted.
	mountedConfig = "/mnt/shared/config/server.properties"
)

// loadConfig reads the configuration of a node; in a container, with the defaults that make sense there.
func loadConfig(from config.Sources) (*config.Broker, []config.Notice, error) {
	if variable(from.Environ, containerVariable) == "" {
		return config.Load(from)
	}
	return loadInContainer(from, mountedConfig)
}

// loadInContainer puts the image's defaults below everything that a user says, in a file, the environment or the command
// line, where an ENV line of the Dockerfile would stand above a mounted file, and beside listeners of other names.
func loadInContainer(from config.Sources, mounted string) (*config.Broker, []config.Notice, error) {
	if _, err := os.Stat(mounted); err == nil && from.File == "" {
		from.File = mounted
	}
	c, _, err := config.Load(from)
	if err != nil {
		return nil, nil, err
	}
	from.Sets = append(containerDefaults(c), from.Sets...)
	return config.Load(from)
}

// containerDefaults are the settings that nobody has made and whose usual default is of no use in a container: loopback
// cannot be published, and the working directory is no volume.
func containerDefaults(c *config.Broker) []string {
	unset := func(source config.Source) bool { return source == config.DefaultConfig }
	var sets []string
	if unset(c.Source(config.LogDirs)) && unset(c.Source(config.LogDir)) {
		sets = append(sets, "log.dirs=/var/lib/kafka/data")
	}
	if unset(c.Source(config.HTTPAddress)) {
		sets = append(sets, "http.address=0.0.0.0:9644")
	}
	if unset(c.Source(config.Listeners)) {
		sets = append(sets, "listeners=PLAINTEXT://0.0.0.0:9092")
		if unset(c.Source(config.AdvertisedListeners)) {
			sets = append(sets, "advertised.listeners=PLAINTEXT://localhost:9092")
		}
	}
	return sets
}

// isRunScript reports whether a command is the start script of the images apache/kafka (/etc/kafka/docker/run) and
// confluentinc/cp-kafka (/etc/confluent/docker/run). Compose files and test harnesses name these paths.
func isRunScript(command string) bool { return strings.HasSuffix(command, "/docker/run") }

// runScript does what that script does: it starts a broker as in a container.
func runScript(args []string, stdout, stderr io.Writer) int {
	sources, unknown := runScriptSources(args, os.Environ())
	if unknown != "" {
		fmt.Fprintf(stderr, "ottla: the start script takes variables as NAME=value, not %q\n", unknown)
		return 1
	}
	return runBroker(sources, stdout, stderr)
}

// runScriptSources are what that script starts a broker with: arguments of the form NAME=value are variables.
func runScriptSources(args, environ []string) (sources config.Sources, unknown string) {
	sources.Environ = append(sources.Environ, environ...)
	for _, arg := range args {
		if name, _, ok := strings.Cut(arg, "="); !ok || name == "" || strings.HasPrefix(name, "-") {
			return sources, arg
		}
	}
	sources.Environ = append(append(sources.Environ, args...), containerVariable+"=1")
	return sources, ""
}

// callableAs is what a user types in another terminal for this binary, which was started by the given name.
func callableAs(name string, environ []string) string {
	if isRunScript(name) || variable(environ, containerVariable) != "" {
		return "docker exec -i CONTAINER ottla"
	}
	return name
}

// variable returns the last value of a variable, "" without one.
func variable(environ []string, name string) (value string) {
	for _, pair := range environ {
		if v, ok := strings.CutPrefix(pair, name+"="); ok {
			value = v
		}
	}
	return value
}
