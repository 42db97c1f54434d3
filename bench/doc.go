// Bench runs Ottla and real Kafka 4.3.1 on the same work, in the same run and in turns, and prints both with ratios:
// CPU per request and per GB, throughput, latency percentiles, memory, the time to start, and the size on disk.
//
//	make bench
//	go run ./bench -only '1 KB' -rounds 5 -json result.json
//
// README.md says what every row means and how to read the table.
//
// Nouns. A [Broker] is a process under test. A [Contender] is a broker with settings for its topics ("ottla" and
// "ottla cached" are one process). A [Work] is a row of the table: it sets up topics and puts load on a contender for a
// while. A [Sample] is what one such run measured. Rounds go over the contenders in turn; the table has medians.
//
// The load consists of requests that were encoded beforehand; of an answer only length, correlation id and error codes are
// looked at. So the generator, which shares the machine with the broker, costs little; how much is in the table.
package main
