package compose

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// A service is what a compose file says of one container.
type service struct {
	name, image, hostname string
	environ               []string // NAME=value
}

// readServices reads the services of a compose file. It knows the part of YAML that such files are written in: block maps
// and lists, plain and quoted scalars, comments. What would change the meaning of an environment and is beyond that
// (anchors, flow maps, block scalars, interpolation) is an error.
func readServices(text string) ([]service, error) {
	var all []service
	var path []block // the keys around a line
	for n, line := range strings.Split(text, "\n") {
		body := strings.TrimLeft(line, " ")
		indent := len(line) - len(body)
		if body = uncomment(body); body == "" || body == "---" {
			continue
		}
		item, isItem := strings.CutPrefix(body, "- ")
		for len(path) > 0 && (indent < path[len(path)-1].indent || indent == path[len(path)-1].indent && !isItem) {
			path = path[:len(path)-1] // an item may stand as far left as the key of its list
		}
		var err error
		switch {
		case isItem:
			err = addItem(all, path, item)
		default:
			var key string
			if key, err = addPair(&all, path, body); err == nil {
				path = append(path, block{indent, key})
			}
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	return all, nil
}

type block struct {
	indent int
	key    string
}

func keys(path []block) string {
	names := make([]string, len(path))
	for i, b := range path {
		names[i] = b.key
	}
	return strings.Join(names, "/")
}

// inEnvironment reports whether a line below path belongs to the environment of the last service.
func inEnvironment(all []service, path []block) bool {
	return len(all) > 0 && keys(path) == "services/"+all[len(all)-1].name+"/environment"
}

func addItem(all []service, path []block, item string) error {
	if !inEnvironment(all, path) {
		return nil
	}
	pair, err := scalar(item)
	if err == nil && !strings.Contains(pair, "=") {
		err = fmt.Errorf("%q takes its value from the environment of compose", pair)
	}
	if err != nil {
		return err
	}
	last := &all[len(all)-1]
	last.environ = append(last.environ, pair)
	return nil
}

func addPair(all *[]service, path []block, body string) (key string, err error) {
	key, rest, ok := strings.Cut(body, ":")
	if !ok {
		return "", fmt.Errorf("%q is no pair", body)
	}
	value := ""
	environment := inEnvironment(*all, path)
	if environment || key == "image" || key == "hostname" || key == "environment" {
		if value, err = scalar(strings.TrimSpace(rest)); err != nil {
			return "", err
		}
	}
	if keys(path) == "services" {
		*all = append(*all, service{name: key})
	}
	if len(*all) == 0 {
		return key, nil
	}
	last := &(*all)[len(*all)-1]
	switch where := keys(path); {
	case environment:
		last.environ = append(last.environ, key+"="+value)
	case where == "services/"+last.name && key == "image":
		last.image = value
	case where == "services/"+last.name && key == "hostname":
		last.hostname = value
	}
	return key, nil
}

// uncomment cuts a comment off a line that has no quote before it.
func uncomment(s string) string {
	if strings.HasPrefix(s, "#") {
		return ""
	}
	if i := strings.Index(s, " #"); i >= 0 && !strings.ContainsAny(s[:i], `'"`) {
		s = s[:i]
	}
	return strings.TrimRight(s, " \t\r")
}

func scalar(s string) (string, error) {
	switch {
	case strings.Contains(strings.ReplaceAll(s, "$$", ""), "$"):
		return "", fmt.Errorf("%s: interpolation is not read here", s)
	case s == "":
		return "", nil
	case strings.ContainsRune("&*{[|>!%@`", rune(s[0])):
		return "", fmt.Errorf("%s: only plain and quoted scalars are read here", s)
	case s[0] == '"':
		value, err := strconv.Unquote(s)
		if err != nil {
			return "", fmt.Errorf("%s: %w", s, err)
		}
		s = value
	case s[0] == '\'':
		if len(s) < 2 || s[len(s)-1] != '\'' {
			return "", fmt.Errorf("%s: the quote does not end", s)
		}
		s = strings.ReplaceAll(s[1:len(s)-1], "''", "'")
	}
	return strings.ReplaceAll(s, "$$", "$"), nil
}

func TestReadServices(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		services, err := readServices(text)
		got := fmt.Sprintf("%q", services)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
	f("services:\n  a:\n    image: x/y:1 # c\n    environment:\n      K: 'it''s' \n      L: \"1\"\n      M: A://b:1,C://d:2\n    ports:\n      - K=2\n  b:\n    hostname: h\n",
		`[{"a" "x/y:1" "" ["K=it's" "L=1" "M=A://b:1,C://d:2"]} {"b" "" "h" []}]`)
	f("services:\n  a:\n    environment:\n    - K=a=b\n    - \"L=x # y\"\n    image: i\n", `[{"a" "i" "" ["K=a=b" "L=x # y"]}]`)
	f("services:\n  a:\n    build:\n      image: no\n    deploy:\n      environment:\n        K: v\n", `[{"a" "" "" []}]`)
	f("services:\n  a:\n    environment:\n      - K\n", `line 4: "K" takes its value from the environment of compose`)
	f("services:\n  a:\n    environment:\n      K: ${V}\n", `line 4: ${V}: interpolation is not read here`)
	f("services:\n  a:\n    environment: *env\n", `line 3: *env: only plain and quoted scalars are read here`)
}
