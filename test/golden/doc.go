// Package golden replays recorded sessions of Kafka's command-line tools with ours, against Ottla or against another broker.
//
// testdata/*.golden were recorded from the tools of Apache Kafka 4.3.1 on a real cluster. A file is one session on a fresh
// cluster: commands with their input, output, errors and exit codes. scenario.go says how a file is written, match.go how an
// output is compared, deviations.go what differs on purpose and why.
//
// The environment chooses what is tested:
//
//	(nothing)                our tools, against an Ottla that the test starts
//	OTTLA_GOLDEN_BOOTSTRAP   our tools, against the broker there, which has to be fresh: one scenario only (-run TestGolden/topics)
//	OTTLA_GOLDEN_FRESH       our tools, against a cluster that this command makes: run as "COMMAND 1 KEY=VALUE...", prints host:port;
//	                         "COMMAND kill NODE" kills a node of it
//	OTTLA_GOLDEN_TOOLS       a directory of executables to test instead of ours
//
// testdata/fixtures are files that a real Kafka wrote, for the scenarios that read them ($FIXTURES).
package golden
