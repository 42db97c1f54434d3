package options

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

type testParser struct {
	*Parser
	flag, value, optional, number, list, only *Option
}

func newTestParser() testParser {
	p := NewParser()
	t := testParser{Parser: p}
	t.flag = p.Flag("flag", "A flag.")
	t.value = p.Value("value", "text", "A value.")
	t.optional = p.OptionalValue("optional", "", "May have a value.").Default("fallback")
	t.number = p.Value("number", "", "A number.").Integer()
	t.list = p.Value("list", "", "A list.").SeparatedBy(',')
	t.only = p.Flag("only", "Only with --flag.").AvailableIf(t.flag)
	return t
}

func TestParse(t *testing.T) {
	p := newTestParser()
	for _, c := range []struct {
		args   string
		values []string // of --value
		extra  []string
		fault  string
	}{
		{"--value a", []string{"a"}, nil, ""},
		{"--value=a", []string{"a"}, nil, ""},
		{"-value a", []string{"a"}, nil, ""},
		{"--value=a=b", []string{"a=b"}, nil, ""},
		{"--value= a", []string{"a"}, nil, ""},
		{"--value --flag", []string{"--flag"}, nil, ""},
		{"--value -1 --value b", []string{"-1", "b"}, nil, ""},
		{"x --flag y", nil, []string{"x", "y"}, ""},
		{"--flag -- --value", nil, []string{"--value"}, ""},
		{"- --flag", nil, []string{"-"}, ""},
		{"--value", nil, nil, "Option value requires an argument"},
		{"--val a", nil, nil, "val is not a recognized option"},
		{"-xyz", nil, nil, "x is not a recognized option"},
		{"--only", nil, nil, "Option(s) [only] are unavailable given other options on the command line"},
		{"--only --help", nil, nil, ""},
		{"--only --flag", nil, nil, ""},
	} {
		set, err := p.Parse(strings.Fields(c.args))
		if c.fault != "" {
			if err == nil || err.Error() != c.fault {
				t.Errorf("%s: error %v, want %s", c.args, err, c.fault)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		if got := set.Values(p.value); !slices.Equal(got, c.values) {
			t.Errorf("%s: values %q, want %q", c.args, got, c.values)
		}
		if !slices.Equal(set.Extra, c.extra) {
			t.Errorf("%s: extra %q, want %q", c.args, set.Extra, c.extra)
		}
	}
}

func TestOptionalValue(t *testing.T) {
	p := newTestParser()
	for _, c := range []struct {
		args     string
		has      bool
		hasValue bool
		value    string
	}{
		{"", false, false, "fallback"},
		{"--optional", true, false, "fallback"},
		{"--optional --flag", true, false, "fallback"},
		{"--optional a", true, true, "a"},
		{"--optional=a", true, true, "a"},
	} {
		set, err := p.Parse(strings.Fields(c.args))
		if err != nil {
			t.Fatal(err)
		}
		value, _ := set.Value(p.optional)
		if set.Has(p.optional) != c.has || set.HasValue(p.optional) != c.hasValue || value != c.value {
			t.Errorf("%q: has %t, has value %t, value %q", c.args, set.Has(p.optional), set.HasValue(p.optional), value)
		}
	}
}

func TestReaderKeepsTheFirstFailure(t *testing.T) {
	p := newTestParser()
	set, err := p.Parse([]string{"--number", "3000000000", "--value", "a", "--value", "b", "--list", "1,2", "--list", "3"})
	if err != nil {
		t.Fatal(err)
	}
	if got := set.Values(p.list); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("list is %q", got)
	}
	r := set.Reader()
	r.Int(p.number)
	r.String(p.value)
	e, ok := errors.AsType[*Error](r.Err())
	if !ok || e.Kind != Conversion || e.Message != "Cannot parse argument '3000000000' of option number" {
		t.Errorf("error is %v", r.Err())
	}
	if _, err := set.Value(p.value); err == nil || !strings.Contains(err.Error(), "Found multiple arguments for option value") {
		t.Errorf("two values give %v", err)
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	p := NewParser()
	p.Value("a-rather-long-name", "what it is in several words", "Text that does not fit in the right column and goes on below.").Default("7")
	p.PrintTable(&b)
	want := `Option                                   Description
------                                   -----------
--a-rather-long-name <String: what it is Text that does not fit in the right
  in several words>                        column and goes on below. (default:
                                           7)
--help                                   Print this text.
--version                                Print the version of Kafka whose tools
                                           these are.
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("--value\x00a\x00-flag")
	f.Add("--\x00--=\x00-\x00--value=")
	f.Fuzz(func(t *testing.T, line string) {
		p := newTestParser()
		set, err := p.Parse(strings.Split(line, "\x00"))
		if err != nil {
			return
		}
		for _, o := range p.Options() {
			r := set.Reader()
			r.Int(o)
			r.String(o)
			set.Values(o)
		}
	})
}
