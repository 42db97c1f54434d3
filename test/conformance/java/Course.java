import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.*;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.*;

/** The course with Kafka's own Java client. The steps and what they mean are those of ../python/course.py. */
public class Course {
    static final String ADDR = System.getenv("BOOTSTRAP"), TOPIC = System.getenv("TOPIC"), GROUP = System.getenv("GROUP"), STATE = System.getenv("STATE");
    static final int ORDERS = 60, CUSTOMERS = 12, LARGE = 1_500_000;
    static final ObjectMapper JSON = new ObjectMapper();

    record Order(long id, String customer, String note) {
        static Order of(long id) { return new Order(id, "customer-" + id % CUSTOMERS, "주문"); }
    }

    record Place(int partition, long offset) {}

    record Acknowledged(int partition, long offset, long id) implements Comparable<Acknowledged> {
        public int compareTo(Acknowledged o) { return Comparator.comparingInt(Acknowledged::partition).thenComparingLong(Acknowledged::offset).compare(this, o); }
    }

    interface Step { void run() throws Exception; }

    static final short REPLICATION = Short.parseShort(System.getenv("REPLICATION"));
    final Admin admin = Admin.create(Map.of("bootstrap.servers", ADDR));
    List<Acknowledged> acknowledged = new ArrayList<>();
    Map<Integer, Long> committed = new TreeMap<>();
    Set<Long> handled = new TreeSet<>();

    // verbs

    static KafkaProducer<String, String> producer() {
        return new KafkaProducer<>(Map.of("bootstrap.servers", ADDR, "max.request.size", 10_000_000), new StringSerializer(), new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(String group, String reset) {
        Map<String, Object> config = Map.of("bootstrap.servers", ADDR, "group.id", group, "auto.offset.reset", reset, "enable.auto.commit", false, "session.timeout.ms", 10000,
            "heartbeat.interval.ms", 500, "max.partition.fetch.bytes", 4_000_000, "max.poll.records", 25);
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    static KafkaConsumer<String, String> join(String group, String reset) {
        var c = consumer(group, reset);
        c.subscribe(List.of(TOPIC));
        return c;
    }

    void send(long[] ids, int[] partitions) throws Exception {
        try (var p = producer()) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = 0; i < ids.length; i++) {
                Order o = Order.of(ids[i]);
                sent.add(p.send(new ProducerRecord<>(TOPIC, partitions == null ? null : partitions[i], o.customer(), JSON.writeValueAsString(o))));
            }
            p.flush();
            for (int i = 0; i < ids.length; i++) {
                RecordMetadata m = sent.get(i).get(10, TimeUnit.SECONDS);
                acknowledged.add(new Acknowledged(m.partition(), m.offset(), ids[i]));
            }
        }
    }

    /** The large message's place, or null where the broker finds it too large. */
    static Place sendLarge() throws Exception {
        try (var p = producer()) {
            RecordMetadata m = p.send(new ProducerRecord<>(TOPIC, "large", "{\"id\":-1,\"body\":\"" + "x".repeat(LARGE) + "\"}")).get(20, TimeUnit.SECONDS);
            return new Place(m.partition(), m.offset());
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RecordTooLargeException) return null;
            throw e;
        }
    }

    static List<ConsumerRecord<String, String>> take(KafkaConsumer<String, String> c, int n) {
        List<ConsumerRecord<String, String>> got = new ArrayList<>();
        long end = System.currentTimeMillis() + 40_000;
        while (got.size() < n) {
            if (System.currentTimeMillis() > end) throw new AssertionError(got.size() + " of " + n + " records within 40 s");
            c.poll(Duration.ofMillis(200)).forEach(got::add);
        }
        return got;
    }

    static List<ConsumerRecord<String, String>> readAll(String group, int n) {
        try (var c = join(group, "earliest")) {
            return take(c, n);
        }
    }

