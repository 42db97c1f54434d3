package golden

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A deviation is a step whose outcome differs from the recording on purpose.
type deviation struct {
	scenario string         // "" for all
	step     *regexp.Regexp // of kind and text
	reason   string
	change   func(*step) // what is expected instead; nil: the step is not run
}

// inAnyOrder accepts the lines of stdout in any order.
func inAnyOrder(s *step) { slices.Sort(s.stdout); s.kind = anyOrderOf(s.kind) }

// endAnyOrder is a step of kind end whose stdout comes in any order.
const endAnyOrder = "-~"

func anyOrderOf(kind string) string {
	if kind == end {
		return endAnyOrder
	}
	return runAnyOrder
}

func replaced(old, new string) func(*step) {
	return func(s *step) {
		for i, line := range s.stdout {
			s.stdout[i] = strings.ReplaceAll(line, old, new)
		}
	}
}

// unsupported has kafka-broker-api-versions say of APIs that they are not served.
func unsupported(keys ...int) func(*step) {
	return func(s *step) {
		for i, line := range s.stdout {
			name, _, _ := strings.Cut(line, ": ")
			for _, key := range keys {
				if strings.HasSuffix(name, fmt.Sprintf("(%d)", key)) {
					s.stdout[i] = name + ": UNSUPPORTED" + line[len(strings.TrimSuffix(line, ",")):]
				}
			}
		}
	}
}

// deviations hold for our tools against any broker.
func deviations() []deviation {
	return []deviation{
		{"consumer-groups", regexp.MustCompile(`^- c TERM`), "records of several partitions have no order among each other; the recorded one is of one run", inAnyOrder},
		{"consumer-groups", regexp.MustCompile(`--group modern( |$)`), "the client chooses the member id of the consumer protocol: franz-go's ends with ==", replaced("<uuid> <host>", "<member> <host>")},
		{"configs", regexp.MustCompile(`kafka-client-metrics`), "kafka-client-metrics comes with the tools of client telemetry (KIP-714)", nil},
	}
}

// notServedYet are steps that need APIs which Ottla does not serve yet. They are run against other brokers. Take an entry out when
// its API comes.
func notServedYet() []deviation {
	const (
		quotas  = "quotas and SCRAM credentials come with the security issue"
		metrics = "client telemetry (KIP-714) comes with the security issue"
		loggers = "log levels at run time come with the tools issue"
	)
	step := regexp.MustCompile
	return []deviation{
		{"configs", step(`--(client|user|ip|client-defaults|user-defaults|ip-defaults|entity-type (clients|users|ips))( |$)`), quotas, nil},
		{"configs", step(`client-metrics`), metrics, nil},
		{"configs", step(`broker-logger`), loggers, nil},
		{"kafka-broker-api-versions", step(`--bootstrap-server \$BOOTSTRAP$`), "APIs of the security, share groups and voters issues", unsupported(
			17, 29, 30, 31, 36, 38, 39, 40, 41, 48, 49, 50, 51, 76, 77, 78, 79, 83, 84, 85, 86, 87, 90, 91, 92)},
	}
}

// additions are what Ottla has and Kafka has not.
func additions() []deviation {
	return []deviation{
		{"configs", regexp.MustCompile(`--describe --topic u --all`), "write.caching lets a topic acknowledge before its bytes are on stable storage, as Kafka always does", func(s *step) {
			s.stdout = append(s.stdout, "  write.caching=false sensitive=false synonyms={DEFAULT_CONFIG:write.caching.default=false}")
		}},
		{"kafka-features", regexp.MustCompile(` describe$`), "a node that is the whole cluster is a quorum that others can join", replaced("FinalizedVersionLevel: 0", "FinalizedVersionLevel: 1")},
		{"kafka-metadata-quorum", regexp.MustCompile(`--status$`), "a node that is the whole cluster has no controller listener", replaced(`, "endpoints": ["CONTROLLER://<hostport>"]`, "")},
	}
}

// apply changes what a step expects by the deviations that meet it; skip is the reason not to run it, "" to run it.
func apply(all []deviation, scenario string, s *step) (skip string) {
	for _, d := range all {
		if d.scenario != "" && d.scenario != scenario || !d.step.MatchString(s.kind+" "+s.text) {
			continue
		}
		if d.change == nil {
			return d.reason
		}
		d.change(s)
	}
	return ""
}
