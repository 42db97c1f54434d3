package tools

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A logger writes the warnings of a tool to stderr in the layout of Kafka's tools (log4j: time, level,
// message, logger), which people and scripts know to filter.
type logger struct{ to io.Writer }

func (inv *invocation) log() logger { return logger{inv.stderr} }

func (l logger) warn(format string, args ...any) { l.write("WARN", format, args...) }
func (l logger) fail(format string, args ...any) { l.write("ERROR", format, args...) }

// write prints one line: line breaks inside a message become spaces.
func (l logger) write(level, format string, args ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " ")
	stamp := strings.Replace(time.Now().Format("2006-01-02 15:04:05.000"), ".", ",", 1)
	fmt.Fprintf(l.to, "[%s] %s %s (ottla)\n", stamp, level, text)
}
