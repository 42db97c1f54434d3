package golden

import "testing"

func TestMatch(t *testing.T) {
	m := matcher{map[string]string{"DIR": "/scratch"}}
	for _, c := range []struct {
		name      string
		want, got []string
		in, any   bool
	}{
		{"equal", []string{"a", "b"}, []string{"a", "b"}, true, true},
		{"other order", []string{"a", "b"}, []string{"b", "a"}, false, true},
		{"runs of spaces", []string{"a    b"}, []string{"a b   "}, true, true},
		{"spaces before a tab", []string{"a\tb"}, []string{"a  \tb"}, true, true},
		{"a tab is no space", []string{"a\tb"}, []string{"a b"}, false, false},
		{"placeholder", []string{"TopicId: <uuid>."}, []string{"TopicId: abcdefghijklmnopqrst-_."}, true, true},
		{"placeholder that does not fit", []string{"<num>"}, []string{"x"}, false, false},
		{"not a placeholder", []string{"<nothing>"}, []string{"<nothing>"}, true, true},
		{"value", []string{"$DIR/x"}, []string{"/scratch/x"}, true, true},
		{"many lines", []string{"head", "<usage>", "tail"}, []string{"head", "1", "2", "tail"}, true, true},
		{"many lines may be none", []string{"head", "<trace>"}, []string{"head"}, true, true},
		{"missing", []string{"a", "b"}, []string{"a"}, false, false},
		{"too much", []string{"a"}, []string{"a", "b"}, false, false},
	} {
		if got := m.inOrder(c.want, c.got); got != c.in {
			t.Errorf("%s: in order is %t, want %t", c.name, got, c.in)
		}
		if got := m.anyOrder(c.want, c.got); got != c.any {
			t.Errorf("%s: in any order is %t, want %t", c.name, got, c.any)
		}
	}
}

func TestOutputLines(t *testing.T) {
	got := outputLines([]byte("a\n[2026-11-22 16:24:53,532] ERROR x\n\nb\n"))
	if len(got) != 3 || got[0] != "a" || got[1] != "" || got[2] != "b" {
		t.Errorf("got %q", got)
	}
	if got := outputLines(nil); got != nil {
		t.Errorf("no output gives %q", got)
	}
	if got := outputLines([]byte("\n")); len(got) != 1 || got[0] != "" {
		t.Errorf("one empty line gives %q", got)
	}
}
