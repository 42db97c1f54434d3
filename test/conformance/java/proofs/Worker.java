import java.time.Duration;
import java.time.Instant;
import java.util.*;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.serialization.StringDeserializer;

/** A member of a group that tells all that happens to it; ../../migration_test.go says in which lines. */
public class Worker {
    static final Map<String, String> ENV = System.getenv();
    static final boolean CLASSIC = ENV.get("GROUP_PROTOCOL").equals("classic");

    final KafkaConsumer<String, String> consumer;
    final Map<TopicPartition, OffsetAndMetadata> read = new HashMap<>();
    volatile boolean stopping;

    Worker() {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", ENV.get("BOOTSTRAP"), "group.id", ENV.get("GROUP"), "group.protocol", ENV.get("GROUP_PROTOCOL"),
            "enable.auto.commit", false, "auto.offset.reset", "earliest", "fetch.max.wait.ms", 100));
        if (CLASSIC) {
            config.putAll(Map.of("session.timeout.ms", Integer.parseInt(ENV.getOrDefault("SESSION", "10000")), "heartbeat.interval.ms", 500));
            config.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer." + (ENV.get("STRATEGY").equals("range") ? "RangeAssignor" : "CooperativeStickyAssignor"));
        }
        if (!ENV.get("INSTANCE").isEmpty()) config.put("group.instance.id", ENV.get("INSTANCE"));
        consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    static void tell(Object... words) {
        Instant now = Instant.now();
        System.out.println((now.getEpochSecond() * 1_000_000_000L + now.getNano()) + " " + Arrays.stream(words).map(String::valueOf).collect(Collectors.joining(" ")));
    }

    void tellOf(String what, Collection<TopicPartition> partitions) {
        int epoch = consumer.groupMetadata().generationId();
        for (TopicPartition p : partitions) tell(what, p.partition(), epoch);
    }

    void commit(Collection<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>(read);
        next.keySet().retainAll(partitions);
        if (next.isEmpty()) return;
        try {
            consumer.commitSync(next);
            next.forEach((p, o) -> tell("committed", p.partition(), o.offset()));
        } catch (CommitFailedException | RebalanceInProgressException | TimeoutException e) {
            System.err.println("not committed: " + e);
            return; // in the next round, or by whoever has the partition then
        }
        read.keySet().removeAll(partitions);
    }

    final ConsumerRebalanceListener listener = new ConsumerRebalanceListener() {
        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            tellOf("assigned", partitions);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            commit(partitions);
            read.keySet().removeAll(partitions);
            tellOf("revoked", partitions);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            read.keySet().removeAll(partitions);
            tellOf("lost", partitions);
        }
    };

    void run() {
        consumer.subscribe(List.of(ENV.get("TOPIC")), listener);
        while (!stopping) {
            for (var r : consumer.poll(Duration.ofMillis(100))) {
                tell("read", r.partition(), r.offset(), r.value());
                read.put(new TopicPartition(r.topic(), r.partition()), new OffsetAndMetadata(r.offset() + 1));
            }
            commit(consumer.assignment());
        }
        // A static member stays in its group when it closes, unless it is told to leave.
        consumer.close(CloseOptions.timeout(Duration.ofSeconds(20)).withGroupMembershipOperation(CloseOptions.GroupMembershipOperation.DEFAULT));
        tell("closed");
    }

    public static void main(String[] args) {
        Worker worker = new Worker();
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            worker.stopping = true;
            try {
                main.join(25_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        try {
            worker.run();
        } catch (Throwable e) {
            tell("failed", String.valueOf(e).replace('\n', ' '));
            e.printStackTrace();
            Runtime.getRuntime().halt(3);
        }
    }
}
