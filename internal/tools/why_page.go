package tools

import (
	"fmt"
	"strings"
	"time"
)

// whyPage is what the why commands print: what it is about in a few sentences, what is known of it, and what to do.
type whyPage struct {
	head     []string
	sections []string
	advice   []string // a paragraph each
}

// section adds lines under a title, unless there are none.
func (p *whyPage) section(title string, lines []string) {
	if len(lines) > 0 {
		p.sections = append(p.sections, "\n"+title+"\n  "+strings.Join(lines, "\n  ")+"\n")
	}
}

func (p *whyPage) text() string {
	if len(p.advice) == 0 {
		p.sections = append(p.sections, "\nNothing needs to be done.\n")
	}
	var lines []string
	for _, advice := range p.advice {
		lines = append(lines, "- "+strings.Join(wrapped(advice, textWidth), "\n    "))
	}
	p.section("What to do:", lines)
	return strings.Join(p.head, "\n") + "\n" + strings.Join(p.sections, "")
}

// latest lists the latest events, a few lines each, and says how many more there are, and were.
func latest(events [][]string, shown, forgotten int) (lines []string) {
	for _, e := range events[:min(len(events), shown)] {
		lines = append(lines, e...)
	}
	if more := len(events) - shown; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more (--last %d)", more, len(events)))
	}
	if forgotten > 0 {
		lines = append(lines, fmt.Sprintf("%d more are forgotten", forgotten))
	}
	return lines
}

// whyClock tells times as whoever asks reads them.
type whyClock struct {
	now  time.Time
	zone *time.Location
}

func (c whyClock) time(t time.Time) string { return t.In(c.zone).Format("2006-01-02 15:04:05") }

// ago is how long ago something was.
func (c whyClock) ago(t time.Time) string {
	return max(c.now.Sub(t), 0).Truncate(time.Second).String()
}

// textWidth is how wide advice is printed.
const textWidth = 110

// wrapped breaks a text into lines.
func wrapped(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
