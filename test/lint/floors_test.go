package lint

import (
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/ottla/ottla/"

// floors is the building, lowest first. A package imports only from floors below its own; docs/DESIGN.md
// says what each is for. Sub-packages belong to the floor of the package that holds them.
var floors = [][]string{
	{"kafka", "planted"},
	{"vfs", "metrics", "config"},
	{"wire", "record"},
	{"producerstate", "compaction", "assignor", "causes", "acl", "sasl", "quota", "peer"},
	{"commitlog", "storagecheck", "metadata", "server"},
	{"statemachine", "partition", "quorum"},
	{"controller", "group", "txn", "share", "replication"},
	{"api", "format", "registry", "console"},
	{"broker"},
	{"tools"},
}

func floorOf(pkg string) (int, bool) {
	for n, names := range floors {
		for _, name := range names {
			if pkg == name {
				return n, true
			}
		}
	}
	return 0, false
}

func TestNoPackageImportsUpwards(t *testing.T) {
	for file, pkg := range internalFiles(t) {
		own, known := floorOf(pkg)
		if !known {
			t.Errorf("%s: package %s stands on no floor: add it to the list in test/lint and to docs/DESIGN.md", file, pkg)
			continue
		}
		for _, imported := range importsOf(t, file) {
			other, internal := strings.CutPrefix(imported, module+"internal/")
			if !internal {
				if strings.HasPrefix(imported, module) && !strings.HasSuffix(file, "_test.go") {
					t.Errorf("%s imports %s: only internal packages may be imported from internal packages", file, imported)
				}
				continue
			}
			other, _, _ = strings.Cut(other, "/")
			if other == pkg {
				continue
			}
			n, _ := floorOf(other)
			if n > own || (n == own && !strings.HasSuffix(file, "_test.go")) {
				t.Errorf("%s (floor %d) imports %s (floor %d): a package imports only from floors below its own", file, own, other, n)
			}
		}
	}
}

// The broker must not depend on the Go client that its tools and tests use.
func TestBrokerDoesNotImportFranzGo(t *testing.T) {
	for file, pkg := range internalFiles(t) {
		if pkg == "tools" || pkg == "console" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, imported := range importsOf(t, file) {
			if strings.HasPrefix(imported, "github.com/twmb/franz-go") {
				t.Errorf("%s imports %s: the broker's own code never does", file, imported)
			}
		}
	}
}

func importsOf(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range parsed.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}
