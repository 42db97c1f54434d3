// Package record reads, checks, stamps and builds record batches of message format v2: the bytes that
// travel in Produce and Fetch and that lie in segment files. It also reads (Legacy), and only reads, the formats v0 and v1.
//
// # Batch
//
// All integers are big-endian. The header has 61 bytes (HeaderSize):
//
//	 0        8      12          16    17    21   23              27             35
//	+--------+------+-----------+-----+-----+----+---------------+--------------+---
//	|  base  |length|  leader   |magic| crc |attr|  last offset  |     base     |
//	| offset |      |   epoch   | = 2 |     |    |     delta     |  timestamp   |
//	+--------+------+-----------+-----+-----+----+---------------+--------------+---
//	 35         43        51       53         57       61
//	-+----------+---------+--------+----------+--------+----------------------------+
//	 |   max    | producer|producer|   base   | record |  records, or a compressed  |
//	 | timestamp|    id   | epoch  | sequence | count  |  stream of records         |
//	-+----------+---------+--------+----------+--------+----------------------------+
//
// length counts the bytes after itself. The CRC-32C covers everything from the attributes to the end,
// so the base offset and the leader epoch can be stamped without touching it.
//
//	attributes  bits 0-2  codec: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd
//	            bit  3    timestamp type: 0 create time, 1 log append time
//	            bit  4    transactional
//	            bit  5    control batch
//	            bit  6    the base timestamp is the delete horizon (KIP-534)
//
// # Record
//
// Integers are zigzag varints; a negative length of key, value or header value stands for null.
//
//	+--------+------+-----------+--------+---------+-----+-----------+-------+--------+---------
//	| length |attr=0| timestamp | offset |   key   | key |   value   | value | header | headers
//	|        |      |   delta   | delta  |  length |     |   length  |       |  count |   ...
//	+--------+------+-----------+--------+---------+-----+-----------+-------+--------+---------
//	header:   | key length | key | value length | value |
//
// A control record's key is version int16, type int16 (ControlType); the value belongs to the type.
//
// # Nouns
//
// Batch is a view over the bytes of one batch. Record is one parsed record whose key, value and
// headers alias those bytes. Rules say what a topic accepts; Validate applies them to the records of
// one partition of a Produce request, as Kafka's ProduceRequest, UnifiedLog and LogValidator do
// together. Builder makes batches.
//
// # Invariants
//
//   - Input costs bounded time and memory: decompression stops at a budget, and no length is believed
//     before the bytes are there. Nothing here panics on a Batch that came from Batches, First,
//     Validate or Builder.
//   - Validate looks at compressed records while they come out of the decompressor, through a window: a few
//     tens of KB for a usual batch, 4 MiB at most for lz4 and 8 MiB for zstd, on as many processors as
//     there are. Batches that need more (one raw block of snappy, up to 21 times its size; zstd that refers
//     back further; recompression of large batches) take turns. FindTimestamp and OffsetOfMaxTimestamp are
//     alike. Only Records, which gives out bytes, holds all that a batch decompresses to.
//   - Validate allocates nothing for a batch that is in order and keeps its codec, save what pools lost.
//   - A batch that Validate returned has one record per offset, offsets without gaps, a true count, a
//     true maximum timestamp and a true CRC.
package record
