// Runs the scripts beside it on Kafka's own ProducerStateManager and prints them with its answers:
//   javac -cp 'KAFKA_LIBS/*' -d OUT Scripts.java && java -cp 'KAFKA_LIBS/*:OUT' org.apache.kafka.storage.internals.log.Scripts FILE...
// It is in Kafka's package to reach findDuplicateBatch. The steps of append are those of UnifiedLog.
package org.apache.kafka.storage.internals.log;

import java.io.File;
import java.nio.ByteBuffer;
import java.nio.file.*;
import java.util.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.*;
import org.apache.kafka.common.utils.*;

public class Scripts {
    ProducerStateManager psm;
    Path dir;
    List<byte[]> log = new ArrayList<>();
    long start = 0;
    Map<VerificationGuard, Integer> guards = new HashMap<>();
    Map<Integer, VerificationGuard> guardById = new HashMap<>();
    static final long NEVER = 1L << 40;
    long expiration = NEVER;

    Scripts() throws Exception {
        dir = Files.createTempDirectory("psm");
        psm = new ProducerStateManager(new TopicPartition("t", 3), dir.toFile(), 900000, new ProducerStateManagerConfig((int) Integer.MAX_VALUE, true), Time.SYSTEM);
    }

    static RecordBatch batch(byte[] b) { return MemoryRecords.readableRecords(ByteBuffer.wrap(b)).batches().iterator().next(); }
    long end() { return log.isEmpty() ? 0 : batch(log.get(log.size() - 1)).lastOffset() + 1; }

    String run(String line) throws Exception {
        String[] f = line.split(" ");
        Map<String, String> w = new HashMap<>();
        for (int i = 1; i < f.length; i++) { int e = f[i].indexOf('='); w.put(e < 0 ? f[i] : f[i].substring(0, e), e < 0 ? "" : f[i].substring(e + 1)); }
        switch (f[0]) {
            case "produce": {
                int n = (int) num(w, "count");
                SimpleRecord[] rs = new SimpleRecord[n];
                for (int i = 0; i < n; i++) rs[i] = new SimpleRecord(num(w, "ts"), (byte[]) null, null);
                MemoryRecords r = w.containsKey("txn")
                    ? MemoryRecords.withTransactionalRecords(end(), Compression.NONE, num(w, "id"), (short) num(w, "epoch"), 0, 0, rs)
                    : MemoryRecords.withIdempotentRecords(end(), Compression.NONE, num(w, "id"), (short) num(w, "epoch"), 0, 0, rs);
                byte[] b = bytes(r);
                ByteBuffer.wrap(b).putInt(53, (int) num(w, "seq")); // -1 too, which the builder refuses
                ByteBuffer.wrap(b).putInt(17, (int) Crc32C.compute(b, 21, b.length - 21));
                return append(b, f[0], w);
            }
            case "marker": {
                EndTransactionMarker m = new EndTransactionMarker(w.containsKey("commit") ? ControlRecordType.COMMIT : ControlRecordType.ABORT, (int) num(w, "coord"));
                return append(bytes(MemoryRecords.withEndTransactionMarker(end(), num(w, "ts"), 0, num(w, "id"), (short) num(w, "epoch"), m)), f[0], w);
            }
            case "verify": {
                try { return "guard " + verify(num(w, "id"), (short) num(w, "epoch"), (int) num(w, "seq"), w.containsKey("bump")); } catch (ApiException e) { return error(e); }
            }
            case "hw": psm.onHighWatermarkUpdated(Long.parseLong(f[1])); return "done";
            case "start": start = Long.parseLong(f[1]); psm.onLogStartOffsetIncremented(start); return "done";
            case "expire": {
                ProducerStateManager real = psm;
                // The expiration is a setting of the manager: drop by its rule.
                List<Long> gone = new ArrayList<>();
                long now = num(w, "now"), ms = num(w, "ms");
                java.lang.reflect.Field cf = ProducerStateManager.class.getDeclaredField("producerStateManagerConfig");
                cf.setAccessible(true);
                Object was = cf.get(psm);
                cf.set(psm, new ProducerStateManagerConfig((int) ms, true));
                psm.removeExpiredProducers(now);
                cf.set(psm, was);
                return "producers " + psm.activeProducers().size();
            }
            case "snapshot": {
                File s = new File(dir.toFile(), "x");
                s.delete();
                TreeMap<Long, ProducerStateEntry> sorted = new TreeMap<>(psm.activeProducers());
                ProducerStateManager.writeSnapshot(s, sorted, false);
                String hex = HexFormat.of().formatHex(Files.readAllBytes(s.toPath()));
                psm.takeSnapshot();
                return hex;
            }
            case "truncate": {
                long to = num(w, "to");
                log.removeIf(b -> batch(b).lastOffset() >= to);
                psm.truncateAndReload(start, to, num(w, "now"));
                long from = psm.mapEndOffset();
                for (byte[] b : log) {
                    RecordBatch rb = batch(b);
                    if (rb.baseOffset() < from) continue;
                    update(rb, AppendOrigin.REPLICATION, (short) -1);
                    psm.updateMapEndOffset(rb.lastOffset() + 1);
                }
                return state();
            }
            case "state": return state();
        }
        return "unknown command " + f[0];
    }

