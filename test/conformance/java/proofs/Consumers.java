import java.util.*;
import java.util.concurrent.*;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.serialization.StringSerializer;

/** What consumers of a group do, in the protocol that $GROUP_PROTOCOL names. ../../consumers_test.go says what each step is. */
public class Consumers {
    static final String ADDR = System.getenv("BOOTSTRAP"), TOPIC = System.getenv("TOPIC"), GROUP = System.getenv("GROUP"), PROTOCOL = System.getenv("GROUP_PROTOCOL");
    static final boolean CLASSIC = PROTOCOL.equals("classic");
    static final int PARTITIONS = 4;

    interface Step { void run() throws Exception; }

    static final short REPLICATION = Short.parseShort(System.getenv("REPLICATION"));
    final Admin admin = Admin.create(Map.of("bootstrap.servers", ADDR));
    final KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of("bootstrap.servers", ADDR, "linger.ms", 20), new StringSerializer(), new StringSerializer());
    final List<Member> members = new ArrayList<>();
    int sent;

    static Map<String, Object> config(String group, Object... more) {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", ADDR, "group.id", group, "group.protocol", PROTOCOL, "auto.offset.reset", "earliest",
            "enable.auto.commit", false, "metadata.max.age.ms", 1000));
        if (CLASSIC) config.putAll(Map.of("session.timeout.ms", 10000, "heartbeat.interval.ms", 500));
        for (int i = 0; i < more.length; i += 2) config.put((String) more[i], more[i + 1]);
        return config;
    }

    Member join(String group, Object... more) {
        return join(config(group, more), c -> c.subscribe(List.of(TOPIC)));
    }

    Member join(Map<String, Object> config, Consumer<KafkaConsumer<String, String>> subscribe) {
        Member m = new Member(config, subscribe);
        members.add(m);
        return m;
    }

    void leave(Member m) throws Exception {
        members.remove(m);
        m.close();
    }

    void leaveAll() throws Exception {
        for (Member m : List.copyOf(members)) leave(m);
    }

    /** Sends n records to each partition. */
    void send(String topic, int n) throws Exception {
        List<Future<RecordMetadata>> acks = new ArrayList<>();
        for (int i = 0; i < n * PARTITIONS; i++) acks.add(producer.send(new ProducerRecord<>(topic, i % PARTITIONS, "k", Integer.toString(sent++))));
        for (var a : acks) a.get(60, TimeUnit.SECONDS);
    }

    static <T> T until(int seconds, Supplier<String> what, Callable<T> ask) throws Exception {
        long end = System.currentTimeMillis() + seconds * 1000L;
        for (;;) {
            T answer = ask.call();
            if (answer != null && !Boolean.FALSE.equals(answer)) return answer;
            if (System.currentTimeMillis() > end) throw new AssertionError("not within " + seconds + " s: " + what.get());
            Thread.sleep(20);
        }
    }

    static void same(String what, Object got, Object want) {
        if (!Objects.equals(got, want)) throw new AssertionError(what + ": got " + got + ", want " + want);
    }

    void noErrors(Collection<Member> some) {
        for (Member m : some) if (m.error != null) throw new AssertionError(m.error);
    }

    /** Waits until the members hold that many partitions each, in any order, and all together each of TOPIC's once. */
    void share(List<Member> some, Integer... sizes) throws Exception {
        until(60, () -> "shares " + List.of(sizes) + ", is " + some.stream().map(m -> m.assigned).toList(), () -> {
            noErrors(some);
            List<TopicPartition> all = some.stream().flatMap(m -> m.assigned.stream()).toList();
            return some.stream().map(m -> m.assigned.size()).sorted().toList().equals(List.of(sizes)) && all.size() == PARTITIONS && Set.copyOf(all).size() == PARTITIONS;
        });
    }

    /** Waits for n records of all members together; they must be n different ones. */
    List<ConsumerRecord<String, String>> take(List<Member> some, int n) throws Exception {
        List<ConsumerRecord<String, String>> got = new ArrayList<>();
        until(60, () -> got.size() + " of " + n + " records", () -> {
            noErrors(some);
            some.forEach(m -> got.addAll(m.taken()));
            return got.size() >= n;
        });
        same("different records", got.stream().map(ConsumerRecord::value).distinct().count(), (long) n);
        same("records", got.size(), n);
        return got;
    }

    static Map<TopicPartition, OffsetAndMetadata> nexts(Collection<ConsumerRecord<String, String>> records, String metadata) {
        Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
        for (var r : records) {
            next.merge(new TopicPartition(r.topic(), r.partition()), new OffsetAndMetadata(r.offset() + 1, Optional.empty(), metadata), (a, b) -> a.offset() > b.offset() ? a : b);
        }
        return next;
    }

    Map<TopicPartition, OffsetAndMetadata> committed(String group) throws Exception {
        return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
    }

    static void sameOffsets(Map<TopicPartition, OffsetAndMetadata> got, Map<TopicPartition, OffsetAndMetadata> want) {
        Function<Map<TopicPartition, OffsetAndMetadata>, Map<String, String>> plain = m -> m.entrySet().stream()
            .collect(Collectors.toMap(e -> e.getKey().toString(), e -> e.getValue().offset() + " " + e.getValue().metadata(), (a, b) -> a, TreeMap::new));
        same("committed offsets", plain.apply(got), plain.apply(want));
    }

    void crash() throws Exception {
        System.out.println("crash");
        if (System.in.read() < 0) throw new AssertionError("nobody crashes the broker");
    }

    // steps

    void joinAlone() throws Exception {
        admin.createTopics(List.of(new NewTopic(TOPIC, PARTITIONS, REPLICATION))).all().get();
        send(TOPIC, 10);
        Member m = join(GROUP);
        share(List.of(m), PARTITIONS);
        take(List.of(m), 40);
        GroupType type = admin.listGroups().all().get().stream().filter(g -> g.groupId().equals(GROUP)).findFirst().orElseThrow().type().orElseThrow();
        same("type of the group", type, CLASSIC ? GroupType.CLASSIC : GroupType.CONSUMER);
        same("members described", admin.describeConsumerGroups(List.of(GROUP)).all().get().get(GROUP).members().size(), 1);
    }

    void rebalance() throws Exception {
        Member second = join(GROUP);
        share(members, 2, 2);
        Member third = join(GROUP);
        share(members, 1, 1, 2);
        leave(second);
        share(members, 2, 2);
        leave(third);
        share(members, PARTITIONS);
        leaveAll();
    }

    void commit() throws Exception {
        String group = GROUP + "-commit";
        Member m = join(group, "max.poll.records", 7);
        share(members, PARTITIONS);
        List<ConsumerRecord<String, String>> first = until(30, () -> "records", () -> m.records.size() >= 14 ? m.taken().subList(0, 14) : null);
        var next = nexts(first, "note");
        m.order(c -> c.commitSync(next));
        leaveAll();
        sameOffsets(committed(group), next);
        crash();
        sameOffsets(committed(group), next);
        Set<String> before = first.stream().map(ConsumerRecord::value).collect(Collectors.toSet());
        Member again = join(group);
        var rest = take(List.of(again), 26);
        same("records read twice", rest.stream().filter(r -> before.contains(r.value())).count(), 0L);
        CompletableFuture<Exception> done = new CompletableFuture<>();
        again.order(c -> c.commitAsync(nexts(rest, ""), (o, e) -> done.complete(e)));
        same("failure of commitAsync", done.get(30, TimeUnit.SECONDS), null);
        same("sum of committed offsets", committed(group).values().stream().mapToLong(OffsetAndMetadata::offset).sum(), 40L);
        leaveAll();
    }

    void seek() throws Exception {
        Member m = join(GROUP + "-seek");
        take(members, 40);
        TopicPartition two = new TopicPartition(TOPIC, 2);
        m.order(c -> c.seek(two, 4));
        same("offsets after seek", take(members, 6).stream().map(ConsumerRecord::offset).toList(), List.of(4L, 5L, 6L, 7L, 8L, 9L));
        m.order(c -> c.seekToBeginning(List.of(two)));
        take(members, 10);
        same("position at the end", m.ask(c -> {
            c.seekToEnd(List.of(two));
            return c.position(two);
        }), 10L);
        long when = m.ask(c -> c.offsetsForTimes(Map.of(two, 0L))).get(two).offset();
        same("first offset after the epoch", when, 0L);
        leaveAll();
    }

    void pause() throws Exception {
        Member m = join(GROUP + "-pause");
        take(members, 40);
        TopicPartition one = new TopicPartition(TOPIC, 1);
        m.order(c -> c.pause(List.of(one)));
        send(TOPIC, 2);
        same("partitions read", take(members, 6).stream().map(ConsumerRecord::partition).sorted().toList(), List.of(0, 0, 2, 2, 3, 3));
        m.order(c -> c.resume(List.of(one)));
        same("partitions read after resume", take(members, 2).stream().map(ConsumerRecord::partition).toList(), List.of(1, 1));
        leaveAll();
    }

    void staticMembers() throws Exception {
        String group = GROUP + "-static";
        Member a = join(group, "group.instance.id", "a"), b = join(group, "group.instance.id", "b");
        share(members, 2, 2);
        Set<TopicPartition> of = b.assigned;
        leave(b); // a static member that closes keeps its partitions for the session's time
        Member again = join(group, "group.instance.id", "b");
        until(40, () -> "the same partitions, is " + again.assigned, () -> again.assigned.equals(of));
        same("partitions of the other", a.assigned.size(), 2);
        // The same instance a second time: the older one goes in classic groups, the newer one is refused in the new protocol.
        Member twin = new Member(config(group, "group.instance.id", "b"), c -> c.subscribe(List.of(TOPIC)));
        Member loser = CLASSIC ? again : twin;
        until(40, () -> "one of the twins fails", () -> loser.error != null);
        Class<?> want = CLASSIC ? FencedInstanceIdException.class : UnreleasedInstanceIdException.class;
        if (!want.isInstance(loser.error)) throw new AssertionError("a twin fails with", loser.error);
        members.remove(loser);
        twin.close();
        leaveAll();
    }

    void regex() throws Exception {
        String group = GROUP + "-regex", first = TOPIC + "-regex-1", second = TOPIC + "-regex-2", text = TOPIC + "-regex-[0-9]+";
        admin.createTopics(List.of(new NewTopic(first, PARTITIONS, REPLICATION), new NewTopic(TOPIC + "-regex-x", 1, REPLICATION))).all().get();
        Member m = join(config(group), c -> {
            if (CLASSIC) c.subscribe(Pattern.compile(text)); else c.subscribe(new SubscriptionPattern(text));
        });
        until(40, () -> "one topic, is " + m.assigned, () -> m.assigned.size() == PARTITIONS && m.error == null);
        admin.createTopics(List.of(new NewTopic(second, PARTITIONS, REPLICATION))).all().get();
        until(40, () -> "two topics, is " + m.assigned, () -> m.assigned.size() == 2 * PARTITIONS);
        same("topics", m.assigned.stream().map(TopicPartition::topic).collect(Collectors.toCollection(TreeSet::new)), new TreeSet<>(List.of(first, second)));
        send(second, 1);
        take(members, PARTITIONS);
        leaveAll();
    }

    void crashAtWork() throws Exception {
        String group = GROUP + "-crash";
        for (int i = 0; i < 3; i++) join(group);
        share(members, 1, 1, 2);
        until(60, () -> "all 48 records read by those who have the partitions now", () -> {
            long read = 0;
            for (Member m : members) read += m.ask(c -> c.assignment().stream().mapToLong(c::position).sum());
            return read == 48;
        });
        for (Member m : members) m.order(c -> c.commitSync());
        members.forEach(Member::taken);
        crash();
        send(TOPIC, 5);
        var got = take(members, 20);
        share(members, 1, 1, 2);
        for (Member m : members) {
            m.order(c -> c.commitSync(nexts(got.stream().filter(r -> c.assignment().contains(new TopicPartition(r.topic(), r.partition()))).toList(), "")));
        }
        same("sum of committed offsets", committed(group).values().stream().mapToLong(OffsetAndMetadata::offset).sum(), 68L);
        leave(members.get(0));
        share(members, 2, 2);
        leaveAll();
    }

    void walk(Map<String, Step> steps) {
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

    public static void main(String[] args) {
        Consumers c = new Consumers();
        Map<String, Step> steps = new LinkedHashMap<>();
        steps.put("join", c::joinAlone);
        steps.put("rebalance", c::rebalance);
        steps.put("commit", c::commit);
        steps.put("seek", c::seek);
        steps.put("pause", c::pause);
        steps.put("static-members", c::staticMembers);
        steps.put("regex", c::regex);
        steps.put("crash-at-work", c::crashAtWork);
        c.walk(steps);
        System.exit(0);
    }
}
