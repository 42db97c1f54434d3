import java.time.Duration;
import java.util.*;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.*;

/**
 * Counts words exactly once. Nothing is cached, so that each word of the input gives one record of the output: the counts of
 * a word are 1, 2, 3, ... without a gap and without a repetition. Prints `running` when it has its tasks.
 */
public class WordCount {
    public static void main(String[] args) throws Exception {
        Map<String, String> env = System.getenv();
        Properties config = new Properties();
        config.put("bootstrap.servers", env.get("BOOTSTRAP"));
        config.put("application.id", env.get("APPLICATION"));
        config.put("client.id", env.get("CLIENT"));
        config.put("state.dir", env.get("STATE_DIR"));
        config.put("group.protocol", env.get("GROUP_PROTOCOL"));
        config.put("processing.guarantee", "exactly_once_v2");
        config.put("num.stream.threads", 2);
        config.put("commit.interval.ms", 100);
        // A log that is purged to its end has no producers any more after a restart of Kafka: what brokers say of them is compared.
        config.put("repartition.purge.interval.ms", 3_600_000);
        config.put("statestore.cache.max.bytes", 0);
        config.put("acceptable.recovery.lag", 0);
        config.put("probing.rebalance.interval.ms", 60_000);
        config.put("consumer.auto.offset.reset", "earliest");
        config.put("consumer.max.poll.interval.ms", 60_000);
        if (env.get("GROUP_PROTOCOL").equals("classic")) {
            config.put("num.standby.replicas", 1);
            config.put("consumer.session.timeout.ms", 6000);
            config.put("consumer.heartbeat.interval.ms", 1000);
        }
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(env.get("INPUT"), Consumed.with(Serdes.String(), Serdes.String()))
            .flatMapValues(line -> Arrays.asList(line.split(" ")))
            .groupBy((key, word) -> word, Grouped.with("words", Serdes.String(), Serdes.String()))
            .count(Materialized.as("counts"))
            .toStream()
            .mapValues(n -> Long.toString(n))
            .to(env.get("OUTPUT"), Produced.with(Serdes.String(), Serdes.String()));
        KafkaStreams streams = new KafkaStreams(builder.build(), config);
        streams.setUncaughtExceptionHandler(e -> {
            e.printStackTrace();
            return StreamThreadExceptionResponse.REPLACE_THREAD;
        });
        CountDownLatch ended = new CountDownLatch(1);
        streams.setStateListener((now, before) -> {
            System.out.println(now == KafkaStreams.State.RUNNING ? "running" : "state " + now);
            if (now == KafkaStreams.State.ERROR) ended.countDown();
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            System.out.println(streams.close(Duration.ofSeconds(20)) ? "closed" : "not closed");
            System.out.flush();
        }));
        streams.start();
        ended.await();
        System.exit(3);
    }
}
