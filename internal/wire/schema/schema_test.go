package schema

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every committed text must survive being read and written.
func TestFormatReturnsWhatParseRead(t *testing.T) {
	texts, err := filepath.Glob("*.txt")
	if err != nil || len(texts) < 100 {
		t.Fatalf("%d texts, %v", len(texts), err)
	}
	for _, name := range texts {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		messages, err := Parse(string(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(string(text), Format(messages)); diff != "" {
			t.Errorf("%s changes (-text +Format(Parse(text))):\n%s", name, diff)
		}
	}
}

func TestParse(t *testing.T) {
	got, err := Parse(`
# a comment
request 7 XRequest versions 0-4 flexible 3+ listeners broker,controller unstable
  Name  string 1+ null 2+ tag 5 3+ default null key ignorable classic entity groupId
  Parts []Part
    Inner Part2
      A int8
    B []Shared
  struct Shared 2+
    C uuid   # behind a field

data Y versions none
`)
	if err != nil {
		t.Fatal(err)
	}
	plain := func(name, typ string, fields ...Field) Field {
		return Field{Name: name, Type: typ, Versions: All, Nullable: None, Tagged: None, Fields: fields}
	}
	want := []Message{{
		Kind: Request, Key: 7, Name: "XRequest", Versions: Versions{0, 4}, Flexible: Versions{3, Open},
		Unstable: true, Listeners: []string{"broker", "controller"},
		Fields: []Field{
			{Name: "Name", Type: "string", Versions: Versions{1, Open}, Nullable: Versions{2, Open}, Tagged: Versions{3, Open},
				Tag: 5, Default: "null", Key: true, Ignorable: true, Classic: true, Entity: "groupId"},
			plain("Parts", "[]Part", plain("Inner", "Part2", plain("A", "int8")), plain("B", "[]Shared")),
		},
		Structs: []Struct{{Name: "Shared", Versions: Versions{2, Open}, Fields: []Field{plain("C", "uuid")}}},
	}, {Kind: Data, Key: NoKey, Name: "Y", Versions: None, Flexible: None}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseNamesTheLine(t *testing.T) {
	const head = "data X versions 0 flexible none\n"
	for text, want := range map[string]string{
		"  A int8\n":                  "line 1: a field before the first message",
		head + " A int8\n":            "line 2: indentation",
		head + "      A int8\n":       "line 2: indented deeper",
		head + "  A\n":                "line 2: want: Name type",
		head + "  A int8 3+ sweet\n":  `line 2: unknown word "sweet"`,
		head + "  A int8 tag x\n":     `line 2: "x" is not a tag`,
		head + "  A int8 default\n":   `line 2: nothing after "default"`,
		head + "  struct S\n":         "line 2: want: struct Name versions",
		"data X versions 5-3\n":       `line 1: "5-3" is not a range of versions`,
		"data X versions 1-2+\n":      `line 1: "1-2+" is not a range of versions`,
		"data X flexible\n":           `line 1: nothing after "flexible"`,
		"request 3\n":                 "line 1: a message without a name",
		"request 3 X listeners a b\n": "line 1: nothing after",
	} {
		if _, err := Parse(text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Parse(%q): %v, want %s", text, err, want)
		}
	}
}
