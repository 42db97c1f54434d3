package metrics

import "strings"

// Name returns the Prometheus name of one of Kafka's beans, as the JMX exporter's rules of the common
// dashboards form it: group "kafka.server", type "ReplicaManager", name "IsrShrinksPerSec" becomes
// kafka_server_replicamanager_isrshrinks_total. "PerSec" ends as "_total", "Percent" as "_percent";
// everything is lower case; what no metric name may hold becomes an underscore.
func Name(group, typ, name string) string {
	if base, ok := strings.CutSuffix(name, "PerSec"); ok {
		name = base + "_total"
	} else if base, ok := strings.CutSuffix(name, "Percent"); ok {
		name = base + "_percent"
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + ('a' - 'A')
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, group+"_"+typ+"_"+name)
}
