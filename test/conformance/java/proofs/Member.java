import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** One consumer of a group, polled by a thread of its own as in a process of its own. */
public class Member implements AutoCloseable {
    final KafkaConsumer<String, String> consumer;
    final Queue<Runnable> orders = new ConcurrentLinkedQueue<>();
    final List<ConsumerRecord<String, String>> records = Collections.synchronizedList(new ArrayList<>());
    final Thread thread;
    volatile Set<TopicPartition> assigned = Set.of();
    volatile Throwable error;
    volatile boolean ending;

    Member(Map<String, Object> config, Consumer<KafkaConsumer<String, String>> subscribe) {
        consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
        thread = new Thread(() -> run(subscribe));
        thread.setDaemon(true);
        thread.start();
    }

    void run(Consumer<KafkaConsumer<String, String>> subscribe) {
        try {
            subscribe.accept(consumer);
            while (!ending) {
                consumer.poll(Duration.ofMillis(100)).forEach(records::add);
                assigned = Set.copyOf(consumer.assignment());
                for (Runnable r = orders.poll(); r != null; r = orders.poll()) r.run();
            }
            consumer.close(CloseOptions.timeout(Duration.ofSeconds(10)));
        } catch (Throwable e) {
            error = e;
            assigned = Set.of();
            consumer.close(CloseOptions.timeout(Duration.ZERO));
        }
    }

    /** Has the consumer's own thread do something, between two polls. */
    <T> T ask(Function<KafkaConsumer<String, String>, T> question) throws Exception {
        CompletableFuture<T> answer = new CompletableFuture<>();
        orders.add(() -> {
            try {
                answer.complete(question.apply(consumer));
            } catch (Throwable e) {
                answer.completeExceptionally(e);
            }
        });
        return answer.get(40, TimeUnit.SECONDS);
    }

    void order(Consumer<KafkaConsumer<String, String>> what) throws Exception {
        ask(c -> {
            what.accept(c);
            return true;
        });
    }

    /** The records since the last call. */
    List<ConsumerRecord<String, String>> taken() {
        synchronized (records) {
            List<ConsumerRecord<String, String>> taken = List.copyOf(records);
            records.clear();
            return taken;
        }
    }

    @Override
    public void close() throws Exception {
        ending = true;
        thread.join(20_000);
    }
}
