package argparse

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func testParser() *Parser {
	return &Parser{
		Program: "tool.sh", Description: "A tool.",
		Arguments: []Argument{{Name: "--config", Metavar: "FILE"}, {Name: "--server", Metavar: "host", Required: true}},
		Commands: []Command{
			{Name: "list", Help: "list things", Arguments: []Argument{{Name: "--for", Kind: Long}, {Name: "--pattern"}}},
			{Name: "pick", Arguments: []Argument{
				{Name: "--by-name", Short: "-n", Choice: "by", Required: true}, {Name: "--by-id", Short: "-i", Choice: "by", Required: true},
				{Name: "--tag", Repeated: true}, {Name: "--to", Short: "-t", Required: true},
			}},
			{Name: "show", Arguments: []Argument{{Name: "--id", Kind: Integer, Required: true}, {Name: "--epoch", Kind: Short}}},
		},
	}
}

func TestParse(t *testing.T) {
	got, err := testParser().Parse(strings.Fields("--server=h show --id -7"))
	if err != nil || got.Command != "show" || got.Text("--server") != "h" || got.Number("--id", 0) != -7 || got.Has("--epoch") || got.Number("--epoch", 3) != 3 {
		t.Errorf("%+v %v", got, err)
	}
	got, err = testParser().Parse(strings.Fields("--server h pick -i 7 --tag a --tag=b -t x -t y"))
	if err != nil || got.Text("--by-id") != "7" || got.Text("--to") != "y" || len(got.Texts("--to")) != 1 || !slices.Equal(got.Texts("--tag"), []string{"a", "b"}) {
		t.Errorf("%+v %v", got, err)
	}
	for line, want := range map[string]string{
		"--server h pick --to x":                "one of the arguments --by-name/-n --by-id/-i is required",
		"--server h pick --by-id 1":             "argument --to/-t is required",
		"--server h pick --by-id 1 --by-name x": "argument --by-name/-n: not allowed with argument --by-id/-i",
		"--server h pick -i":                    "argument --by-id/-i: expected one argument",
		"":                                      "too few arguments",
		"--server h":                            "too few arguments",
		"list":                                  "argument --server is required",
		"--server h nosuch":                     "invalid choice: 'nosuch' (choose from 'list', 'pick', 'show')",
		"--server h show":                       "argument --id is required",
		"--server h list --nosuch x":            "unrecognized arguments: '--nosuch'",
		"--server h list x":                     "unrecognized arguments: 'x'",
		"--server h list --for":                 "argument --for: expected one argument",
		"--server h list --for --pattern x":     "argument --for: expected one argument",
		"--server h list --for x":               `argument --for: could not convert 'x' to Long (For input string: "x")`,
		"--server h show --id 2147483648":       `argument --id: could not convert '2147483648' to Integer (For input string: "2147483648")`,
		"--server h show --id 1 --epoch 1x":     `argument --epoch: could not convert '1x' to Short (For input string: "1x")`,
	} {
		_, err := testParser().Parse(strings.Fields(line))
		if e, ok := errors.AsType[*Usage](err); !ok || e.Message != "tool.sh: error: "+want || !strings.HasPrefix(e.Usage, "usage: tool.sh") {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	_, err := testParser().Parse([]string{"--server", "h", "list", "-h"})
	if e, ok := errors.AsType[*Help](err); !ok || !strings.Contains(e.Text, "usage: tool.sh --server host list [-h] [--for FOR] [--pattern PATTERN]\n") {
		t.Errorf("%v", err)
	}
	_, err = testParser().Parse([]string{"--help"})
	if e, ok := errors.AsType[*Help](err); !ok || !strings.Contains(e.Text, "list things") || !strings.Contains(e.Text, "--config FILE") {
		t.Errorf("%v", err)
	}
	if _, err = testParser().Parse([]string{"-v"}); err != ErrVersion {
		t.Error(err)
	}
}

func TestUsageOfArgumentsThatExcludeOneAnother(t *testing.T) {
	p := Parser{Program: "tool.sh", Arguments: []Argument{
		{Name: "--server", Required: true, Choice: "where"}, {Name: "--all", Kind: Flag, Choice: "what"},
		{Name: "--controller", Required: true, Choice: "where"}, {Name: "--one", Choice: "what"}, {Name: "--file"},
	}}
	if got, want := p.usage(nil), "usage: tool.sh [-h] [-v] (--server SERVER | --controller CONTROLLER) [--all | --one ONE] [--file FILE] COMMAND ..."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
