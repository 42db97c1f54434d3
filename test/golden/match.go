package golden

import (
	"regexp"
	"slices"
	"strings"
)

// placeholders are what <uuid> and so on in an expected line stand for.
var placeholders = map[string]string{
	"uuid":      `[A-Za-z0-9_-]{22}`,
	"cluster":   `[A-Za-z0-9_-]+`,
	"uuid36":    `[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`,
	"timestamp": `\d{13}`,
	"datetime":  `\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.:,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?`,
	"ms":        `\d+(?:\.\d+)?`,
	"num":       `-?\d+`,
	"float":     `-?(?:\d+(?:\.\d+)?(?:E-?\d+)?|NaN|Infinity)`,
	"member":    `\S+`,
	"host":      `/?[0-9A-Za-z.:_-]+`,
	"hostport":  `[0-9A-Za-z._-]+:\d+`,
	"rack":      `\S+`,
	"path":      `/[^\s"]+`,
	"text":      `.*`,
}

// standsForMany reports whether an expected line stands for any number of lines: an option table, a stack trace, anything.
func standsForMany(line string) bool {
	return line == "<usage>" || line == "<trace>" || line == "<any>"
}

var (
	logLine        = regexp.MustCompile(`^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] [A-Z]+ `)
	spacesAtEnd    = regexp.MustCompile(` +(\t|$)`)
	spaces         = regexp.MustCompile(` +`)
	anyPlaceholder = regexp.MustCompile(`<\w+>`)
)

// outputLines splits an output into lines, without those of the log.
func outputLines(output []byte) []string {
	text := strings.TrimSuffix(strings.ReplaceAll(string(output), "\r\n", "\n"), "\n")
	if text == "" && len(output) == 0 {
		return nil
	}
	return slices.DeleteFunc(strings.Split(text, "\n"), logLine.MatchString)
}

// normal folds runs of spaces, whose number depends on the width of ids, and drops those at the end of a column or line.
func normal(line string) string {
	return spaces.ReplaceAllString(spacesAtEnd.ReplaceAllString(line, "$1"), " ")
}

// A matcher compares outputs; values are what $DIR and so on stand for.
type matcher struct{ values map[string]string }

// pattern is the expression that an expected line stands for.
func (m matcher) pattern(line string) *regexp.Regexp {
	for name, value := range m.values {
		line = strings.ReplaceAll(line, "$"+name, value)
	}
	line = normal(line)
	var b strings.Builder
	b.WriteString(`\A`)
	last := 0
	for _, at := range anyPlaceholder.FindAllStringIndex(line, -1) {
		expression, known := placeholders[line[at[0]+1:at[1]-1]]
		if !known {
			continue
		}
		b.WriteString(regexp.QuoteMeta(line[last:at[0]]) + expression)
		last = at[1]
	}
	b.WriteString(regexp.QuoteMeta(line[last:]) + `\z`)
	return regexp.MustCompile(b.String())
}

// inOrder reports whether got is what want says, line by line.
func (m matcher) inOrder(want, got []string) bool {
	for i, line := range want {
		if standsForMany(line) {
			for k := range len(got) + 1 {
				if m.inOrder(want[i+1:], got[k:]) {
					return true
				}
			}
			return false
		}
		if len(got) == 0 || !m.pattern(line).MatchString(normal(got[0])) {
			return false
		}
		got = got[1:]
	}
	return len(got) == 0
}

// anyOrder reports whether got has the lines of want. Spaces at the beginning of a line do not count.
func (m matcher) anyOrder(want, got []string) bool {
	missing, extra := m.difference(want, got)
	return len(missing) == 0 && (len(extra) == 0 || slices.ContainsFunc(want, standsForMany))
}

// difference are the expected lines that did not come, and those that came and were not expected.
func (m matcher) difference(want, got []string) (missing, extra []string) {
	extra = slices.Clone(got)
	want = slices.Clone(want)
	slices.SortStableFunc(want, func(a, b string) int { return strings.Count(a, "<") - strings.Count(b, "<") })
	for _, line := range want {
		if standsForMany(line) {
			continue
		}
		pattern := m.pattern(strings.Trim(line, " "))
		i := slices.IndexFunc(extra, func(g string) bool { return pattern.MatchString(normal(strings.Trim(g, " "))) })
		if i < 0 {
			missing = append(missing, line)
			continue
		}
		extra = slices.Delete(extra, i, i+1)
	}
	return missing, extra
}
