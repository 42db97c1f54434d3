import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.serialization.*;

/** Transactions with Kafka's own Java client. The steps and what they mean are those of ../../python/transactions.py. */
public class Transactions {
    static final Map<String, String> ENV = System.getenv();
    static final String IN = ENV.get("IN"), OUT = ENV.get("OUT"), GROUP = ENV.get("GROUP"), ID = ENV.get("TRANSACTIONAL_ID");
    static final int ORDERS = 30;

    interface Step { void run() throws Exception; }

    final KafkaProducer<String, String> producer = producer(ID);

    static KafkaProducer<String, String> producer(String id) {
        var p = new KafkaProducer<>(Map.of("bootstrap.servers", ENV.get("BOOTSTRAP"), "transactional.id", id), new StringSerializer(), new StringSerializer());
        p.initTransactions();
        return p;
    }

    static KafkaConsumer<String, String> reader(String topic, String group) {
        var c = new KafkaConsumer<>(Map.<String, Object>of("bootstrap.servers", ENV.get("BOOTSTRAP"), "group.id", group, "auto.offset.reset", "earliest", "enable.auto.commit", false,
            "isolation.level", "read_committed", "max.poll.records", 10), new StringDeserializer(), new StringDeserializer());
        c.subscribe(List.of(topic));
        return c;
    }

    static void send(KafkaProducer<String, String> p, int partition, String value) {
        p.send(new ProducerRecord<>(OUT, partition, null, value));
    }

    void write(String word, int n) {
        producer.beginTransaction();
        for (int i = 0; i < n; i++) send(producer, i % 2, word + "-" + i);
    }

    void commit() {
        write("paid", 10);
        producer.commitTransaction();
    }

    void abort() {
        write("refused", 10);
        producer.flush();
        producer.abortTransaction();
    }

    void readProcessWrite() {
        try (var c = reader(IN, GROUP)) {
            long end = System.currentTimeMillis() + 60_000;
            boolean first = true;
            for (int done = 0; done < ORDERS; ) {
                if (System.currentTimeMillis() > end) throw new AssertionError(done + " of " + ORDERS + " orders within 60 s");
                var got = c.poll(Duration.ofMillis(500));
                if (got.isEmpty()) continue;
                producer.beginTransaction();
                Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
                for (var r : got) {
                    send(producer, r.partition(), r.value().replace("order", first ? "aborted" : "shipped"));
                    next.put(new TopicPartition(IN, r.partition()), new OffsetAndMetadata(r.offset() + 1));
                }
                producer.sendOffsetsToTransaction(next, c.groupMetadata());
                if (first) { // as if something had gone wrong: all of it again
                    producer.abortTransaction();
                    next.keySet().forEach(p -> c.seek(p, 0));
                    first = false;
                } else {
                    producer.commitTransaction();
                    done += got.count();
                }
            }
        }
    }

    void zombie() {
        var zombie = producer(ID + "-zombie");
        zombie.beginTransaction();
        send(zombie, 0, "zombie");
        zombie.flush();
        var successor = producer(ID + "-zombie");
        try {
            send(zombie, 1, "zombie");
            zombie.commitTransaction();
            throw new AssertionError("the zombie's commit succeeded");
        } catch (ProducerFencedException | InvalidProducerEpochException e) {
            System.err.println("fenced: " + e);
        }
        successor.beginTransaction();
        send(successor, 0, "successor-0");
        successor.commitTransaction();
    }

    void openAtCrash() throws Exception {
        write("open", 6);
        producer.flush();
        System.out.println("crash");
        if (System.in.read() < 0) throw new AssertionError("nobody crashes the broker");
        send(producer, 0, "open-6");
        producer.commitTransaction();
    }

    void readsCommitted() {
        List<String> want = new ArrayList<>(List.of("successor-0")), got = new ArrayList<>();
        for (int i = 0; i < 10; i++) want.add("paid-" + i);
        for (int i = 0; i < ORDERS; i++) want.add("shipped-" + i);
        for (int i = 0; i < 7; i++) want.add("open-" + i);
        Collections.sort(want);
        try (var c = reader(OUT, GROUP + "-audit")) {
            long end = System.currentTimeMillis() + 40_000;
            while (got.size() < want.size()) {
                if (System.currentTimeMillis() > end) throw new AssertionError(got.size() + " of " + want.size() + " records within 40 s: " + got);
                c.poll(Duration.ofMillis(500)).forEach(r -> got.add(r.value()));
            }
        }
        Collections.sort(got);
        if (!got.equals(want)) throw new AssertionError("read " + got);
    }

    public static void main(String[] args) {
        Transactions t = new Transactions();
        Map<String, Step> steps = new LinkedHashMap<>();
        steps.put("commit", t::commit);
        steps.put("abort", t::abort);
        steps.put("read-process-write", t::readProcessWrite);
        steps.put("zombie-is-fenced", t::zombie);
        steps.put("open-at-crash", t::openAtCrash);
        steps.put("reads-committed", t::readsCommitted);
        steps.forEach((name, step) -> {
            try {
                step.run();
            } catch (Throwable e) {
                System.out.println("not ok " + name + ": " + String.valueOf(e).replace('\n', ' '));
                e.printStackTrace();
                System.exit(1);
            }
            System.out.println("ok " + name);
        });
        System.exit(0);
    }
}
