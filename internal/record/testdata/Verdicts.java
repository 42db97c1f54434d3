// Has Kafka's own validator judge the cases that validate_test.go dumps, for kafka.verdicts:
//   javac -cp 'KAFKA_LIBS/*' -d OUT Verdicts.java && java -cp 'KAFKA_LIBS/*:OUT' Verdicts CASES VERDICTS
// The checks before LogValidator are those of UnifiedLog.analyzeAndValidateRecords.
import java.nio.ByteBuffer;
import java.nio.file.*;
import java.util.*;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.*;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.requests.*;
import org.apache.kafka.common.utils.*;
import org.apache.kafka.storage.internals.log.*;

public class Verdicts {
    static final TopicPartition TP = new TopicPartition("t", 3);

    static class Now implements Time {
        public long milliseconds() { return 1700000000000L; }
        public long nanoseconds() { return 0; }
        public long hiResClockMs() { return 0; }
        public void sleep(long ms) { }
        public void waitObject(Object o, java.util.function.Supplier<Boolean> c, long d) { }
        public org.apache.kafka.common.utils.Timer timer(long t) { return null; }
        public <T> T waitForFuture(java.util.concurrent.CompletableFuture<T> f, long d) { return null; }
    }

    static Compression compression(String n) {
        switch (n) {
            case "none": return Compression.NONE;
            case "gzip": return Compression.gzip().build();
            case "snappy": return Compression.snappy().build();
            case "lz4": return Compression.lz4().build();
            default: return Compression.zstd().build();
        }
    }

    static String quoted(ByteBuffer b) {
        if (b == null) return "null";
        byte[] x = new byte[b.remaining()];
        b.duplicate().get(x);
        StringBuilder o = new StringBuilder("\"");
        for (byte c : x) o.append(c < 32 ? String.format("\\x%02x", c) : "" + (char) c);
        return o + "\"";
    }

    public static void main(String[] args) throws Exception {
        StringBuilder out = new StringBuilder();
        for (String line : Files.readAllLines(Paths.get(args[0]))) {
            String[] f = line.split("\t", -1);
            String verdict;
            try {
                verdict = judge(f);
            } catch (RecordValidationException e) {
                StringBuilder s = new StringBuilder(Errors.forException(e.invalidException()).code() + " " + e.invalidException().getMessage());
                for (ProduceResponse.RecordError re : e.recordErrors()) s.append(" | " + re.batchIndex + " " + re.message);
                verdict = s.toString();
            } catch (Throwable t) {
                verdict = Errors.forException(t).code() + " " + t.getMessage();
            }
            out.append(f[0] + "\t" + verdict + "\n");
        }
        Files.writeString(Paths.get(args[1]), out.toString());
    }

    static String judge(String[] f) {
        byte[] b = HexFormat.of().parseHex(f[9]);
        MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(b));
        AppendOrigin origin = f[1].equals("client") ? AppendOrigin.CLIENT : AppendOrigin.COORDINATOR;
        int max = Integer.parseInt(f[3]);
        if (origin == AppendOrigin.CLIENT) ProduceRequest.validateRecords(Short.parseShort(f[2]), records);
        CompressionType source = CompressionType.NONE;
        int valid = 0;
        for (MutableRecordBatch batch : records.batches()) {
            if (origin == AppendOrigin.CLIENT && batch.baseOffset() != 0)
                throw new InvalidRecordException("The baseOffset of the record batch in the append to " + TP + " should be 0, but it is " + batch.baseOffset());
            if (batch.sizeInBytes() > max)
                throw new RecordTooLargeException("The record batch size in the append to " + TP + " is " + batch.sizeInBytes() + " bytes which exceeds the maximum configured value of " + max + ").");
            if (!batch.isValid()) throw new CorruptRecordException("Record is corrupt (stored crc = " + batch.checksum() + ") in topic partition " + TP + ".");
            valid += batch.sizeInBytes();
            CompressionType c = CompressionType.forId(batch.compressionType().id);
            if (c != CompressionType.NONE) source = c;
        }
        ByteBuffer trimmed = ByteBuffer.wrap(b);
        trimmed.limit(valid);
        TimestampType type = f[5].equals("CreateTime") ? TimestampType.CREATE_TIME : TimestampType.LOG_APPEND_TIME;
        LogValidator validator = new LogValidator(MemoryRecords.readableRecords(trimmed), TP, new Now(), source, compression(f[8].equals("producer") ? source.name : f[8]),
            Boolean.parseBoolean(f[4]), (byte) 2, type, Long.parseLong(f[6]), Long.parseLong(f[7]), 5, origin);
        LogValidator.MetricsRecorder nobody = new LogValidator.MetricsRecorder() {
            public void recordInvalidMagic() { }
            public void recordInvalidOffset() { }
            public void recordInvalidSequence() { }
            public void recordInvalidChecksums() { }
            public void recordNoKeyCompactedTopic() { }
        };
        LogValidator.ValidationResult result = validator.validateMessagesAndAssignOffsets(PrimitiveRef.ofLong(100), nobody, BufferSupplier.create());
        StringBuilder s = new StringBuilder("ok");
        for (MutableRecordBatch batch : result.validatedRecords().batches()) {
            if (batch.sizeInBytes() > max)
                throw new RecordTooLargeException("Message batch size is " + batch.sizeInBytes() + " bytes in append topartition " + TP + " which exceeds the maximum configured size of " + max + ".");
            batch.ensureValid();
            s.append(" codec=" + batch.compressionType().name + " type=" + batch.timestampType() + " max=" + batch.maxTimestamp()
                + " appendTime=" + (type == TimestampType.LOG_APPEND_TIME ? result.logAppendTimeMs() : -1));
            for (Record r : batch) s.append(" [" + r.offset() + " @" + r.timestamp() + " " + quoted(r.key()) + "=" + quoted(r.value()) + " " + r.headers().length + "]");
        }
        return s.toString();
    }
}
