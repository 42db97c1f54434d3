package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/wire"
)

// defaultFields are the fields of response structs whose default is not Go's zero value, by type.
func defaultFields() map[string][]string {
	found := map[string][]string{}
	var visit func(t reflect.Type)
	visit = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Slice, reflect.Pointer:
			visit(t.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if _, seen := found[t.Name()]; seen || !strings.HasSuffix(t.PkgPath(), "/wire") {
			return
		}
		found[t.Name()] = nil
		v := reflect.New(t)
		if m, ok := v.Interface().(interface{ Reset() }); ok {
			m.Reset()
		}
		for i := range t.NumField() {
			field := v.Elem().Field(i)
			if !field.IsZero() && field.Kind() != reflect.Slice {
				found[t.Name()] = append(found[t.Name()], t.Field(i).Name)
			}
			visit(t.Field(i).Type)
		}
	}
	for _, api := range wire.APIs {
		visit(reflect.TypeOf(wire.NewResponse(api.Key)).Elem())
	}
	return found
}

// mayLack are literals whose missing fields are set right after them, by file and type.
var mayLack = map[string]string{
	"../api/15_describe_groups.go": "DescribeGroupsResponseDescribedGroup AuthorizedOperations",
	"../group/classic_describe.go": "DescribeGroupsResponseDescribedGroup AuthorizedOperations",
	"../api/18_api_versions.go":    "ApiVersionsResponse FinalizedFeaturesEpoch", // in version 0, which has no such field
}

// A literal of a response struct says 0 where Kafka's schema has another default (PreferredReadReplica -1,
// AuthorizedOperations -2147483648, ...), so it must name those fields, or be made by Reset.
func TestResponseLiteralsNameFieldsWithDefaults(t *testing.T) {
	fields := defaultFields()
	if len(fields["FetchResponsePartitionData"]) < 5 {
		t.Fatalf("defaults of FetchResponsePartitionData: %q", fields["FetchResponsePartitionData"])
	}
	literals := 0
	for _, folder := range []string{".", "../group", "../controller"} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if name := e.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
				literals += checkLiterals(t, filepath.Join(folder, name), fields)
			}
		}
	}
	if literals < 20 {
		t.Errorf("only %d literals were found", literals)
	}
}

func checkLiterals(t *testing.T, path string, fields map[string][]string) (literals int) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	excuse := mayLack[filepath.Join("../api", path)]
	if strings.HasPrefix(path, "..") {
		excuse = mayLack[path]
	}
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		of, ok := literal.Type.(*ast.SelectorExpr)
		if from, is := ofPackage(of); !ok || !is || from != "wire" {
			return true
		}
		wanted := fields[of.Sel.Name]
		literals++
		var named []string
		for _, element := range literal.Elts {
			if pair, ok := element.(*ast.KeyValueExpr); ok {
				if key, ok := pair.Key.(*ast.Ident); ok {
					named = append(named, key.Name)
				}
			}
		}
		for _, field := range wanted {
			if !slices.Contains(named, field) && excuse != of.Sel.Name+" "+field {
				t.Errorf("%s: wire.%s lacks %s, whose default is not the zero value", files.Position(literal.Pos()), of.Sel.Name, field)
			}
		}
		return true
	})
	return literals
}

func ofPackage(s *ast.SelectorExpr) (name string, ok bool) {
	if s == nil {
		return "", false
	}
	id, ok := s.X.(*ast.Ident)
	if !ok {
		return "", false
	}
	return id.Name, true
}
