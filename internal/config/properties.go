package config

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Property is one entry of a .properties file.
type Property struct {
	Name, Value string
	Line        int // where the entry begins, from 1
}

// ParseProperties reads the text of a Java .properties file: comments with # and !, the separators =, : and white
// space, continuation lines, and the escapes \t \n \r \f \uXXXX. Entries come in file order; of several with one name
// the last one counts. Other than Java's loader it takes the text as UTF-8, which ASCII files do not notice.
func ParseProperties(text string) ([]Property, error) {
	var all []Property
	for line, number := 0, 1; line < len(text); {
		logical, next, lines := logicalLine(text[line:])
		if logical != "" {
			p, err := parseProperty(logical)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", number, err)
			}
			p.Line = number
			all = append(all, p)
		}
		line += next
		number += lines
	}
	return all, nil
}

const propertySpace = " \t\f"

// logicalLine joins a line with its continuation lines. It returns the text without leading white space (empty for
// blank lines and comments), and how many bytes and natural lines that were.
func logicalLine(text string) (logical string, bytes, lines int) {
	var joined strings.Builder
	for first := true; ; first = false {
		natural, n := naturalLine(text[bytes:])
		bytes += n
		lines++
		natural = strings.TrimLeft(natural, propertySpace)
		if first && (natural == "" || natural[0] == '#' || natural[0] == '!') {
			return "", bytes, lines
		}
		if !endsInOddBackslashes(natural) {
			joined.WriteString(natural)
			return joined.String(), bytes, lines
		}
		joined.WriteString(natural[:len(natural)-1])
		if bytes >= len(text) {
			return joined.String(), bytes, lines
		}
	}
}

// naturalLine cuts a line that ends in \n, \r or \r\n.
func naturalLine(text string) (line string, bytes int) {
	end := strings.IndexAny(text, "\r\n")
	if end < 0 {
		return text, len(text)
	}
	bytes = end + 1
	if text[end] == '\r' && bytes < len(text) && text[bytes] == '\n' {
		bytes++
	}
	return text[:end], bytes
}

func endsInOddBackslashes(s string) bool {
	return (len(s)-len(strings.TrimRight(s, `\`)))%2 == 1
}

// parseProperty splits a logical line at the first separator that is not escaped.
func parseProperty(line string) (Property, error) {
	end := len(line)
	for i := 0; i < len(line); i++ {
		if line[i] == '\\' {
			i++
		} else if strings.IndexByte("=:"+propertySpace, line[i]) >= 0 {
			end = i
			break
		}
	}
	rest := strings.TrimLeft(line[end:], propertySpace)
	if rest != "" && (rest[0] == '=' || rest[0] == ':') {
		rest = strings.TrimLeft(rest[1:], propertySpace)
	}
	name, err := unescape(line[:end])
	if err != nil {
		return Property{}, err
	}
	value, err := unescape(rest)
	return Property{Name: name, Value: value}, err
}

func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var out strings.Builder
	var units []uint16 // of a run of \uXXXX, which may hold surrogate pairs
	flush := func() {
		out.WriteString(string(utf16.Decode(units)))
		units = units[:0]
	}
	for i := 0; i < len(s); {
		if s[i] == '\\' && i+1 < len(s) && s[i+1] == 'u' {
			n, err := strconv.ParseUint(s[i+2:min(i+6, len(s))], 16, 16)
			if err != nil || i+6 > len(s) {
				return "", fmt.Errorf(`malformed \uXXXX escape in %q`, s)
			}
			units = append(units, uint16(n))
			i += 6
			continue
		}
		flush()
		if s[i] == '\\' {
			i++
			if i == len(s) {
				break
			}
			if at := strings.IndexByte("tnrf", s[i]); at >= 0 {
				out.WriteByte("\t\n\r\f"[at])
				i++
				continue
			}
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		out.WriteString(s[i : i+size])
		i += size
	}
	flush()
	return out.String(), nil
}
