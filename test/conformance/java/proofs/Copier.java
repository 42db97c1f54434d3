import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.serialization.*;

/**
 * Copies a topic into the same partitions of another: reads a few records, and writes them and its offsets in one transaction,
 * of which every fifth is aborted. Ends with code 3 when only a new producer can go on.
 */
public class Copier {
    static final Map<String, String> ENV = System.getenv();

    final KafkaConsumer<byte[], byte[]> consumer;
    final KafkaProducer<byte[], byte[]> producer;
    final Random random = new Random();
    volatile boolean stopping;

    Copier() {
        Map<String, Object> reading = new HashMap<>(Map.of("bootstrap.servers", ENV.get("BOOTSTRAP"), "group.id", ENV.get("GROUP"), "group.protocol", ENV.get("GROUP_PROTOCOL"),
            "isolation.level", "read_committed", "enable.auto.commit", false, "auto.offset.reset", "earliest", "max.poll.records", 40));
        if (ENV.get("GROUP_PROTOCOL").equals("classic")) reading.putAll(Map.of("session.timeout.ms", 6000, "heartbeat.interval.ms", 1000));
        consumer = new KafkaConsumer<>(reading, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        // Small batches: several requests of one transaction are on their way at once.
        producer = new KafkaProducer<>(Map.of("bootstrap.servers", ENV.get("BOOTSTRAP"), "transactional.id", ENV.get("TRANSACTIONAL_ID"), "transaction.timeout.ms", 10_000, "batch.size", 256),
            new ByteArraySerializer(), new ByteArraySerializer());
    }

    void copy(ConsumerRecords<byte[], byte[]> records) {
        producer.beginTransaction();
        for (var r : records) producer.send(new ProducerRecord<>(ENV.get("OUTPUT"), r.partition(), r.key(), r.value()));
        Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
        for (TopicPartition p : consumer.assignment()) next.put(p, new OffsetAndMetadata(consumer.position(p)));
        producer.sendOffsetsToTransaction(next, consumer.groupMetadata());
        if (random.nextInt(5) == 0) {
            startAgain();
            return;
        }
        for (;;) {
            try {
                producer.commitTransaction();
                return;
            } catch (TimeoutException | InterruptException e) {
                System.err.println("the commit is asked for again: " + e);
            }
        }
    }

    /** Aborts, and goes back to what is committed. */
    void startAgain() {
        producer.abortTransaction();
        var committed = consumer.committed(consumer.assignment());
        for (TopicPartition p : consumer.assignment()) {
            if (committed.get(p) != null) consumer.seek(p, committed.get(p).offset());
            else consumer.seekToBeginning(List.of(p));
        }
    }

    void run() {
        producer.initTransactions();
        consumer.subscribe(List.of(ENV.get("INPUT")));
        System.out.println("running");
        while (!stopping) {
            var records = consumer.poll(Duration.ofMillis(200));
            if (records.isEmpty()) continue;
            try {
                copy(records);
            } catch (ProducerFencedException | OutOfOrderSequenceException | AuthorizationException | UnsupportedVersionException e) {
                throw e;
            } catch (KafkaException e) {
                System.err.println("aborts after " + e);
                startAgain();
            }
        }
        producer.close(Duration.ofSeconds(5));
        consumer.close(CloseOptions.timeout(Duration.ofSeconds(5)));
    }

    public static void main(String[] args) {
        Copier copier = new Copier();
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            copier.stopping = true;
            try {
                main.join(10_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        try {
            copier.run();
        } catch (Throwable e) {
            e.printStackTrace();
            Runtime.getRuntime().halt(3);
        }
    }
}
