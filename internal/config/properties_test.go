package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseProperties(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		all, err := ParseProperties(text)
		if err != nil {
			if !strings.HasPrefix(want, "error ") || !strings.Contains(err.Error(), want[len("error "):]) {
				t.Errorf("%q: %v, want %s", text, err, want)
			}
			return
		}
		var got []string
		for _, p := range all {
			got = append(got, fmt.Sprintf("%d[%s][%s]", p.Line, p.Name, p.Value))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: got %s, want %s", text, s, want)
		}
	}
	f("a=1\nb:2\nc 3\nd\t=\t4\n  e = 5 \n", "1[a][1] 2[b][2] 3[c][3] 4[d][4] 5[e][5 ]")
	f("# x\n ! y\n\n\t\na=1", "5[a][1]")
	f("a=1\r\nb=2\rc=3", "1[a][1] 2[b][2] 3[c][3]")
	f("a=1,\\\n   2,\\\r\n\t3\nb=4", "1[a][1,2,3] 4[b][4]")
	f("a=1\\\n# not a comment\nb=2", "1[a][1# not a comment] 3[b][2]")
	f("# comment \\\na=1", "2[a][1]")
	f(`a\ b\:c\=d=e\tf\\g\q`, "1[a b:c=d][e\tf\\gq]")
	f(`a=\u0041\u00e9\uD83D\uDE00`, "1[a][Aé😀]")
	f("a", "1[a][]")
	f("a=", "1[a][]")
	f("=b", "1[][b]")
	f("a==b", "1[a][=b]")
	f("a = : b", "1[a][: b]")
	f("a=1\\", "1[a][1]")
	f("a=1\na=2", "1[a][1] 2[a][2]")
	f("ok=1\n\na=\\u00zz", "error line 3: malformed \\uXXXX escape")
	f("a=\\u12", "error line 1: malformed")
	f("", "")
}

// FuzzParseProperties checks that no text takes the parser down, and that what it reads it reads again when written
// with every character escaped.
func FuzzParseProperties(f *testing.F) {
	for _, seed := range []string{"a=1\\\n b", "a\\ b : \\u0041", "#x\r\n!y\n=\\", "\\", "\\\\\\\na"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ParseProperties(text)
		if err != nil {
			return
		}
		var written strings.Builder
		for _, p := range all {
			written.WriteString(escapeAll(p.Name) + "=" + escapeAll(p.Value) + "\n")
		}
		again, err := ParseProperties(written.String())
		if err != nil {
			t.Fatal(err)
		}
		if len(again) != len(all) {
			t.Fatalf("%d properties, then %d", len(all), len(again))
		}
		for i := range all {
			if again[i].Name != all[i].Name || again[i].Value != all[i].Value {
				t.Fatalf("%+q, then %+q", []string{all[i].Name, all[i].Value}, []string{again[i].Name, again[i].Value})
			}
		}
	})
}

func escapeAll(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); {
		switch at := strings.IndexByte("\t\n\r\f", s[i]); {
		case at >= 0:
			out.WriteString(`\` + string("tnrf"[at]))
		case strings.IndexByte(`=: \#!`, s[i]) >= 0:
			out.WriteString(`\` + s[i:i+1])
		default:
			out.WriteByte(s[i])
		}
		i++
	}
	return out.String()
}
