package tools

import (
	"regexp"
	"strings"
)

// A topicFilter tells which topics an option names: a regular expression for whole names, in which a comma stands for '|'.
type topicFilter struct{ pattern *regexp.Regexp }

// newTopicFilter reads a filter as Kafka's IncludeList does: spaces and quotes around it are dropped.
func newTopicFilter(expression string) (topicFilter, error) {
	text := strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(expression), ",", "|"), " ", "")
	text = strings.TrimRight(strings.TrimLeft(text, `"'`), `"'`)
	pattern, err := wholeMatch(text)
	if err != nil {
		return topicFilter{}, &exception{class: "java.lang.RuntimeException", message: text + " is an invalid regex.", cause: err}
	}
	return topicFilter{pattern}, nil
}

// wholeMatch compiles an expression that has to match a whole string. It is RE2's syntax, not Java's: lookarounds and
// backreferences are refused.
func wholeMatch(expression string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(expression); err != nil {
		return nil, err
	}
	return regexp.Compile(`\A(?:` + expression + `)\z`)
}

func (f topicFilter) allows(topic string) bool { return f.pattern.MatchString(topic) }
