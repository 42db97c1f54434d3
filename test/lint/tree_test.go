package lint

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// root is the top of the repository as seen from this package's folder, where tests run.
const root = "../.."

// internalFiles yields every Go file under internal/ with the name of the package's top folder.
func internalFiles(t *testing.T) iter.Seq2[string, string] {
	t.Helper()
	return func(yield func(file, pkg string) bool) {
		base := filepath.Join(root, "internal")
		err := filepath.WalkDir(base, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && d.Name() == "testdata" {
				return fs.SkipDir
			}
			if d.IsDir() || !strings.HasSuffix(path, ".go") {
				return nil
			}
			rel, _ := filepath.Rel(base, path)
			pkg, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
			if !yield(path, pkg) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryPackageSaysWhatItPromises(t *testing.T) {
	documented := map[string]bool{}
	for file := range internalFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Dir(file)
		documented[dir] = documented[dir] || parsed.Doc != nil
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: no package comment", dir)
		}
	}
}

// vagueNames say nothing about what is in the file or folder.
var vagueNames = []string{"util", "utils", "common", "helper", "helpers", "manager", "misc", "base"}

func TestNamesSayWhatIsInside(t *testing.T) {
	for file := range internalFiles(t) {
		for _, part := range strings.Split(strings.TrimSuffix(filepath.ToSlash(file), ".go"), "/") {
			for _, vague := range vagueNames {
				if part == vague || strings.HasPrefix(part, vague+"_") || strings.HasSuffix(part, "_"+vague) {
					t.Errorf("%s: the name %q says nothing; name it after what it does", file, part)
				}
			}
		}
	}
}

// Ceilings of a ratchet: lower them when the tree allows it.
const (
	maxFileLines     = 600
	maxFunctionLines = 120
)

func TestFilesAndFunctionsStaySmall(t *testing.T) {
	for file := range internalFiles(t) {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") || bytes.Contains(source, []byte("DO NOT EDIT.")) {
			continue
		}
		if n := bytes.Count(source, []byte("\n")); n > maxFileLines {
			t.Errorf("%s: %d lines, at most %d: split it by what its parts do", file, n, maxFileLines)
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			if n := set.Position(f.End()).Line - set.Position(f.Pos()).Line; n > maxFunctionLines {
				t.Errorf("%s: func %s has %d lines, at most %d", file, f.Name.Name, n, maxFunctionLines)
			}
		}
	}
}
