package tools

import (
	"math"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/tools/options"
)

// dumpLogOptions are the options of kafka-dump-log.
type dumpLogOptions struct {
	*options.Set
	parser                                                     *options.Parser
	files, maxMessageSize, maxBytes, keyDecoder, valueDecoder  *options.Option
	print, deep, verify, sanity, skipMetadata                  *options.Option
	offsets, transactions, clusterMetadata, remote, shareState *options.Option
}

const (
	dumpLogPurpose      = "This tool helps to parse a log file and dump its contents to the console, useful for debugging a seemingly corrupt log segment."
	stringDecoder       = decoderPackage + "StringDecoder"
	defaultMaxMessage   = 5 << 20
	decoderClassPurpose = "; implies --print-data-log. There are StringDecoder, IntegerDecoder, LongDecoder and DefaultDecoder of " + decoderPackage + "*."
)

func newDumpLogOptions() *dumpLogOptions {
	p := options.NewParser()
	return &dumpLogOptions{
		parser:          p,
		files:           p.Value("files", "file1, file2, ...", "REQUIRED: the files to dump: .log, .index, .timeindex, .txnindex, .snapshot, .checkpoint."),
		print:           p.Flag("print-data-log", "Print keys and values of the records in logs."),
		deep:            p.Flag("deep-iteration", "Print a line for each record, not only for each batch; implied by --print-data-log."),
		verify:          p.Flag("verify-index-only", "Check indexes against their logs without printing their entries."),
		sanity:          p.Flag("index-sanity-check", "Check of indexes only what a broker checks when it starts, to know whether it has to rebuild them."),
		maxMessageSize:  p.Value("max-message-size", "size", "Size of the largest batch, when indexes are checked.").Integer().Default(strconv.Itoa(defaultMaxMessage)),
		maxBytes:        p.Value("max-bytes", "size", "Read no more than so many bytes of whole batches of each log.").Integer().Default(strconv.Itoa(math.MaxInt32)),
		keyDecoder:      p.OptionalValue("key-decoder-class", "", "Class that decodes keys"+decoderClassPurpose).Default(stringDecoder),
		valueDecoder:    p.OptionalValue("value-decoder-class", "", "Class that decodes values"+decoderClassPurpose).Default(stringDecoder),
		offsets:         p.Flag("offsets-decoder", "Decode the records of __consumer_offsets; implies --print-data-log."),
		transactions:    p.Flag("transaction-log-decoder", "Decode the records of __transaction_state; implies --print-data-log."),
		clusterMetadata: p.Flag("cluster-metadata-decoder", "Decode the records of the cluster metadata log; implies --print-data-log."),
		remote:          p.Flag("remote-log-metadata-decoder", "Decode the records of __remote_log_metadata; implies --print-data-log."),
		shareState:      p.Flag("share-group-state-decoder", "Decode the records of __share_group_state; implies --print-data-log."),
		skipMetadata:    p.Flag("skip-record-metadata", "Leave out the metadata of records, and what control records say."),
	}
}

// printsRecords reports whether keys and values are wanted.
func (o *dumpLogOptions) printsRecords() bool {
	for _, option := range []*options.Option{o.print, o.offsets, o.transactions, o.clusterMetadata, o.remote, o.shareState, o.keyDecoder, o.valueDecoder} {
		if o.Has(option) {
			return true
		}
	}
	return false
}

// fileNames splits --files as Java does: empty names at the end do not count.
func (o *dumpLogOptions) fileNames(r *options.Reader) []string {
	text := r.String(o.files)
	if text == "" {
		return []string{""}
	}
	text = strings.TrimRight(text, ",")
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// decoder makes the decoder of records that the options ask for.
func (o *dumpLogOptions) decoder(r *options.Reader) (recordDecoder, error) {
	switch {
	case o.Has(o.offsets):
		return newCoordinatorDecoder("group_records"), nil
	case o.Has(o.transactions):
		return newCoordinatorDecoder("transaction_records"), nil
	case o.Has(o.clusterMetadata):
		return newMetadataDecoder(), nil
	case o.Has(o.remote):
		return newRemoteDecoder(), nil
	case o.Has(o.shareState):
		return newCoordinatorDecoder("share_records"), nil
	}
	value, err := newPlainDecoder(r.String(o.valueDecoder))
	if err != nil {
		return nil, err
	}
	key, err := newPlainDecoder(r.String(o.keyDecoder))
	return plainRecordDecoder{key, value}, err
}
