// Package realkafka runs Apache Kafka itself, 4.3.1 from Maven Central: the yardstick of the differential tests and of the
// benchmark. It needs a JDK (17 or newer) and Maven on the PATH.
//
// The jars are fetched once into the user's cache directory. Nodes are broker and controller in one, listen on free ports of
// loopback, keep everything below the directory they were given, and run as Kafka's own start script runs them: same JVM
// flags, heap from KAFKA_HEAP_OPTS, else 1 GB. Only processes that were started here are ever signalled, and on Linux they
// do not outlive the process that started them.
package realkafka