    static long id(ConsumerRecord<String, String> r) {
        try {
            return JSON.readTree(r.value()).get("id").asLong();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    static Map<Integer, Long> nexts(Collection<ConsumerRecord<String, String>> records) {
        Map<Integer, Long> next = new TreeMap<>();
        records.forEach(r -> next.merge(r.partition(), r.offset() + 1, Math::max));
        return next;
    }

    static void commit(KafkaConsumer<String, String> c, Map<Integer, Long> next) {
        c.commitSync(next.entrySet().stream().collect(Collectors.toMap(e -> new TopicPartition(TOPIC, e.getKey()), e -> new OffsetAndMetadata(e.getValue()))));
    }

    static List<Acknowledged> rows(Collection<ConsumerRecord<String, String>> records) {
        return records.stream().map(r -> new Acknowledged(r.partition(), r.offset(), id(r))).sorted().toList();
    }

    Map<Integer, Long> committedOffsets() throws Exception {
        Map<Integer, Long> found = new TreeMap<>();
        admin.listConsumerGroupOffsets(GROUP).partitionsToOffsetAndMetadata().get().forEach((tp, o) -> { if (o != null) found.put(tp.partition(), o.offset()); });
        return found;
    }

    int partitions() throws Exception {
        return admin.describeTopics(List.of(TOPIC)).allTopicNames().get().get(TOPIC).partitions().size();
    }

    static void same(String what, Object got, Object want) {
        if (!Objects.equals(got, want)) throw new AssertionError(what + ": got " + got + ", want " + want);
    }

    static <T> T until(int seconds, Supplier<String> what, Callable<T> ask) throws Exception {
        long end = System.currentTimeMillis() + seconds * 1000L;
        for (;;) {
            T answer = ask.call();
            if (answer != null && !Boolean.FALSE.equals(answer)) return answer;
            if (System.currentTimeMillis() > end) throw new AssertionError("not within " + seconds + " s: " + what.get());
            Thread.sleep(50);
        }
    }

    // before the crash

    void createTopic() throws Exception {
        admin.createTopics(List.of(new NewTopic(TOPIC, 3, REPLICATION))).all().get();
        until(15, () -> "three partitions", () -> partitions() == 3);
    }

    void produceJson() throws Exception {
        send(LongStream.range(0, ORDERS).toArray(), null);
        same("places", acknowledged.stream().map(a -> new Place(a.partition(), a.offset())).distinct().count(), (long) ORDERS);
    }

    void keepOrder() throws Exception {
        var got = readAll(GROUP + "-order", ORDERS);
        same("records", rows(got), acknowledged.stream().sorted().toList());
        Map<String, ConsumerRecord<String, String>> last = new HashMap<>();
        for (var r : got) {
            same("value", JSON.readValue(r.value(), Order.class), Order.of(id(r)));
            var previous = last.put(r.key(), r);
            if (previous != null && (previous.partition() != r.partition() || id(previous) > id(r))) throw new AssertionError("order of " + r.key() + ": " + previous + ", then " + r);
        }
        same("keys", last.size(), CUSTOMERS);
    }

    void readAndCommit() {
        try (var c = join(GROUP, "earliest")) {
            var got = take(c, 20).subList(0, 20); // what came beyond is not handled, as if the program had died
            got.forEach(r -> handled.add(id(r)));
            committed = nexts(got);
            commit(c, committed);
        }
    }

    void resume() throws Exception {
        try (var c = join(GROUP, "earliest")) {
            var got = take(c, ORDERS - handled.size());
            for (var r : got) if (!handled.add(id(r))) throw new AssertionError("order " + id(r) + " was handled twice");
            committed.putAll(nexts(got));
            commit(c, nexts(got));
        }
        same("orders handled", handled.size(), ORDERS);
        same("committed offsets", committedOffsets(), committed);
    }

    /** A consumer of the group in a thread of its own. */
    static class Member extends Thread {
        final KafkaConsumer<String, String> consumer = Course.join(GROUP + "-shared", "earliest");
        volatile boolean stopping;
        volatile List<Integer> held = List.of();
        volatile Throwable error;

        Member() {
            setDaemon(true);
            start();
        }

        @Override public void run() {
            try (consumer) {
                while (!stopping) {
                    consumer.poll(Duration.ofMillis(200));
                    held = consumer.assignment().stream().map(TopicPartition::partition).toList();
                }
            } catch (Throwable e) {
                error = e;
            }
        }

        void end() {
            stopping = true;
            try {
                join(30_000);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    static void settle(List<Member> members, Integer... sizes) throws Exception {
        Supplier<String> what = () -> "partitions shared " + Arrays.toString(sizes) + ", is " + members.stream().map(m -> m.held + (m.error == null ? "" : " " + m.error)).toList();
        until(40, what, () -> members.stream().map(m -> m.held.size()).sorted().toList().equals(List.of(sizes))
            && members.stream().flatMap(m -> m.held.stream()).sorted().toList().equals(List.of(0, 1, 2)));
    }

    void sharePartitions() throws Exception {
        List<Member> members = new CopyOnWriteArrayList<>(List.of(new Member(), new Member(), new Member()));
        try {
            settle(members, 1, 1, 1);
            members.add(new Member());
            settle(members, 0, 1, 1, 1);
            Member leaver = members.stream().filter(m -> !m.held.isEmpty()).findFirst().get();
            members.remove(leaver);
            leaver.end();
            settle(members, 1, 1, 1);
        } finally {
            members.forEach(Member::end);
        }
    }

    void grow() throws Exception {
        admin.createPartitions(Map.of(TOPIC, NewPartitions.increaseTo(6))).all().get();
        until(15, () -> "six partitions", () -> partitions() == 6);
        send(new long[] {ORDERS, ORDERS + 1, ORDERS + 2}, new int[] {3, 4, 5});
        same("new partitions", acknowledged.subList(ORDERS, ORDERS + 3).stream().map(Acknowledged::partition).toList(), List.of(3, 4, 5));
    }

    void latest() throws Exception {
        try (var c = join(GROUP + "-late", "latest")) {
            List<Long> got = new ArrayList<>();
            long[] next = {1000};
            until(40, () -> "a new order", () -> {
                send(new long[] {next[0]++}, null);
                c.poll(Duration.ofMillis(200)).forEach(r -> got.add(id(r)));
                return !got.isEmpty();
            });
            same("old orders read", got.stream().filter(id -> id < 1000).toList(), List.of());
        }
    }

    void large() throws Exception {
        same("place of 1.5 MB", sendLarge(), null);
        var set = new AlterConfigOp(new ConfigEntry("max.message.bytes", "3000000"), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, TOPIC), List.of(set))).all().get();
        Place p = until(15, () -> "1.5 MB accepted", Course::sendLarge);
        acknowledged.add(new Acknowledged(p.partition(), p.offset(), -1));
    }

    // after the crash

    void goOn() throws Exception {
        List<Long> want = acknowledged.stream().filter(a -> a.offset() >= committed.getOrDefault(a.partition(), 0L)).map(Acknowledged::id).collect(Collectors.toCollection(ArrayList::new));
        want.add(2000L);
        send(new long[] {2000}, null);
        same("orders read on", readAll(GROUP, want.size()).stream().map(Course::id).sorted().toList(), want.stream().sorted().toList());
    }

    static void walk(Map<String, Step> steps) {
        steps.forEach((name, step) -> {
            long start = System.currentTimeMillis();
            try {
                step.run();
            } catch (Throwable e) {
                System.out.println("not ok " + name + ": " + String.valueOf(e).replace('\n', ' '));
                e.printStackTrace();
                System.exit(1);
            }
            System.out.println("ok " + name);
            System.err.println(name + ": " + (System.currentTimeMillis() - start) + " ms");
        });
    }

    void before() throws Exception {
        Map<String, Step> steps = new LinkedHashMap<>();
        steps.put("create-topic", this::createTopic);
        steps.put("produce-json-with-keys", this::produceJson);
        steps.put("same-key-same-partition-in-order", this::keepOrder);
        steps.put("group-reads-and-commits", this::readAndCommit);
        steps.put("restart-resumes-at-commit", this::resume);
        steps.put("second-group-reads-everything", () -> same("records", readAll(GROUP + "-audit", ORDERS).size(), ORDERS));
        steps.put("members-share-partitions", this::sharePartitions);
        steps.put("partitions-grow", this::grow);
        steps.put("latest-skips-what-was-there", this::latest);
        steps.put("large-message-needs-a-larger-limit", this::large);
        walk(steps);
        var rows = acknowledged.stream().map(a -> List.of(a.partition(), a.offset(), a.id())).toList();
        Files.writeString(Path.of(STATE), JSON.writeValueAsString(Map.of("acknowledged", rows, "committed", committed)));
    }

    void after() throws Exception {
        JsonNode state = JSON.readTree(Files.readString(Path.of(STATE)));
        state.get("acknowledged").forEach(a -> acknowledged.add(new Acknowledged(a.get(0).asInt(), a.get(1).asLong(), a.get(2).asLong())));
        state.get("committed").properties().forEach(e -> committed.put(Integer.valueOf(e.getKey()), e.getValue().asLong()));
        Map<String, Step> steps = new LinkedHashMap<>();
        steps.put("acknowledged-survives", () -> same("records", rows(readAll(GROUP + "-check", acknowledged.size())), acknowledged.stream().sorted().toList()));
        steps.put("committed-survives", () -> same("committed offsets", committedOffsets(), committed));
        steps.put("group-goes-on", this::goOn);
        walk(steps);
    }

    public static void main(String[] args) throws Exception {
        System.setOut(new java.io.PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, "UTF-8"));
        if (args[0].equals("before")) new Course().before(); else new Course().after();
        System.exit(0);
    }
}
