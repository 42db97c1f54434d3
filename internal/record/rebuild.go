package record

// rebuildLarge is rebuild for a batch whose records, of size bytes uncompressed, were looked at but not kept.
// What they decompress to is known to be right; nothing is taken for a batch that would be refused by its size.
func rebuildLarge(v Validated, size, budget int, rules *Rules) (Validated, error) {
	if rules.target(v.Batch) == None {
		if err := checkSize(HeaderSize+size, rules); err != nil {
			return Validated{}, err
		}
	}
	scratch := takeLarge(size + 1) // the codecs look for one byte more
	defer large.give(scratch)
	data, err := Decompress(scratch.bytes[:0], v.Batch.Attributes().Codec(), v.Batch.payload(), budget)
	if err != nil {
		return Validated{}, inPartition(err, rules.Partition)
	}
	return rebuild(v, data, rules)
}

// rebuild builds v's batch anew with the topic's codec. data are its uncompressed records.
func rebuild(v Validated, data []byte, rules *Rules) (Validated, error) {
	room := len(data)
	if rules.Compression.Codec != None {
		room = min(room, max(maxCopy, len(v.Batch)))
	}
	out := make([]byte, HeaderSize, HeaderSize+room)
	copy(out, v.Batch)
	rebuilt, err := seal(out, data, *rules.Compression)
	if err != nil {
		return Validated{}, inPartition(err, rules.Partition)
	}
	rebuilt.SetMaxTimestamp(rules.TimestampType, v.MaxTimestamp)
	v.Batch, v.Rebuilt = rebuilt, true
	return v, checkSize(len(rebuilt), rules)
}