    static long num(Map<String, String> w, String k) { return w.containsKey(k) ? Long.parseLong(w.get(k)) : 0; }
    static byte[] bytes(MemoryRecords r) { ByteBuffer b = r.buffer(); byte[] x = new byte[b.remaining()]; b.duplicate().get(x); return x; }
    static String error(ApiException e) {
        String text = e.getMessage().replaceAll("(\\d)at offset", "$1 at offset").replaceAll("at offset \\(offset=(\\d+), [^)]*\\)", "at offset $1");
        return Errors.forException(e).name() + ": " + text;
    }

    boolean ongoing(long id, short epoch) {
        ProducerStateEntry e = psm.activeProducers().get(id);
        return e != null && e.currentTxnFirstOffset().isPresent() && e.producerEpoch() == epoch;
    }

    int verify(long id, short epoch, int seq, boolean bump) {
        ProducerStateEntry e = psm.activeProducers().get(id);
        if (e != null && epoch < e.producerEpoch())
            throw new InvalidProducerEpochException("Epoch of producer " + id + " is " + epoch + ", which is smaller than the last seen epoch " + e.producerEpoch());
        if (ongoing(id, epoch)) return 0;
        VerificationGuard g = psm.maybeCreateVerificationStateEntry(id, seq, epoch, bump).verificationGuard();
        guards.computeIfAbsent(g, x -> guards.size() + 1);
        guardById.put(guards.get(g), g);
        return guards.get(g);
    }

    String append(byte[] b, String name, Map<String, String> w) {
        RecordBatch rb = batch(b);
        AppendOrigin origin = name.equals("marker") ? AppendOrigin.COORDINATOR : AppendOrigin.CLIENT;
        if ("replication".equals(w.get("origin"))) origin = AppendOrigin.REPLICATION;
        if ("coordinator".equals(w.get("origin"))) origin = AppendOrigin.COORDINATOR;
        try {
            if (origin == AppendOrigin.CLIENT) {
                Optional<BatchMetadata> d = psm.lastEntry(rb.producerId()).flatMap(e -> e.findDuplicateBatch(rb));
                if (d.isPresent()) return "duplicate of " + d.get().firstOffset() + "-" + d.get().lastOffset() + " @" + d.get().timestamp();
            }
            if (origin != AppendOrigin.REPLICATION && rb.isTransactional() && !ongoing(rb.producerId(), rb.producerEpoch())) {
                ProducerStateEntry e = psm.activeProducers().get(rb.producerId());
                if (e != null && rb.producerEpoch() < e.producerEpoch())
                    throw new InvalidProducerEpochException("Epoch of producer " + rb.producerId() + " is " + rb.producerEpoch() + ", which is smaller than the last seen epoch " + e.producerEpoch());
                if (w.containsKey("guard") && !rb.isControlBatch()) {
                    VerificationGuard g = guardById.getOrDefault((int) num(w, "guard"), num(w, "guard") == 0 ? VerificationGuard.SENTINEL : new VerificationGuard());
                    VerificationStateEntry v = psm.verificationStateEntry(rb.producerId());
                    if (!(v == null ? VerificationGuard.SENTINEL : v.verificationGuard()).verify(g)) throw new InvalidTxnStateException("Record was not part of an ongoing transaction");
                }
            }
            String done = update(rb, origin, name.equals("marker") ? (short) num(w, "tv") : (short) -1);
            psm.updateMapEndOffset(rb.lastOffset() + 1);
            log.add(b);
            return "at " + rb.baseOffset() + "-" + rb.lastOffset() + done;
        } catch (ApiException e) { return error(e); }
    }

    // The end of UnifiedLog.append, for one batch. Throws before it changes anything.
    String update(RecordBatch rb, AppendOrigin origin, short tv) {
        Map<Long, ProducerAppendInfo> infos = new HashMap<>();
        Optional<LogOffsetMetadata> first = rb.isTransactional() ? Optional.of(new LogOffsetMetadata(rb.baseOffset(), 0, 0)) : Optional.empty();
        Optional<CompletedTxn> done = UnifiedLog.updateProducers(psm, rb, infos, first, origin, origin == AppendOrigin.REPLICATION ? (short) -1 : tv);
        infos.values().forEach(psm::update);
        if (done.isEmpty()) return "";
        CompletedTxn c = done.get();
        long stable = psm.lastStableOffset(c);
        psm.completeTxn(c);
        return " ended " + c.producerId() + " from " + c.firstOffset() + " to " + c.lastOffset() + " stable " + stable + " aborted " + c.isAborted();
    }

    String state() {
        StringBuilder s = new StringBuilder("end " + psm.mapEndOffset() + " unstable " + psm.firstUnstableOffset().map(o -> "" + o.messageOffset).orElse("-"));
        OptionalLong u = psm.firstUndecidedOffset();
        s.append(" undecided " + (u.isPresent() ? "" + u.getAsLong() : "-"));
        new TreeMap<>(psm.activeProducers()).forEach((id, e) -> s.append("; " + id + " epoch " + e.producerEpoch() + " seq " + e.lastSeq() + " @" + e.lastTimestamp()
            + " coord " + e.coordinatorEpoch() + " txn " + e.currentTxnFirstOffset().orElse(-1L)));
        return s.toString();
    }

    public static void main(String[] args) throws Exception {
        for (String path : args) {
            StringBuilder out = new StringBuilder();
            Scripts s = new Scripts();
            for (String line : Files.readAllLines(Paths.get(path))) {
                if (line.startsWith(">")) continue;
                out.append(line).append('\n');
                if (line.equals("new log")) s = new Scripts();
                else if (!line.isEmpty() && !line.startsWith("#")) out.append("> ").append(s.run(line)).append('\n');
            }
            Files.writeString(Paths.get(path), out.toString());
        }
    }
}
