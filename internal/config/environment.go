package config

import (
	"regexp"
	"slices"
	"strings"
)

// environment is what the variables of the Docker images say.
type environment struct {
	properties []Property // sorted by name, so that a start does not depend on the order of variables
	clusterID  string
}

// notProperties are the variables beginning with KAFKA_ that the images keep for the JVM, its logging and their own
// start scripts.
var notProperties = []string{
	"KAFKA_VERSION", "KAFKA_HEAP_OPTS", "KAFKA_OPTS", "KAFKA_LOG4J_OPTS", "KAFKA_JMX_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS",
	"KAFKA_GC_LOG_OPTS", "KAFKA_LOG4J_ROOT_LOGLEVEL", "KAFKA_LOG4J_LOGGERS", "KAFKA_TOOLS_LOG4J_LOGLEVEL",
	"KAFKA_JMX_HOSTNAME", "KAFKA_JMX_PORT", "KAFKA_HOME", "KAFKA_DEBUG", "KAFKA_CLASSPATH",
	// Bitnami
	"KAFKA_ENABLE_KRAFT", "KAFKA_INITSCRIPTS_DIR", "KAFKA_BASE_DIR", "KAFKA_VOLUME_DIR", "KAFKA_CONF_DIR", "KAFKA_CONF_FILE",
	"KAFKA_MOUNTED_CONF_DIR", "KAFKA_LOG_DIR", "KAFKA_DAEMON_USER", "KAFKA_DAEMON_GROUP",
}

// serviceVariable matches what Kubernetes and Docker links put into the environment of every pod beside a service
// that is called kafka.
var serviceVariable = regexp.MustCompile(`^KAFKA_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_[0-9]+_(TCP|UDP)(_.*)?)?)$`)

// parseEnvironment translates variables as the images apache/kafka and confluentinc/cp-kafka do: KAFKA_A_B is a.b, and
// __ and ___ stand for _ and -. Bitnami's KAFKA_CFG_A_B is a.b too and wins over KAFKA_A_B.
func parseEnvironment(environ []string) (environment, error) {
	var env environment
	properties := make(map[string]string)
	bitnami := make(map[string]string)
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		switch {
		case name == "CLUSTER_ID", name == "KAFKA_KRAFT_CLUSTER_ID" && env.clusterID == "":
			env.clusterID = trim(value)
			continue
		case !strings.HasPrefix(name, "KAFKA_"), name == "KAFKA_KRAFT_CLUSTER_ID",
			slices.Contains(notProperties, name), serviceVariable.MatchString(name):
			continue
		}
		value, err := environmentValue(value)
		if err != nil {
			return environment{}, err
		}
		if rest, ok := strings.CutPrefix(name, "KAFKA_CFG_"); ok {
			bitnami[propertyName(rest)] = value
		} else {
			properties[propertyName(name[len("KAFKA_"):])] = value
		}
	}
	for name, value := range bitnami {
		properties[name] = value
	}
	for name, value := range properties {
		env.properties = append(env.properties, Property{Name: name, Value: value})
	}
	slices.SortFunc(env.properties, func(a, b Property) int { return strings.Compare(a.Name, b.Name) })
	return env, nil
}

func propertyName(variable string) string {
	return strings.NewReplacer("___", "-", "__", "_", "_", ".").Replace(strings.ToLower(variable))
}

// environmentValue treats a value as the images do, which write name=value into a properties file: escapes count.
func environmentValue(value string) (string, error) {
	if strings.ContainsAny(value, "\r\n") {
		return value, nil
	}
	return unescape(strings.TrimLeft(value, propertySpace))
}

var advertisedHost = regexp.MustCompile(`://(\[[^\]]*\]|[^:]*):`)

// deriveListeners gives the images' listeners for advertised ones: the same names and ports on all interfaces.
func deriveListeners(advertised string) string {
	return advertisedHost.ReplaceAllString(advertised, "://0.0.0.0:")
}
