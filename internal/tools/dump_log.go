package tools

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
)

// runDumpLog is kafka-dump-log (Kafka's DumpLogSegments).
func runDumpLog(inv *invocation) int {
	d := &logDump{out: bufio.NewWriterSize(inv.stdout, 64<<10)}
	err := d.run(inv)
	d.out.Flush()
	if exit, ok := inv.finish(err); ok {
		return exit
	}
	inv.trace(`Exception in thread "main" `, err)
	return 1
}

// A logDump is one run of kafka-dump-log.
type logDump struct {
	out      *bufio.Writer
	options  *dumpLogOptions
	findings dumpFindings
}

func (d *logDump) printf(format string, args ...any) { fmt.Fprintf(d.out, format, args...) }

func (d *logDump) run(inv *invocation) error {
	o := newDumpLogOptions()
	var err error
	if o.Set, err = o.parser.Parse(inv.args); err != nil {
		return err
	}
	if err := inv.helpOrVersion(o.parser, o.Set, dumpLogPurpose); err != nil {
		return err
	}
	rule := &rules{parser: o.parser, set: o.Set}
	if rule.require(o.files); rule.err != nil {
		return rule.err
	}
	d.options = o
	r := o.Reader()
	names := o.fileNames(r)
	if r.Err() != nil {
		return r.Err()
	}
	for _, name := range names {
		f := newDumpedFile(name)
		d.printf("Dumping %s\n", f.path)
		known, err := d.file(inv, f)
		if err != nil {
			return err
		}
		if !known {
			inv.complain("Ignoring unknown file " + f.path)
		}
	}
	d.out.Flush()
	d.findings.print(inv)
	return nil
}

// file dumps one file by its suffix. known is false for a suffix that says nothing.
func (d *logDump) file(inv *invocation, f dumpedFile) (known bool, err error) {
	r := d.options.Reader()
	switch f.suffix() {
	case ".log", ".checkpoint":
		var decoder recordDecoder
		if decoder, err = d.options.decoder(r); err == nil {
			maxBytes := r.Int(d.options.maxBytes)
			if err = r.Err(); err == nil {
				err = d.segment(f, decoder, maxBytes)
			}
		}
	case ".index":
		maxMessageSize := r.Int(d.options.maxMessageSize)
		if err = r.Err(); err == nil {
			err = d.offsetIndex(f, maxMessageSize)
		}
	case ".timeindex":
		err = d.timeIndex(f)
	case ".snapshot":
		err = d.producerSnapshot(inv, f)
	case ".txnindex":
		err = d.transactionIndex(f)
	default:
		return false, nil
	}
	return true, err
}

// A dumpedFile is a path as java.io.File has it.
type dumpedFile struct{ path string }

// newDumpedFile takes doubled slashes, and those at the end, out of a path.
func newDumpedFile(path string) dumpedFile {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return dumpedFile{path}
}

func (f dumpedFile) name() string { return f.path[strings.LastIndexByte(f.path, '/')+1:] }

// suffix is the name from its last dot on, empty without one.
func (f dumpedFile) suffix() string {
	name := f.name()
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		return name[dot:]
	}
	return ""
}

// stem is the name up to its first dot.
func (f dumpedFile) stem() string {
	stem, _, _ := strings.Cut(f.name(), ".")
	return stem
}

// baseOffset reads the offset that the file is named after.
func (f dumpedFile) baseOffset() (int64, error) {
	n, err := strconv.ParseInt(f.stem(), 10, 64)
	if err != nil || strings.Contains(f.stem(), "_") {
		return 0, &exception{class: "java.lang.NumberFormatException", message: `For input string: "` + f.stem() + `"`}
	}
	return n, nil
}

// sibling is the file beside this one with the same stem and another suffix.
func (f dumpedFile) sibling(suffix string) dumpedFile {
	path := f.absolute()
	return dumpedFile{path[:strings.LastIndexByte(path, '/')+1] + f.stem() + suffix}
}
