package tools

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

func recordText(r *kgo.Record) string {
	text := func(b []byte) string {
		if b == nil {
			return "null"
		}
		return fmt.Sprintf("%q", b)
	}
	var headers []string
	for _, h := range r.Headers {
		headers = append(headers, h.Key+"="+text(h.Value))
	}
	return fmt.Sprintf("[%s] %s %s", strings.Join(headers, " "), text(r.Key), text(r.Value))
}

func TestLineReader(t *testing.T) {
	for _, c := range []struct {
		properties string // separated by ;
		input      string
		want       []string // records, then the failure if there is one
	}{
		{"", "a\n\nb", []string{`[] null "a"`, `[] null ""`, `[] null "b"`}},
		{"", "a\r\nb\rc\n", []string{`[] null "a"`, `[] null "b"`, `[] null "c"`}},
		{"", "\xff\xfe\n", []string{`[] null "\xff\xfe"`}},
		{"parse.key=true", "k\tv\tw\n\tx\n", []string{`[] "k" "v\tw"`, `[] "" "x"`}},
		{"parse.key=true", "a\tb\nnokey\n", []string{`[] "a" "b"`, "No key separator found on line number 2: 'nokey'"}},
		{"parse.key=true;ignore.error=true", "nokey\n", []string{`[] null "nokey"`}},
		{"parse.key=true;key.separator=:;null.marker=N", "N:v\nk:N\n", []string{`[] null "v"`, `[] "k" null`}},
		{"parse.headers=true;parse.key=true", "h1:a,h2:b\tk\tv\nh:\tk\tv\n", []string{`[h1="a" h2="b"] "k" "v"`, `[h=""] "k" "v"`}},
		{"parse.headers=true;null.marker=N", "N\tv\nh:N\tv\nN:x\tv\n", []string{`[] null "v"`, `[h=null] null "v"`,
			"Header keys should not be equal to the null marker 'N' as they can't be null"}},
		{"parse.headers=true", "bad\tv\n", []string{"No header key separator found in pair 'bad' on line number 1"}},
		{"headers.delimiter=:", "", []string{"headers.delimiter and headers.key.separator may not be equal"}},
		{"key.separator=:;null.marker=:", "", []string{"null.marker and headers.key.separator may not be equal"}},
		{"key.separator=|;null.marker=|", "", []string{"null.marker and key.separator may not be equal"}},
	} {
		var got []string
		r, err := newLineReader(strings.NewReader(c.input), keyValues(strings.Split(c.properties, ";")))
		for err == nil {
			var record *kgo.Record
			if record, err = r.next(); err == nil {
				got = append(got, recordText(record))
			}
		}
		if err != io.EOF {
			got = append(got, err.Error())
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s: %q gives\n%s\nwant\n%s", c.properties, c.input, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}
